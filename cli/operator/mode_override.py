"""The override of the mode: one item of the ledger, in force from the healer's next run on."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.readings import ModeOverride
from selfheal.functions.shared.contract import MODE_KEY, SCHEMA, Mode, most_restrictive

CLEARED = "cleared"
HISTORY_LENGTH = 50
"""Changes that the item keeps."""

LEAST_RESTRICTIVE = Mode.ACT
ATTEMPTS = 5
"""Writes that one command tries when others change the mode at the same moment."""


@dataclass(frozen=True)
class Stored:
    """The item: the override, and how it came about."""

    override: ModeOverride
    history: tuple[dict[str, str], ...] = ()
    """The last changes, each with at, by, why and mode; oldest first."""


@dataclass(frozen=True)
class Change:
    """What a person asks of the override."""

    mode: Mode | None
    """None: remove the override."""
    by: str
    """ARN of the caller."""
    why: str
    clear: bool = False
    """Whether a more restrictive override may be loosened."""


def effective_mode(baseline: Mode | None, override: ModeOverride) -> Mode:
    """Return the mode in effect: the more restrictive of the two.

    An unknown baseline (None) counts as the least restrictive one: the result is the most that may be done.
    """
    return most_restrictive(baseline or LEAST_RESTRICTIVE, override.mode)


def is_certain(baseline: Mode | None, effective: Mode) -> bool:
    """Return whether a mode in effect would be the same under any baseline, if that is not known."""
    return baseline is not None or effective is Mode.OBSERVE


def mode_text(baseline: Mode | None, override: ModeOverride) -> str:
    """Return the mode in effect for people: `at most act` where it depends on an unknown baseline."""
    effective = effective_mode(baseline, override)
    return effective if is_certain(baseline, effective) else f"at most {effective}"


def tightens(baseline: Mode | None, mode: Mode) -> bool:
    """Return whether an override is more restrictive than the baseline; None for an unknown baseline."""
    return mode.rank < (baseline or LEAST_RESTRICTIVE).rank


def loosens(override: ModeOverride, mode: Mode | None) -> bool:
    """Return whether a change would leave a less restrictive override, or none."""
    return override.mode is not None and (mode is None or mode.rank > override.mode.rank)


def read_mode(dynamodb: Any, table: str) -> Stored:
    """Read the override, consistently.

    Raises:
        CliError: when another version wrote it: guessing could loosen it.
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    found = dynamodb.get_item(TableName=table, Key=MODE_KEY, ConsistentRead=True).get("Item")
    if not found:
        return Stored(ModeOverride(0))
    item = TypeDeserializer().deserialize({"M": found})
    schema, name, version = item.get("schema", SCHEMA), item.get("mode"), item.get("version")
    if schema > SCHEMA or name not in (None, *Mode) or version is None:
        raise CliError(
            f"The override of the mode was written by another version (schema {schema}, mode {name!r}); this "
            f"one knows schema {SCHEMA} and {', '.join(Mode)}. Use a newer selfheal."
        )
    mode = Mode(name) if name else None
    by, why, at = (str(item.get(key, "")) for key in ("by", "why", "at"))
    return Stored(ModeOverride(int(version), mode, by, why, at), tuple(item.get("history", ())))


def write_mode(dynamodb: Any, table: str, change: Change, now: datetime) -> Stored:
    """Change the override, on condition that nobody else changed it since it was read.

    A change that does not loosen what others decided is tried again after a lost race, so that the kill
    switch always wins. Any other change is refused then.

    Raises:
        CliError: when it would loosen an override without `clear`, or one that someone else set meanwhile.
        botocore.exceptions.ClientError: when the item cannot be written.

    """
    for attempt in range(ATTEMPTS):
        before = read_mode(dynamodb, table)
        _refuse_loosening(before.override, change, raced=attempt > 0)
        after = changed(before, change, now)
        if _put(dynamodb, table, before, after):
            return after
    raise CliError("The mode is being changed by others over and over. Look at it: selfheal mode")


def changed(before: Stored, change: Change, now: datetime) -> Stored:
    """Return what is stored after a change."""
    at = iso(now)
    entry = {"at": at, "by": change.by, "why": change.why, "mode": str(change.mode or CLEARED)}
    override = ModeOverride(before.override.version + 1, change.mode, change.by, change.why, at)
    return Stored(override, (*before.history, entry)[-HISTORY_LENGTH:])


def to_item(stored: Stored) -> dict[str, Any]:
    """Return the DynamoDB item."""
    fields: dict[str, Any] = {"schema": SCHEMA} | asdict(stored.override)
    fields["history"] = list(stored.history)
    if stored.override.mode is None:
        del fields["mode"]
    else:
        fields["mode"] = stored.override.mode.value
    return MODE_KEY | TypeSerializer().serialize(fields)["M"]


def _refuse_loosening(override: ModeOverride, change: Change, *, raced: bool) -> None:
    if not loosens(override, change.mode):
        return
    what = f"{override.mode} by {override.by} at {override.at} ({override.why})"
    if raced:
        raise CliError(
            f"Someone else changed the mode meanwhile: {what}. Nothing was written. Talk to them, then "
            "repeat."
        )
    if not change.clear:
        raise CliError(
            f"The override is {what}; {change.mode} would loosen it, which only --clear does. "
            f"`selfheal mode --clear --why TEXT` removes the override, "
            f"`selfheal mode {change.mode} --clear --why TEXT` replaces it."
        )


def _put(dynamodb: Any, table: str, before: Stored, after: Stored) -> bool:
    """Write the item unless someone else did since it was read; return whether it was written."""
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
