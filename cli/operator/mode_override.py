"""The override of the mode: one item of the ledger, in force from the healer's next run on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.items import UnreadableItemError
from selfheal.functions.healer.ledger_items import mode_of
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
    problem: str = ""
    """What is wrong with the item, if it is damaged. The healer only observes then, so that is its mode."""
    read: Mapping[str, Any] | None = None
    """The attribute `version` as it was read, whatever it holds; None if there is none."""


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
        CliError: when it is damaged, or another version wrote it: guessing could loosen it.
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    stored = read_stored(dynamodb, table)
    if stored.problem:
        raise CliError(
            f"{stored.problem[0].upper()}{stored.problem[1:]}. Until it is written again, the healer only "
            "observes. Write it: `selfheal mode observe --why TEXT`, or `selfheal mode --clear --why TEXT`."
        )
    return stored


def read_stored(dynamodb: Any, table: str) -> Stored:
    """Read the override, consistently; one that is damaged with its problem.

    Raises:
        CliError: when a later version wrote it. It is not damaged, and must not be overwritten.
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    item = dynamodb.get_item(TableName=table, Key=MODE_KEY, ConsistentRead=True).get("Item", {})
    schema = item.get("schema", {}).get("N", "0")
    if Decimal(schema) > SCHEMA:
        raise CliError(
            f"The override of the mode was written by another version (schema {schema}); this one knows up "
            f"to schema {SCHEMA}. Use a newer selfheal."
        )
    history, read = _history(item), item.get("version")
    try:
        return Stored(mode_of(item), history, read=read)
    except UnreadableItemError as error:
        return Stored(ModeOverride(0, Mode.OBSERVE), history, str(error), read)


def _history(item: Mapping[str, Any]) -> tuple[dict[str, str], ...]:
    """Return the changes that an item lists, without what is damaged of them."""
    lines = [line.get("M", {}) for line in item.get("history", {}).get("L", ())]
    return tuple({name: value["S"] for name, value in line.items() if "S" in value} for line in lines if line)


def write_mode(dynamodb: Any, table: str, change: Change, now: datetime, *, options: str = "") -> Stored:
    """Change the override, on condition that nobody else changed it since it was read.

    A change that does not loosen what others decided is tried again after a lost race, so that the kill
    switch always wins. Any other change is refused then.

    Args:
        dynamodb: A boto3 client of DynamoDB.
        table: Name of the ledger's table.
        change: What is wanted.
        now: The current time.
        options: The options with which another command finds this ledger, with a space before them.

    Raises:
        CliError: when it would loosen an override without `clear`, or one that someone else set meanwhile.
        botocore.exceptions.ClientError: when the item cannot be written.

    """
    for attempt in range(ATTEMPTS):
        before = read_stored(dynamodb, table)
        _refuse_loosening(before, change, raced=attempt > 0)
        after = changed(before, change, now)
        if _put(dynamodb, table, before, after):
            return after
    raise CliError(f"The mode is being changed by others over and over. Look at it: selfheal mode{options}")


def changed(before: Stored, change: Change, now: datetime) -> Stored:
    """Return what is stored after a change."""
    at = iso(now)
    entry = {"at": at, "by": change.by, "why": change.why, "mode": str(change.mode or CLEARED)}
    # No run may take it for one that it read before the item was damaged: no counter is as high.
    version = int(now.timestamp()) if before.problem else before.override.version + 1
    override = ModeOverride(version, change.mode, change.by, change.why, at)
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


def _refuse_loosening(before: Stored, change: Change, *, raced: bool) -> None:
    override = before.override
    if not loosens(override, change.mode):
        return
    what = f"{override.mode} by {override.by} at {override.at} ({override.why})"
    if before.problem:
        what = f"damaged, which counts as {override.mode} ({before.problem})"
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
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
    if before.read is not None:
        values = {":read": before.read}
        condition = {"ConditionExpression": "version = :read", "ExpressionAttributeValues": values}
    try:
        dynamodb.put_item(TableName=table, Item=to_item(after), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
