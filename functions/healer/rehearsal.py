"""A rehearsal: the calls that an incident would need, made while there is none, and which of them are denied.

Nothing is changed. Reads are made as in a run, through the same code. Writes to the ledger have a condition
that no item can meet, so DynamoDB refuses them after it has checked the permission (DynamoDB developer guide,
"Using IAM with DynamoDB transactions"). A probe is Lambda's DryRun, which checks the permission and runs
nothing (Lambda API reference, Invoke). No target is written to: `selfheal doctor` has IAM simulate that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.observe import read_alarms, read_buckets
from selfheal.functions.healer.target import Remedy, Target
from selfheal.functions.shared.contract import (
    FLEET_KEY,
    MODE_KEY,
    REMEDIES,
    Key,
    Mode,
    RemedyKind,
    incident_key,
    override_key,
    request_key,
)
from selfheal.functions.shared.errors import OwnError, words

NAME = "rehearsal"
"""In place of a target in the keys of the ledger. Nothing is written under it either."""

LOOK_BACK = timedelta(minutes=10)
"""How far back metrics are read."""

ON_ITEMS: Mapping[str, str] = {
    "dynamodb:ConditionCheckItem": MODE_KEY["pk"]["S"],
    "dynamodb:PutItem": incident_key("*")["pk"]["S"],
    "dynamodb:UpdateItem": FLEET_KEY["pk"]["S"],
}
"""The action of each part of a transaction, and the partition of the ledger that it is for."""

IMPOSSIBLE = "attribute_exists(pk) AND attribute_not_exists(pk)"
"""A condition that no item meets, whether it exists or not."""

_REFUSED_BY_CONDITION = frozenset({"ConditionalCheckFailed", "None"})


def is_denied(code: str) -> bool:
    """Return whether an error says that a permission is missing. SNS has a code of its own."""
    return code.startswith("AccessDenied") or code in ("AuthorizationError", "UnauthorizedOperation")


@dataclass(frozen=True)
class Rehearsed:
    """One call, and how it ended."""

    call: str
    """The IAM action."""
    on: str
    """The resource: the end of its ARN, such as `function:NAME` or `table/NAME`; a whole ARN; or `*`."""
    ok: bool
    """Whether AWS carried it out, or refused it for nothing but its condition."""
    code: str = ""
    """AWS's code of the error, or the name of ours. Empty if it is ok."""
    said: str = ""
    """What the error says. Empty if it is ok."""
    keys: tuple[str, ...] = ()
    """Partitions of the table that the permission may be limited to."""
    target: str = ""
    """The target that it is for. Empty: for all."""


def rehearse(aws: Aws, targets: Sequence[Target], mode: Mode, *, tell: bool = False) -> dict[str, Any]:
    """Make each call once, and return how each ended, as the answer to whoever asked for it.

    Args:
        aws: The healer's clients.
        targets: The healer's targets.
        mode: The mode that was deployed. With observe, the role may not write for targets.
        tell: Whether to send people a message as well.

    """
    found = chain(
        _alarms(aws, targets),
        *(_metrics(aws, target) for target in targets),
        _ledger_reads(aws),
        _ledger_writes(aws),
        *(_target(aws, target, mode) for target in targets),
        _people(aws) if tell else (),
    )
    return {"wake": "rehearse", "mode": mode, "calls": [asdict(each) for each in found]}


def _try(call: str, on: str, make: Callable[[], Any], **more: Any) -> Rehearsed:
    """Make a call. What it raises is its result: the others are made nevertheless."""
    try:
        make()
    except ClientError as error:
        return _failed(error, call, on, **more)
    except (BotoCoreError, OwnError, ValueError, KeyError) as error:
        return Rehearsed(call, on, ok=False, code=type(error).__name__, said=words(error), **more)
    return Rehearsed(call, on, ok=True, **more)


def _failed(error: ClientError, call: str, on: str, **more: Any) -> Rehearsed:
    """Say how AWS refused. What it says of a denied call names who, what and where, and why; no value."""
    found = error.response.get("Error", {})
    code, said = str(found.get("Code", "")), str(found.get("Message", ""))
    return Rehearsed(call, on, ok=False, code=code, said=said if is_denied(code) else words(error), **more)


def _alarms(aws: Aws, targets: Sequence[Target]) -> Iterator[Rehearsed]:
    names = [rule.name for target in targets for rule in target.alarms]
    yield _try("cloudwatch:DescribeAlarms", "*", lambda: read_alarms(aws.cloudwatch, names))


def _metrics(aws: Aws, target: Target) -> Iterator[Rehearsed]:
    now = datetime.now(UTC)
    for series in {target.series(rule): None for rule in target.alarms}:

        def read(series: Any = series) -> None:
            read_buckets(aws.cloudwatch, target.function, series, now - LOOK_BACK, now, counted=series)

        yield _try("cloudwatch:GetMetricData", "*", read, target=target.name)


def _ledger_reads(aws: Aws) -> Iterator[Rehearsed]:
    """Read what every run reads, and an item of each kind."""
    ledger = f"table/{aws.table}"
    yield _try("dynamodb:BatchGetItem", ledger, lambda: aws.ledger.glance([NAME], requests=True))
    keys = (
        *(MODE_KEY, FLEET_KEY, incident_key(NAME)),
        *(request_key("approval", NAME), request_key("command", NAME)),
    )
    for key in keys:

        def read(key: Key = key) -> None:
            aws.dynamodb.get_item(TableName=aws.table, Key=key, ConsistentRead=True)

        yield _try("dynamodb:GetItem", ledger, read, keys=(key["pk"]["S"],))


