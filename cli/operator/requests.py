"""What people ask of the healer, approvals and commands, as items of the ledger.

There is one item of each kind for a target. The healer's role may read them but not write them; it records
in the incident which requests it has answered.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Verb
from selfheal.functions.shared.contract import SCHEMA, request_key

VALID_MINUTES = 30
"""How long a command waits for the healer: it is about what stands now."""


@dataclass(frozen=True)
class Submitted:
    """The request that the healer will find."""

    request: Request
    earlier: bool = False
    """Whether someone had asked for exactly this already, and it still waits."""


def make_request(
    verb: Verb,
    incident: str,
    by: str,
    why: str,
    now: datetime,
    *,
    minutes: int = VALID_MINUTES,
    plan: str | None = None,
) -> Request:
    """Return a new request.

    Args:
        verb: What is asked.
        incident: Id of the incident it is about.
        by: ARN of the caller.
        why: The reason; may be empty for an approval.
        now: The current time.
        minutes: How long it is valid.
        plan: Digest of the approved plan, for an approval.

    """
    until = iso(now + timedelta(minutes=minutes))
    return Request(uuid4().hex, verb, incident, by, iso(now), until, why, plan)


def to_item(request: Request, target: str) -> dict[str, Any]:
    """Return a request as a DynamoDB item."""
    fields = {name: str(text) for name, text in asdict(request).items() if text is not None}
    serialized = TypeSerializer().serialize(fields | {"schema": SCHEMA})["M"]
    return request_key(_kind(request.verb), target) | serialized


def pending(dynamodb: Any, table: str, incident: Incident, now: datetime) -> list[Request]:
    """Return the requests about an incident that the healer has not answered yet.

    Raises:
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    items = (_read(dynamodb, table, verb, incident.target) for verb in (Verb.APPROVE, Verb.ROLLBACK))
    return [request for item in items if (request := _pending(item, incident, now))]


def submit(dynamodb: Any, table: str, request: Request, incident: Incident, now: datetime) -> Submitted:
    """Write a request, unless the same one waits already.

    An approval of another plan is overwritten, as the healer would refuse it. A command that waits is not.

    Raises:
        CliError: when another command waits, when someone else asked at the same moment, or when the caller
            may not write the item.
        botocore.exceptions.ClientError: when the table cannot be read or written.

    """
    before = _read(dynamodb, table, request.verb, incident.target)
    earlier = _pending(before, incident, now)
    if earlier is not None and (earlier.verb, earlier.plan) == (request.verb, request.plan):
        return Submitted(earlier, earlier=True)
    if earlier is not None and earlier.verb is not Verb.APPROVE:
        raise CliError(
            f"A {earlier.verb} of {earlier.incident} still waits for the healer: {earlier.by} asked for it "
            f"at {earlier.at} ({earlier.why}). One command at a time: wait for its answer, at most until "
            f"{earlier.until}."
        )
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if before is not None:
        condition = {
            "ConditionExpression": "#id = :read",
            "ExpressionAttributeNames": {"#id": "id"},
            "ExpressionAttributeValues": {":read": {"S": str(before.get("id", ""))}},
        }
    try:
        dynamodb.put_item(TableName=table, Item=to_item(request, incident.target), **condition)
    except ClientError as error:
        raise _explained(error, request, table, incident.target) from error
    return Submitted(request)


def replaced_by(dynamodb: Any, table: str, request: Request, target: str) -> str | None:
    """Return who has asked for something else in place of a request; None if its item is still there.

    Raises:
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    now = _read(dynamodb, table, request.verb, target)
    if now is None or now.get("id") == request.id:
        return None
    return f"Meanwhile {now.get('by')} has asked for {now.get('verb')} of {now.get('incident')}."


def _kind(verb: Verb) -> Literal["approval", "command"]:
    return "approval" if verb is Verb.APPROVE else "command"


def _read(dynamodb: Any, table: str, verb: Verb, target: str) -> dict[str, Any] | None:
    """Return the fields of the last request of this verb's kind about a target."""
    key = request_key(_kind(verb), target)
    found = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return TypeDeserializer().deserialize({"M": found}) if found else None


def _pending(item: Mapping[str, Any] | None, incident: Incident, now: datetime) -> Request | None:
    if item is None or item.get("incident") != incident.id or item.get("id") in incident.answered:
        return None
    texts = {name: str(item.get(name, "")) for name in ("id", "incident", "by", "at", "until", "why")}
    try:
        request = Request(verb=Verb(item.get("verb")), plan=item.get("plan"), **texts)
        return request if parse_iso(request.until) > now else None
    except ValueError:  # written by another version: the healer does not act on it either
        return None


def _explained(error: ClientError, request: Request, table: str, target: str) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return CliError(
            f"Someone else asked for something about {target} at the same moment; your request was not "
            f"written. Look, then repeat: selfheal incidents show {request.incident}"
        )
    if code == "AccessDeniedException":
        return CliError(
            f"{request.by} may not {request.verb}: dynamodb:PutItem is needed on the items of {table} with "
            f"the key {_kind(request.verb)}#{target}. AWS says: {error}"
        )
    return error
