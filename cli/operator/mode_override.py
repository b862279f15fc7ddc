"""The mode: baseline and override, and the override's item in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.ledger import plain
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.observation import ModeOverride
from selfheal.functions.shared.contract import MODE_KEY, SCHEMA, Mode, most_restrictive

CLEARED = "cleared"
HISTORY = 50
"""Changes that are kept in the item."""

LEAST = Mode.ACT
"""The least restrictive mode."""

ATTEMPTS = 5
"""Writes of one command: enough for any crowd of operators."""


@dataclass(frozen=True)
class Kept:
    """The override as the ledger holds it."""

    override: ModeOverride
    history: tuple[Mapping[str, Any], ...] = ()
    """Every change with at, by, why and mode, oldest first."""


@dataclass(frozen=True)
class Change:
    """What a person wants of the override."""

    mode: Mode | None
    """None: no override any more."""
    by: str
    """ARN of the caller."""
    why: str
    clear: bool = False
    """Whether a more restrictive override may be given up."""


def effective(baseline: Mode | None, override: ModeOverride) -> Mode:
    """Return the mode in effect: the more restrictive of the two.

    A baseline that is not known (None) counts as the least restrictive, so that the answer is the most that
    the healer may do.
    """
    return most_restrictive(baseline or LEAST, override.mode)


def in_effect(baseline: Mode | None, override: ModeOverride) -> str:
    """Return the mode in effect for people, who are told when it is not known."""
    found = effective(baseline, override)
    return found if certain(baseline, found) else f"at most {found}"


def certain(baseline: Mode | None, found: Mode) -> bool:
    """Return whether a mode in effect does not depend on a baseline that is not known."""
    return baseline is not None or found is Mode.OBSERVE


def tightens(baseline: Mode | None, mode: Mode) -> bool:
    """Return whether an override makes any difference over this baseline, None for one that is not known."""
    return mode.rank < (baseline or LEAST).rank


def loosens(standing: ModeOverride, mode: Mode | None) -> bool:
    """Return whether a change would give up a more restrictive override."""
    if standing.mode is None:
        return False
    return mode is None or mode.rank > standing.mode.rank


def read_mode(dynamodb: Any, table: str) -> Kept:
    """Read the override, consistently.

    Raises:
        CliError: when a later version wrote it: guessing at it could loosen it.
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    found = dynamodb.get_item(TableName=table, Key=MODE_KEY, ConsistentRead=True).get("Item")
    return parse(plain(found)) if found else Kept(ModeOverride(0))


def parse(item: Mapping[str, Any]) -> Kept:
    """Turn the override's item, as plain JSON, into what it means; raises as `read_mode` does."""
    given, version = item.get("mode"), item.get("version")
    known = given is None or given in list(Mode)
    if item.get("schema", SCHEMA) > SCHEMA or not known or not isinstance(version, int):
        raise CliError(
            f"The override of the mode was written by another version (schema {item.get('schema')}, mode "
            f"{given!r}); this one knows schema {SCHEMA} and {', '.join(Mode)}. Use a newer selfheal."
        )
    texts = {key: str(item.get(key, "")) for key in ("by", "why", "at")}
    override = ModeOverride(version, Mode(given) if given else None, **texts)
    return Kept(override, tuple(item.get("history", ())))


def changed(before: Kept, change: Change, now: datetime) -> Kept:
    """Return the override after a change."""
    at = iso(now)
    line = {"at": at, "by": change.by, "why": change.why, "mode": change.mode or CLEARED}
    version = before.override.version + 1
    override = ModeOverride(version, change.mode, change.by, change.why, at)
    return Kept(override, (*before.history, line)[-HISTORY:])


def to_item(kept: Kept) -> dict[str, Any]:
    """Return the override's item in DynamoDB's typed form."""
    override = kept.override
    fields: dict[str, Any] = {"schema": SCHEMA, "version": override.version, "by": override.by}
    fields |= {"why": override.why, "at": override.at}
    if override.mode is not None:
        fields["mode"] = override.mode.value
    fields["history"] = [{key: str(value) for key, value in line.items()} for line in kept.history]
    return MODE_KEY | TypeSerializer().serialize(fields)["M"]


def write_mode(dynamodb: Any, table: str, change: Change, now: datetime) -> Kept:
    """Change the override, on condition that nobody else did meanwhile.

    A change that takes nothing away from what others decided is tried again: the kill switch never loses a
    race. Any other is refused.

    Raises:
        CliError: when it would loosen an override without `clear`, or one that came up meanwhile.
        botocore.exceptions.ClientError: when the item cannot be written.

    """
    for attempt in range(ATTEMPTS):
        before = read_mode(dynamodb, table)
        _refuse_loosening(before.override, change, first=attempt == 0)
        after = changed(before, change, now)
        if _put(dynamodb, table, before, after):
            return after
    raise CliError("The mode is being changed by others over and over. Look at it: selfheal mode")


def _refuse_loosening(standing: ModeOverride, change: Change, *, first: bool) -> None:
    if standing.mode is None or not loosens(standing, change.mode):
        return
    by = f"{standing.mode} by {standing.by} at {standing.at} ({standing.why})"
    if not first:
        raise CliError(
            f"Someone else changed the mode meanwhile: {by}. Nothing was written. Talk to them, then repeat."
        )
    if not change.clear:
        raise CliError(
            f"The override is {by}; {change.mode} would loosen it, which only --clear does. "
            f"`selfheal mode --clear --why TEXT` removes the override, "
            f"`selfheal mode {change.mode} --clear --why TEXT` replaces it."
        )


def _put(dynamodb: Any, table: str, before: Kept, after: Kept) -> bool:
    """Write unless someone else did; False if so."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if before.override.version:
        version = {":read": {"N": str(before.override.version)}}
        condition = {"ConditionExpression": "version = :read", "ExpressionAttributeValues": version}
    try:
        dynamodb.put_item(TableName=table, Item=to_item(after), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
