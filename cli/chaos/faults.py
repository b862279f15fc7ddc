"""How faults are made and undone: by the downstream's switch, by FIS, or by the sandbox's emulator.

Each ends by itself. What must be undone is known before anything is done, undoing it twice is as good as
once, and after each undoing it is looked whether it is gone.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.chaos.record import Undo
from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.downstream.store import SETTING_KEY, setting_item
from selfheal.sandbox.errors import SandboxError
from selfheal.sandbox.faults import Faults
from selfheal.scenarios.faults import DownstreamFault, FunctionFault, KillFault, ThrottleFault

RUN_TAG = "selfheal:run"
"""Tag of an experiment of FIS: the run that started it."""

START_SECONDS = 120
"""How long FIS may take until an experiment runs. AWS takes up to a minute."""

STOP_SECONDS = 90
"""How long FIS may take until a stopped experiment has ended."""

LIVE = {"pending", "initiating", "running", "stopping"}
"""States of an experiment that has not ended."""

Tell = Callable[[str], None]


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
        """Make it.

        Raises:
            CliError: when it could not be made.

        """
        ...

    def keep(self) -> str:
        """Do what is due while it lasts. Return why it has ended early; empty otherwise."""
        ...


@dataclass(frozen=True)
class Switch:
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
        item = _setting(self.dynamodb, self.table)
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


@dataclass
class Experiment:
    """An experiment of FIS, from the template that the stack deployed for the scenario."""

    fis: Any
    template: str
    fault: FunctionFault
    seconds: int
    """How long the scenario's fault lasts."""
    run_id: str
    id: str = ""
    """Once it has been started."""

    @property
    def how(self) -> str:
        """FIS, and its template."""
        return (
            f"by AWS FIS, experiment template {self.template}{f', experiment {self.id}' if self.id else ''}"
        )

    @property
    def undo(self) -> tuple[Undo, ...]:
        """Whatever this run started from the template."""
        return (Undo("experiment", {"template": self.template, "run": self.run_id}),)

    def problem(self) -> str:
        """Return where the template is not what the scenario says."""
        found = self.fis.get_experiment_template(id=self.template)["experimentTemplate"]
        for action in found.get("actions", {}).values():
            given = action.get("parameters", {})
            percent = int(given.get("invocationPercentage", "100"))
            if percent != self.fault.percent:
                return (
                    f"the template {self.template} breaks {percent} % of the invocations and not "
                    f"{self.fault.percent} %: deploy the stack with that percentage"
                )
            if "duration" in given and seconds_of(given["duration"]) != self.seconds:
                return (
                    f"the template {self.template} lasts {given['duration']} and the scenario "
                    f"{self.seconds} s: deploy the stack with this scenario"
                )
        return ""

    def make(self) -> None:
        """Start it, and wait until it runs."""
        # The token makes it one experiment, however often the call is repeated.
        started = self.fis.start_experiment(
            clientToken=self.run_id, experimentTemplateId=self.template, tags={RUN_TAG: self.run_id}
        )["experiment"]
        self.id = started["id"]
        deadline = time.monotonic() + START_SECONDS
        while (state := self._state())["status"] in {"pending", "initiating"}:
            if time.monotonic() > deadline:
                raise CliError(f"FIS has not begun the experiment {self.id} within {START_SECONDS} s.")
            time.sleep(1)
        if state["status"] not in {"running", "completed"}:
            raise CliError(f"FIS did not run the experiment {self.id}: {_state_text(state)}.")

    def keep(self) -> str:
        """Return whether FIS ended it early: a stop condition, a person, or a failure."""
        state = self._state()
        if state["status"] in {"running", "completed"}:
            return ""
        return f"FIS ended the experiment: {_state_text(state)}"

    def _state(self) -> Mapping[str, str]:
        state: Mapping[str, str] = self.fis.get_experiment(id=self.id)["experiment"]["state"]
        return state


@dataclass(frozen=True)
class Throttle:
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
class Kill:
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


