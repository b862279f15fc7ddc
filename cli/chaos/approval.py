"""A person's permission to run exactly one experiment in production, once.

It is an item of the ledger beside the healer's approvals, which IAM guards alike: pk `approval#chaos`. It
names the experiment by its digest, expires, and is used up by a conditional write.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.functions.healer.clock import iso

# The sort key differs from that of a healer's approvals, of which a target may be called `chaos`.
KEY = {"pk": {"S": "approval#chaos"}, "sk": {"S": "run"}}

VALID_MINUTES = 30
"""How long an approval is valid, by default."""


@dataclass(frozen=True)
class Approval:
    """The approval as it is stored."""

    id: str
    digest: str
    by: str
    """ARN of whoever approved."""
    until: str
    """ISO 8601."""
    used_by: str = ""
    """ARN of whoever used it up; empty while nobody has."""


@dataclass(frozen=True)
class Approvals:
    """The approval of a ledger: the last one counts. Methods raise botocore's errors."""

    dynamodb: Any
    table: str

    def give(self, digest: str, scenario: str, by: str, why: str, minutes: int) -> Approval:
        """Write an approval in the place of the last one."""
        now = datetime.now(UTC)
        approval = Approval(uuid4().hex, digest, by, iso(now + timedelta(minutes=minutes)))
        texts = {
            "id": approval.id,
            "digest": digest,
            "by": by,
            "until": approval.until,
            "scenario": scenario,
            "at": iso(now),
            "why": why,
        }
        item = KEY | {name: {"S": text} for name, text in texts.items()}
        try:
            self.dynamodb.put_item(TableName=self.table, Item=item)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            raise CliError(
                f"{by} may not approve: dynamodb:PutItem is needed on the items of {self.table} with the key "
                f"{KEY['pk']['S']}. AWS says: {error}"
            ) from error
        return approval

    def valid(self, digest: str, runner: str, *, alone: bool) -> Approval:
        """Return the approval with which a runner may run an experiment now.

        Args:
            digest: Of the experiment.
            runner: ARN of whoever runs it.
            alone: Whether there is nobody else who could approve, as in the sandbox.

        Raises:
            CliError: when there is none: what is missing, and what to do.

        """
        item = self.dynamodb.get_item(TableName=self.table, Key=KEY, ConsistentRead=True).get("Item", {})
        texts = {name: value["S"] for name, value in item.items() if "S" in value}
        found = Approval(*(texts.get(name, "") for name in ("id", "digest", "by", "until", "used_by")))
        if not found.id:
            problem = "nobody has approved it"
        elif found.digest != digest:
            problem = f"what {found.by} approved is another experiment ({found.digest})"
        elif found.used_by:
            problem = f"the approval of {found.by} was used by {found.used_by}"
        elif found.until <= iso(datetime.now(UTC)):
            problem = f"the approval of {found.by} expired at {found.until}"
        elif found.by == runner and not alone:
            problem = f"{runner} approved it himself, and somebody else has to"
        else:
            return found
        raise CliError(
            f"In production this needs an approval, and {problem}. Somebody else shows and approves it with "
            f"selfheal chaos approve; its digest is {digest}."
        )

    def use(self, approval: Approval, runner: str) -> None:
        """Use it up, before anything is broken.

        Raises:
            CliError: when it has been used, replaced or has expired meanwhile.

        """
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=KEY,
                UpdateExpression="SET used_by = :runner, used_at = :now",
                ConditionExpression="#id = :id AND digest = :digest AND #until > :now "
                "AND attribute_not_exists(used_by)",
                ExpressionAttributeNames={"#id": "id", "#until": "until"},
                ExpressionAttributeValues={
                    ":id": {"S": approval.id},
                    ":digest": {"S": approval.digest},
                    ":runner": {"S": runner},
                    ":now": {"S": iso(datetime.now(UTC))},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise CliError(
                f"The approval of {approval.by} was used or replaced meanwhile, or has expired. "
                "Nothing was broken."
            ) from error
