"""How faults are made: by the downstream's switch, or by the sandbox's emulator; by FIS in `fis`.

Each ends by itself, and what must be undone is known before anything is done; `undo` undoes it.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from selfheal.cli.chaos.record import Undo
from selfheal.cli.errors import CliError
from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.downstream.store import SETTING_KEY, setting_item
from selfheal.sandbox.faults import Faults
from selfheal.scenarios.faults import DownstreamFault, KillFault, ThrottleFault


class Way(Protocol):
    """A way to make one fault."""

    @property
    def how(self) -> str:
        """How it is made, for people."""
        ...

    @property
    def undo(self) -> tuple[Undo, ...]:
        """What must be undone, known before it is made."""
        ...

    def problem(self) -> str:
        """Return why it cannot be made now; empty where it can."""
        ...

    def make(self) -> None:
        """Make it, by one call that is soon over: no signal disturbs it.

        Raises:
            CliError: when it could not be made.

        """
        ...

    def begun(self) -> bool:
        """Return whether it is in force, once it was made.

        Raises:
            CliError: when it will not be.

        """
        ...

    def keep(self) -> str:
        """Do what is due while it lasts. Return why it has ended early; empty otherwise."""
        ...


class AtOnce:
    """A fault that is in force as soon as it is made."""

    def begun(self) -> bool:
        """Return that it is."""
        return True


@dataclass(frozen=True)
class Switch(AtOnce):
    """The downstream's setting, with an end."""

    dynamodb: Any
    table: str
    fault: DownstreamFault
    until: float
    """Seconds since the epoch, past which the baseline counts. It also tells whose setting it is."""

    how: str = "by the downstream's switch: an item of its table, which ends by itself"

    @property
    def undo(self) -> tuple[Undo, ...]:
        """The item."""
        return (Undo("switch", {"table": self.table, "until": repr(self.until)}),)

    def problem(self) -> str:
        """Return whether somebody else has switched it."""
        item = setting(self.dynamodb, self.table)
        if not item or float(item.get("until", {}).get("N", "inf")) <= time.time():
            return ""
        mode = item.get("mode", {}).get("S", "another setting")
        return f"the downstream is switched already ({mode}): first delete setting/setting of {self.table}"

    def make(self) -> None:
        """Put the item, unless there is another. Its workers follow within a second."""
        given = {
            name: value for name in ("seconds", "share") if (value := getattr(self.fault, name)) is not None
        }
        item = setting_item(Setting(mode=Mode(self.fault.mode), **given), self.until)
        # Only what the scenario says: the rate stays what the stack states.
        said = {name: item[name] for name in (*SETTING_KEY, "mode", "until", *given)}
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item=said,
                ConditionExpression="attribute_not_exists(pk) OR #until < :now",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": {"N": repr(time.time())}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise CliError(f"Somebody has switched the downstream meanwhile: see {self.table}.") from error

    def keep(self) -> str:
        """Return whether it has ended by itself already."""
        return _held_up(self.until)


@dataclass(frozen=True)
class Throttle(AtOnce):
    """Calls of an AWS service, which the emulator refuses."""

    faults: Faults
    fault: ThrottleFault
    run_id: str
    until: float

    how: str = "by the sandbox's emulator, which refuses the calls; not possible on AWS"

    @property
    def undo(self) -> tuple[Undo, ...]:
        """The emulator's fault."""
        return (Undo("throttle", {"id": self.run_id}),)

    def problem(self) -> str:
        """Return nothing: throttles do not disturb one another."""
        return ""

    def make(self) -> None:
        """Begin it."""
        fault = self.fault
        self.faults.throttle(self.run_id, fault.service, fault.operation, fault.share, self.until)

    def keep(self) -> str:
        """Return whether it has ended by itself already."""
        return _held_up(self.until)


@dataclass
class Kill(AtOnce):
    """Workers of a function, which the emulator kills again and again. Each death is over at once."""

    faults: Faults
    function: str
    fault: KillFault
    killed: int = 0
    undo: tuple[Undo, ...] = ()
    _next: float = field(default=0.0, repr=False)

    @property
    def how(self) -> str:
        """The emulator, and how many were killed."""
        return f"by the sandbox's emulator, which killed {self.killed} workers; not possible on AWS"

    def problem(self) -> str:
        """Return nothing."""
        return ""

    def make(self) -> None:
        """Kill those that there are now."""
        self._next = time.monotonic()
        self.keep()

    def keep(self) -> str:
        """Kill those that there are, if it is time."""
        if time.monotonic() >= self._next:
            self.killed += self.faults.kill(self.function)
            self._next += self.fault.every_seconds
        return ""


def setting(dynamodb: Any, table: str) -> dict[str, Any]:
    """Return the item of a downstream's switch; empty where there is none."""
    return dynamodb.get_item(TableName=table, Key=SETTING_KEY, ConsistentRead=True).get("Item", {})


def _held_up(until: float) -> str:
    """Return that a fault is over, if it is: this process or machine stood still for a while."""
    return "the fault has ended by itself: the run was held up" if time.time() >= until else ""