def _held_up(until: float) -> str:
    """Return that a fault is over, if it is: this process or machine stood still for a while."""
    return "the fault has ended by itself: the run was held up" if time.time() >= until else ""


def undo_all(undo: Sequence[Undo], clients: ClientSource, tell: Tell) -> None:
    """Undo everything, and see that it is gone.

    Raises:
        CliError: when something is still there, or that could not be told. The rest is undone all the same.

    """
    failed: list[str] = []
    for each in undo:
        try:
            tell(UNDO[each.kind](clients, each.where))
        except (KeyError, CliError, SandboxError, BotoCoreError, ClientError, OSError) as error:
            failed.append(f"{each.kind} {each.where}: {error}")
    if failed:
        raise CliError(
            f"Not undone: {'; '.join(failed)}. It ends by itself; the record is kept. "
            "Mend what is in the way, then: selfheal chaos stop"
        )


def _undo_switch(clients: ClientSource, where: Mapping[str, str]) -> str:
    dynamodb, table, until = clients.get("dynamodb"), where["table"], where["until"]
    try:
        dynamodb.delete_item(
            TableName=table,
            Key=SETTING_KEY,
            ConditionExpression="#until = :until",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":until": {"N": until}},
        )
    except ClientError as error:
        # Never made, undone before, or switched by somebody else since: then it is theirs.
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
    left = _setting(dynamodb, table).get("until", {}).get("N")
    if left is not None and float(left) == float(until):
        raise CliError(f"the switch is still in {table}")
    return f"the downstream's switch in {table} is gone"


def _setting(dynamodb: Any, table: str) -> dict[str, Any]:
    return dynamodb.get_item(TableName=table, Key=SETTING_KEY, ConsistentRead=True).get("Item", {})


def _undo_experiment(clients: ClientSource, where: Mapping[str, str]) -> str:
    fis, template = clients.get("fis"), where["template"]
    deadline = time.monotonic() + STOP_SECONDS
    while live := _live(fis, template, where["run"]):
        for each in live:
            if each["state"]["status"] != "stopping":
                try:
                    fis.stop_experiment(id=each["id"])
                except ClientError as error:
                    # It has ended meanwhile.
                    if error.response["Error"]["Code"] not in {"ValidationException", "ConflictException"}:
                        raise
        if time.monotonic() > deadline:
            raise CliError(f"the experiment {live[0]['id']} has not ended within {STOP_SECONDS} s")
        time.sleep(0.5)
    return f"no experiment of the template {template} runs"


def _live(fis: Any, template: str, run_id: str) -> list[Mapping[str, Any]]:
    pages = fis.get_paginator("list_experiments").paginate(experimentTemplateId=template)
    return [
        each
        for page in pages
        for each in page["experiments"]
        if each.get("tags", {}).get(RUN_TAG) == run_id and each["state"]["status"] in LIVE
    ]


def _undo_throttle(clients: ClientSource, where: Mapping[str, str]) -> str:
    faults = Faults(clients.get("dynamodb").meta.endpoint_url)
    faults.end(where["id"])
    if any(each.get("id") == where["id"] for each in faults.list()):
        raise CliError("the emulator still has it")
    return "the emulator throttles nothing any more"


UNDO: Mapping[str, Callable[[ClientSource, Mapping[str, str]], str]] = {
    "switch": _undo_switch,
    "experiment": _undo_experiment,
    "throttle": _undo_throttle,
}
"""By kind: undoes it, whatever is left of it, and returns what it saw then."""


def seconds_of(duration: str) -> int:
    """Return the seconds of a duration as FIS has it, such as PT90S or PT2M.

    Raises:
        CliError: when it is another form.

    """
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", duration)
    if found is None:
        raise CliError(f"the template's duration {duration!r} cannot be read")
    hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def _state_text(state: Mapping[str, str]) -> str:
    return " ".join(each for each in (state["status"], state.get("reason", "")) if each)
