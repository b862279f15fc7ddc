"""What people ask of the healer: approvals and commands, as items of the ledger.

One item of each kind a target. The healer reads them and can neither write nor forge them; it remembers in
the incident which ones it answered.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.ledger import plain
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.observation import Request
from selfheal.functions.healer.words import Verb
from selfheal.functions.shared.contract import SCHEMA, request_key

COMMAND_MINUTES = 30
"""How long a command waits for the healer: it is about what stands now."""


@dataclass(frozen=True)
class Asked:
    """What became of asking."""

    request: Request
    earlier: bool = False
    """Whether it is not ours: someone had asked exactly this already, and it still waits."""


def kind_of(verb: Verb) -> Literal["approval", "command"]:
    """Return the kind of item that holds a verb; also its sort key."""
    return "approval" if verb is Verb.APPROVE else "command"


def make(
    verb: Verb,
    incident: str,
    by: str,
    why: str,
    now: datetime,
    *,
    minutes: int = COMMAND_MINUTES,
    plan: str | None = None,
) -> Request:
    """Return a new request.

    Args:
        verb: What is asked.
        incident: Id of the incident it is about.
        by: ARN of the caller.
        why: The reason; may be empty for an approval.
        now: The moment.
        minutes: After which it is not honoured any more.
        plan: Digest of the approved plan; of approvals only.

    """
    until = iso(now + timedelta(minutes=minutes))
    return Request(uuid4().hex, verb, incident, by, iso(now), until, why, plan)


def to_item(request: Request, target: str) -> dict[str, Any]:
    """Return a request as a DynamoDB item."""
    fields = {name: str(text) for name, text in asdict(request).items() if text is not None}
    return (
        request_key(kind_of(request.verb), target)
        | TypeSerializer().serialize(fields | {"schema": SCHEMA})["M"]
    )


def read(dynamodb: Any, table: str, verb: Verb, target: str) -> dict[str, Any] | None:
    """Read the item that holds what was last asked about a target, as plain JSON.

    Raises:
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    found = dynamodb.get_item(
        TableName=table, Key=request_key(kind_of(verb), target), ConsistentRead=True
    ).get("Item")
    return plain(found) if found else None


def waiting(item: Mapping[str, Any] | None, incident: Mapping[str, Any], now: datetime) -> Request | None:
    """Return the request of an item if the healer has still to answer it."""
    if item is None or item.get("incident") != incident["id"]:
        return None
    texts = {name: str(item.get(name, "")) for name in ("id", "incident", "by", "at", "until", "why")}
    if texts["id"] in incident.get("answered", ()):
        return None
    try:
        request = Request(verb=Verb(item.get("verb")), plan=item.get("plan"), **texts)
        return request if parse_iso(request.until) > now else None
    except (TypeError, ValueError):  # not of this version: nothing that could be waited for
        return None


def submit(dynamodb: Any, table: str, request: Request, incident: Mapping[str, Any], now: datetime) -> Asked:
    """Write a request, unless the same waits already, or something else that must not be overwritten.

    An approval of another plan is overwritten: the healer would refuse it as stale.

    Raises:
        CliError: when another command waits, when someone else asked at the same moment, or when the caller
            may not write the item.
        botocore.exceptions.ClientError: when the table cannot be read or written.

    """
    target = str(incident["target"])
    before = read(dynamodb, table, request.verb, target)
    earlier = waiting(before, incident, now)
    if earlier is not None and (earlier.verb, earlier.plan) == (request.verb, request.plan):
        return Asked(earlier, earlier=True)
    if earlier is not None and earlier.verb is not Verb.APPROVE:
        raise CliError(
            f"A {earlier.verb} of {earlier.incident} still waits for the healer: {earlier.by} asked for it "
            f"at {earlier.at} ({earlier.why}). One command at a time: wait for its answer, at most until "
            f"{earlier.until}."
        )
    _put(dynamodb, table, request, target, before)
    return Asked(request)


def _put(dynamodb: Any, table: str, request: Request, target: str, before: Mapping[str, Any] | None) -> None:
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if before is not None:
        condition = {
            "ConditionExpression": "#id = :read",
            "ExpressionAttributeNames": {"#id": "id"},
            "ExpressionAttributeValues": {":read": {"S": str(before.get("id", ""))}},
        }
    try:
        dynamodb.put_item(TableName=table, Item=to_item(request, target), **condition)
    except ClientError as error:
        raise _explained(error, request, table, target) from error


def _explained(error: ClientError, request: Request, table: str, target: str) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return CliError(
            f"Someone else asked for something about {target} at the same moment; nothing of yours was "
            f"written. Look, then repeat: selfheal incidents show {request.incident}"
        )
    if code == "AccessDeniedException":
        return CliError(
            f"{request.by} may not {request.verb}: dynamodb:PutItem is needed on the items of {table} with "
            f"the key {kind_of(request.verb)}#{target}. AWS says: {error}"
        )
    return error