def _ledger_writes(aws: Aws) -> Iterator[Rehearsed]:
    """Try the transaction with which an incident closes, and each of its parts by itself if it is denied."""
    table, item = aws.table, {"TableName": aws.table, "ConditionExpression": IMPOSSIBLE}
    update = {"UpdateExpression": "SET rehearsed = :at", "ExpressionAttributeValues": {":at": {"S": ""}}}
    parts: dict[str, list[dict[str, Any]]] = {
        "dynamodb:ConditionCheckItem": [{"ConditionCheck": {**item, "Key": MODE_KEY}}],
        "dynamodb:PutItem": [
            {"Put": {**item, "Item": incident_key(NAME)}},
            {"Put": {**item, "Item": incident_key(NAME, NAME)}},
        ],
        "dynamodb:UpdateItem": [{"Update": {**item, **update, "Key": FLEET_KEY}}],
    }

    def attempt(call: str, keys: tuple[str, ...], written: list[dict[str, Any]]) -> Rehearsed:
        return _conditional(
            call, table, lambda: aws.dynamodb.transact_write_items(TransactItems=written), keys=keys
        )

    whole = attempt(
        "dynamodb:TransactWriteItems",
        tuple(ON_ITEMS.values()),
        [each for some in parts.values() for each in some],
    )
    if not whole.ok:
        alone = [attempt(call, (ON_ITEMS[call],), written) for call, written in parts.items()]
        yield from alone
        if not all(each.ok for each in alone):
            return
    yield whole


def _conditional(call: str, table: str, make: Callable[[], Any], **more: Any) -> Rehearsed:
    """Make a write that only its condition may prevent: then it is allowed, and nothing was written."""
    on = f"table/{table}"
    try:
        make()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])
        codes = {str(reason.get("Code")) for reason in reasons}
        if code == "ConditionalCheckFailedException" or (codes and codes <= _REFUSED_BY_CONDITION):
            return Rehearsed(call, on, ok=True, **more)
        return _failed(error, call, on, **more)
    except BotoCoreError as error:
        return Rehearsed(call, on, ok=False, code=type(error).__name__, said=str(error), **more)
    return Rehearsed(call, on, ok=False, code="Written", said="a write that cannot succeed succeeded", **more)


def _target(aws: Aws, target: Target, mode: Mode) -> Iterator[Rehearsed]:
    for remedy in target.remedies:
        yield from _reads(aws, target, remedy)
        if remedy.kind == RemedyKind.OVERRIDE and mode is not Mode.OBSERVE:
            yield _override(aws, target, remedy)
    if target.probe is not None and mode is not Mode.OBSERVE:

        def probe() -> None:
            aws.prober.invoke(FunctionName=target.invoked, InvocationType="DryRun")

        yield _try("lambda:InvokeFunction", f"function:{target.invoked}", probe, target=target.name)


def _reads(aws: Aws, target: Target, remedy: Remedy) -> Iterator[Rehearsed]:
    """Read what a remedy would change. After a call that fails, those behind it are not reached."""
    on, read = f"function:{target.function}", REMEDIES[remedy.kind]["reads"]
    wanted = list(dict.fromkeys(action for calls in read for action in calls["actions"]))

    def ended(code: str, said: str, call: str = wanted[0]) -> Rehearsed:
        return Rehearsed(call, on, ok=False, code=code, said=said, target=target.name)

    try:
        live = remedies.read(aws, target, remedy.setting)
    except ClientError as error:
        asked = next((each for each in wanted if each.endswith(f":{error.operation_name}")), wanted[0])
        where = "event-source-mapping:*" if asked == "lambda:GetEventSourceMapping" else on
        yield _failed(error, asked, where, target=target.name)
    except (BotoCoreError, OwnError, ValueError, KeyError) as error:
        yield ended(type(error).__name__, words(error))
    else:
        if not live.exists:
            yield ended(
                "ResourceNotFound", f"the function {target.function}, or {remedy.setting}, is not there"
            )
        elif not live.is_readable(remedy.kind):
            yield ended("EnvironmentUnreadable", "Lambda cannot decrypt the environment", "kms:Decrypt")
        else:
            yield from (Rehearsed(each, on, ok=True, target=target.name) for each in wanted)


def _override(aws: Aws, target: Target, remedy: Remedy) -> Rehearsed:
    key = override_key(target.name, remedy.name)

    def write() -> None:
        aws.dynamodb.put_item(TableName=aws.table, Item=key, ConditionExpression=IMPOSSIBLE)

    return _conditional("dynamodb:PutItem", aws.table, write, keys=(key["pk"]["S"],), target=target.name)


def _people(aws: Aws) -> Iterator[Rehearsed]:
    text = "Somebody ran `selfheal doctor --tell`. Nothing is wrong: this shows that you are told."

    def publish() -> None:
        aws.sns.publish(TopicArn=aws.escalation_topic, Subject="[selfheal] a rehearsal", Message=text)

    yield _try("sns:Publish", aws.escalation_topic, publish)
