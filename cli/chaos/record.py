"""The record of the run that is under way, in the ledger: one at a time, and what must be undone after it.

    pk      sk    holds
    chaos   run   who runs what, until when he is alive without renewing it, and what to undo

It is written before anything is broken, and deleted once everything is seen to be undone. So what a run that
was killed has left is known to whoever comes next: `selfheal chaos run` and `selfheal chaos stop` undo it.
Each write requires that the item is still of this run.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError

KEY = {"pk": {"S": "chaos"}, "sk": {"S": "run"}}
SCHEMA = 1
"""A later one is refused: misreading it could leave something broken."""

LEASE_SECONDS = 20
"""How long a run counts as alive after it was last heard of."""

_REFUSED = "ConditionalCheckFailedException"


@dataclass(frozen=True)
class Undo:
    """One thing that must be undone. It is known, and recorded, before it is done."""

    kind: str
    """A key of `selfheal.cli.chaos.undo.UNDO`."""
    where: dict[str, str]
    """What identifies it."""


@dataclass(frozen=True)
class RunItem:
    """The record as it is stored."""

    id: str
    scenario: str
    by: str
    """ARN of whoever runs it."""
    started: str
    """ISO 8601."""
    alive_until: float
    """Seconds since the epoch."""
    ends: float
    """When the fault ends by itself, at the latest, in seconds since the epoch."""
    undo: tuple[Undo, ...]
    process: str = ""
    """Where it runs, as `this_process` says it."""
    stop: str = ""
    """Who asked it to stop; empty if nobody did."""

    def is_alive(self, now: float) -> bool:
        """Return whether its process may still be at work."""
        return now < self.alive_until and not _is_dead(self.process)

    def to_item(self) -> dict[str, Any]:
        """Return it as a DynamoDB item."""
        undo = json.dumps([{"kind": each.kind, "where": each.where} for each in self.undo])
        plain = {
            "schema": SCHEMA,
            "id": self.id,
            "scenario": self.scenario,
            "by": self.by,
            "started": self.started,
            "alive_until": json.dumps(self.alive_until),
            "ends": json.dumps(self.ends),
            "undo": undo,
            "process": self.process,
        }
        return KEY | TypeSerializer().serialize(plain)["M"]

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Self:
        """Return what an item holds.

        Raises:
            CliError: when a later version wrote it.

        """
        raw: dict[str, Any] = TypeDeserializer().deserialize({"M": item})
        if raw["schema"] > SCHEMA:
            raise CliError(
                f"The record of the run of {raw.get('scenario')} has schema {raw['schema']}, known is up to "
                f"{SCHEMA}: use the selfheal that began it."
            )
        return cls(
            id=raw["id"],
            scenario=raw["scenario"],
            by=raw["by"],
            started=raw["started"],
            alive_until=float(raw["alive_until"]),
            ends=float(raw["ends"]),
            undo=tuple(Undo(each["kind"], each["where"]) for each in json.loads(raw["undo"])),
            process=raw["process"],
            stop=raw.get("stop", ""),
        )


def this_process() -> str:
    """Return what names this process among all machines: boot, namespace and number. Empty but on Linux."""
    if place := _place():
        return f"{place} {os.getpid()}"
    return ""


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _is_dead(process: str) -> bool:
    """Return whether a process of this machine has ended; False where that cannot be told."""
    place, _, number = process.rpartition(" ")
    if not place or place != _place():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's
        return False
    return False


class TakenError(Exception):
    """Another run has a record already."""

    def __init__(self, other: RunItem) -> None:
        super().__init__(other.id)
        self.other = other


@dataclass(frozen=True)
class Records:
    """The one record of a ledger. Its methods raise botocore's errors when the table does not answer."""

    dynamodb: Any
    table: str

    def read(self) -> RunItem | None:
        """Return the run that is under way or was left behind."""
        item = self.dynamodb.get_item(TableName=self.table, Key=KEY, ConsistentRead=True).get("Item")
        return RunItem.from_item(item) if item else None

    def begin(self, run: RunItem) -> None:
        """Write the record of a run.

        Raises:
            TakenError: when there is one already.

        """
        try:
            self.dynamodb.put_item(
                TableName=self.table, Item=run.to_item(), ConditionExpression="attribute_not_exists(pk)"
            )
        except ClientError as error:
            if not _is_refused(error):
                raise
            if (other := self.read()) is not None and other.id != run.id:  # the same: a retried answer
                raise TakenError(other) from error

    def renew(self, run_id: str, alive_until: float) -> str | None:
        """Say that a run is alive. Return who asked it to stop, empty if nobody; None if it has no record."""
        changed = self._update(run_id, "SET alive_until = :value", json.dumps(alive_until))
        return None if changed is None else str(changed.get("stop", {}).get("S", ""))

    def may_go_on(self, run_id: str, alive_until: float) -> bool:
        """Renew the record right before the fault is made. Return False if somebody stopped or undid it."""
        condition = "attribute_not_exists(#stop)"
        value = json.dumps(alive_until)
        return self._update(run_id, "SET alive_until = :value", value, condition) is not None

    def ask_to_stop(self, run_id: str, by: str) -> bool:
        """Ask a run to stop. Return False if it has ended meanwhile."""
        return self._update(run_id, "SET #stop = :value", by) is not None

    def end(self, run_id: str) -> None:
        """Delete the record, if it is still this run's."""
        try:
            self.dynamodb.delete_item(
                TableName=self.table,
                Key=KEY,
                ConditionExpression="#id = :id",
                ExpressionAttributeNames={"#id": "id"},
                ExpressionAttributeValues={":id": {"S": run_id}},
            )
        except ClientError as error:
            if not _is_refused(error):
                raise

    def _update(self, run_id: str, update: str, value: str, condition: str = "") -> dict[str, Any] | None:
        """Change the record if it is this run's, and return it; None if it is not."""
        conditions = " AND ".join(each for each in ("#id = :id", condition) if each)
        names = {"#id": "id", "#stop": "stop"}
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key=KEY,
                UpdateExpression=update,
                ConditionExpression=conditions,
                # DynamoDB refuses a name that no expression uses.
                ExpressionAttributeNames={
                    key: name for key, name in names.items() if key in f"{update} {conditions}"
                },
                ExpressionAttributeValues={":id": {"S": run_id}, ":value": {"S": value}},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if _is_refused(error):
                return None
            raise
        return dict(answer["Attributes"])


def _is_refused(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == _REFUSED


def left_behind(undo: Sequence[Undo]) -> str:
    """Return what a run has to undo, for people."""
    return ", ".join(f"{each.kind} {' '.join(each.where.values())}" for each in undo) or "nothing"
