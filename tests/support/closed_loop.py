"""A world that answers back: traffic fails as long as its cause lasts, the alarm follows, the healer runs.

Every call of the healer's goes through a tap, where tests count it, refuse it, or lose its answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from functions.healer.aws import Aws
from functions.healer.ledger import Ledger, LostRaceError
from functions.healer.model import Decision, Effect, Incident, Limits, Mode, Reason
from functions.healer.observe import Setup
from tests.support.healer_world import (
    FAST,
    START,
    TARGET,
    DiedError,
    FakeCloudWatch,
    FakeLambda,
    FakeSns,
    Target,
    World,
)
from tests.support.memory_table import MemoryTable

ACTS = ("update_function_configuration", "put_item")
"""What changes a target: the healer puts nothing but overrides."""

EXPECTED = (LostRaceError, ClientError, ReadTimeoutError, DiedError)
"""How a run may end without an answer; anything else is a bug."""

Do = Callable[[], Any]


@dataclass
class Tap:
    """What every call goes through."""

    fault: Callable[[int, Do], Any] = lambda _number, do: do()
    """Given the number of the call and the call itself; returns its answer."""
    done: Callable[[str, dict[str, Any]], None] = lambda _name, _arguments: None
    """Told of every call that took effect."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    def run(self, name: str, arguments: dict[str, Any], call: Callable[..., Any]) -> Any:
        self.calls.append((name, arguments))

        def do() -> Any:
            answer = call(**arguments)
            self.done(name, arguments)
            return answer

        return self.fault(len(self.calls) - 1, do)


class Tapped:
    """A client whose calls go through a tap; a paginator is one call."""

    def __init__(self, client: Any, tap: Tap) -> None:
        self._client, self._tap = client, tap

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda **arguments: self._tap.run(name, arguments, method)

    def get_paginator(self, name: str) -> Any:
        pages = self._client.get_paginator(name)
        tap = self._tap

        class Paginator:
            def paginate(self, **arguments: Any) -> list[Any]:
                return tap.run(name, arguments, lambda **given: list(pages.paginate(**given)))

        return Paginator()


@dataclass(frozen=True)
class Act:
    """One change of a target that took effect, and the intent that the ledger held then."""

    at: datetime
    effect: Effect | None
    incident: Incident
    mode: Mode
    baseline: Mode

    @property
    def intent(self) -> tuple[str, str]:
        """What an apply was counted as."""
        return self.incident.id, self.incident.recent_acts[-1]

    @property
    def is_asked_for(self) -> bool:
        """Whether a person asked for it, by an override of the mode or without one."""
        asked = self.incident.purpose in (Reason.ROLLED_BACK, Reason.RESTORING)
        return self.effect is Effect.REVERT and asked and self.baseline is not Mode.OBSERVE


class Loop(World):
    """One target that fails while its cause lasts, and its healer."""

    def __init__(  # pyright: ignore[reportMissingSuperCall] - that one makes a table of moto's
        self, target: Target = TARGET, mode: Mode = Mode.ACT, table: MemoryTable | None = None
    ) -> None:
        self.target, self.mode, self.now = target, mode, START
        self.dynamodb = table or MemoryTable()
        self.function, self.cloudwatch, self.sns = FakeLambda(), FakeCloudWatch(), FakeSns()
        self.book = Ledger(self.dynamodb, "ledger")
        self.tap = Tap(done=self._took_effect)
        self.limits, self.fleet_size = Limits(), 1
        self.cause: Callable[[], bool] = lambda: False
        self.forced: str | None = None
        self.requests, self.skew = 100, timedelta(0)
        self.acts: list[Act] = []
        self.aws = self.connect()

    def connect(self) -> Aws:
        """Make a healer's clients, each of which goes through the tap."""
        parts = (self.cloudwatch, self.function, self.sns, self.dynamodb)
        cloudwatch, function, sns, dynamodb = (Tapped(part, self.tap) for part in parts)
        ledger = Ledger(dynamodb, "ledger")
        return Aws(cloudwatch, function, sns, ledger, "people", dynamodb, "ledger", function)

    @property
    def incident(self) -> Incident:
        incident = self.last
        assert incident is not None
        return incident

    @property
    def last(self) -> Incident | None:
        """The incident, read beside the tap."""
        return self.book.read(self.target.name)

    @property
    def mode_in_effect(self) -> Mode:
        return Setup(self.mode, self.book.read_mode(), self.limits, self.fleet_size).mode

    def live(self) -> dict[str, str | None]:
        """What the target's remedies set, as it is."""
        found: dict[str, str | None] = {}
        for remedy in self.target.remedies:
            item = self.dynamodb.items.get((f"override#{self.target.name}", remedy.name), {})
            override_value = item.get("value", {}).get("S")
            of_kind = {
                "environment": self.function.variables.get(remedy.name),
                "override": override_value,
            }
            found[str(remedy.setting)] = of_kind[remedy.kind]
        return found

    def fails_by_variable(self) -> bool:
        """A cause that the remedy takes away."""
        return self.function.variables.get("FAILURE_RATE") != "0"

    def elapse(self) -> None:
        """Let ten seconds pass: traffic, and the alarm that follows it."""
        errors = 30 * self.requests // 100 if self.cause() else 0
        self.traffic(self.requests, errors)
        state = self.forced or ("ALARM" if errors >= FAST.min_errors else "OK")
        if self.cloudwatch.states["fast"] != state:
            self.cloudwatch.set("fast", state, self.now)

    def step(self) -> Decision:
        actual, self.now = self.now, self.now + self.skew
        try:
            return super().step()
        finally:
            self.now = actual

    def attempt(self) -> Decision | Exception | DiedError:
        """Run once; return how it ended. A bug is raised."""
        try:
            return self.step()
        except EXPECTED as error:
            return error

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.elapse()
            self.attempt()

    def _took_effect(self, name: str, arguments: dict[str, Any]) -> None:
        if name not in ACTS:
            return
        incident = self.incident
        assert incident.effect in (Effect.APPLY, Effect.REVERT), "an act without a recorded intent"
        plan = incident.plan
        assert plan is not None
        value = plan.after if incident.effect is Effect.APPLY else plan.before
        assert self.live()[str(plan.key)] == value, "an act that is not the recorded one"
        if name == "put_item":
            assert arguments["Item"]["pk"] == {"S": f"override#{self.target.name}"}
        else:
            assert arguments["FunctionName"] == self.target.function, "an act on what is no target"
        actual = self.now - self.skew
        self.acts.append(Act(actual, incident.effect, incident, self.mode_in_effect, self.mode))

    def applies(self) -> list[Act]:
        return [act for act in self.acts if act.effect is Effect.APPLY]
