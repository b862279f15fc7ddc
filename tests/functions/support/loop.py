"""A closed loop: traffic fails while its cause lasts, the alarm follows the traffic, and the healer runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.ledger import Ledger, LostRaceError
from selfheal.functions.healer.observation import Decision
from selfheal.functions.healer.states import TERMINAL, Effect, Reason
from selfheal.functions.healer.target import Remedy, Target
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.faults import DiedError
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.tap import ACTS, WRITES, Tap, Tapped, Values
from tests.functions.support.world import FAST, FAST_TARGET, World

EXPECTED = (LostRaceError, ClientError, ReadTimeoutError, DiedError)
"""How a run may end without an answer; anything else is a bug."""

LEAST_FIRST = (Mode.OBSERVE, Mode.SUGGEST, Mode.ACT)


@dataclass(frozen=True)
class Act:
    """One change of a target that took effect, and what the ledger and the world held then."""

    at: datetime
    effect: Effect
    incident: Incident
    was: str | None
    """The value that was replaced."""
    mode: Mode
    baseline: Mode
    in_alarm: bool
    remedy: Remedy | None
    """The remedy that it carries out or takes back, if the target has it."""

    @property
    def intent(self) -> tuple[str, str]:
        """What it was intended as: an intent that is made again is still the same one."""
        begun = [line.at for line in self.incident.history if line.to == "ACTING" and line.source != "ACTING"]
        return self.incident.id, begun[-1]

    @property
    def is_asked_for(self) -> bool:
        """Whether a person asked for it, by an override of the mode or without one."""
        asked = self.incident.purpose in (Reason.ROLLED_BACK, Reason.RESTORING)
        return self.effect is Effect.REVERT and asked and self.baseline is not Mode.OBSERVE


class Loop(World):
    """One target that fails while its cause lasts, and its healer."""

    def __init__(
        self, target: Target = FAST_TARGET, mode: Mode = Mode.ACT, table: MemoryTable | None = None
    ) -> None:
        self.tap = Tap(self.live, self._took_effect)
        super().__init__(target, mode, table)
        self.cause: Callable[[], bool] = lambda: False
        self.forced: str | None = None
        self.requests, self.skew = 100, timedelta(0)
        self.limits = Limits(stability_seconds=30)
        self.acts: list[Act] = []
        self.touched = 0
        """How many of the acts were followed by a change of someone else's, or accepted."""
        self.runs: list[int] = []

    def connect(self) -> Aws:
        """Make the healer's clients, each of which goes through the tap."""
        parts = (self.cloudwatch, self.function, self.sns, self.dynamodb, self)
        cloudwatch, function, sns, dynamodb, prober = (Tapped(part, self.tap) for part in parts)
        ledger = Ledger(dynamodb, "ledger")
        return Aws(cloudwatch, function, sns, ledger, "people", dynamodb, "ledger", prober)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        """Answer a probe as the service answers its callers."""
        assert (FunctionName, Payload.decode()) == (self.target.invoked, self.target.probe)
        crashed = {"FunctionError": "Unhandled"} if self.cause() else {}
        return {**crashed, "Payload": BytesIO(b"{}")}

    @property
    def has_ended(self) -> bool:
        """Whether there is an incident, it is closed or escalated, and no effect of it is pending."""
        last = self.last
        return last is not None and last.status in TERMINAL and last.effect is None

    @property
    def mode_in_effect(self) -> Mode:
        """The more restrictive of baseline and override; not as the healer has it."""
        return min(self.mode, self.book.read_mode().mode or self.mode, key=LEAST_FIRST.index)

    def fails_by_variable(self) -> bool:
        """A cause that the remedy takes away."""
        return self.function.variables.get("FAILURE_RATE") != "0"

    def elapse(self) -> None:
        """Let ten seconds pass: traffic, and the alarm that follows it."""
        self.function.settle()
        errors = 30 * self.requests // 100 if self.cause() else 0
        self.traffic(self.requests, errors)
        alarm = self.target.alarms[0].name
        state = self.forced or ("ALARM" if errors >= FAST.min_errors else "OK")
        if self.cloudwatch.states[alarm] != state:
            self.cloudwatch.set(alarm, state, self.now)

    def step(self) -> Decision:
        self.runs.append(len(self.tap.calls))
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

    def run(self, ticks: int) -> list[Decision | Exception | DiedError]:
        """Let time pass; return how the runs ended."""
        return [self.tick() for _ in range(ticks)]

    def tick(self) -> Decision | Exception | DiedError:
        self.elapse()
        return self.attempt()

    def _took_effect(self, name: str, arguments: dict[str, Any], before: Values) -> None:
        if name == "invoke":
            assert self.incident.effect is Effect.PROBE, "a probe without a recorded intent"
            assert self.mode_in_effect is not Mode.OBSERVE, "probed in observe"
        if name not in ACTS:
            return
        incident = self.incident
        effect, plan = incident.effect, incident.plan
        assert effect in {Effect.APPLY, Effect.REVERT}, "an act without a recorded intent"
        assert effect is not None
        assert plan is not None
        value = plan.after if effect is Effect.APPLY else plan.before
        assert self.live().get(str(plan.key)) == value, "an act that is not the recorded one"
        if name == "put_item":
            assert arguments["Item"]["pk"] == {"S": f"override#{self.target.name}"}
        elif name == "update_item":
            assert arguments["Key"]["pk"] == {"S": f"breaker#{plan.setting}"}
        elif name != "update_event_source_mapping":
            assert arguments["FunctionName"] == self.target.function, "an act on what is no target"
        in_alarm = "ALARM" in self.cloudwatch.states.values()
        was = before.get(str(plan.key))
        remedy, actual = self.target.remedy_of(plan.key), self.now - self.skew
        modes = self.mode_in_effect, self.mode
        self.acts.append(Act(actual, effect, incident, was, *modes, in_alarm, remedy))

    def applies(self) -> list[Act]:
        return [act for act in self.acts if act.effect is Effect.APPLY]

    def reverts(self) -> list[Act]:
        return [act for act in self.acts if act.effect is Effect.REVERT]

    def moments(self) -> list[int]:
        """Number the calls that are worth a fault; a run that only reads, like the one before, is not."""
        found, earlier = list[int](), list[str]()
        for begin, end in zip(self.runs, [*self.runs[1:], len(self.tap.calls)], strict=True):
            names = [name for name, _ in self.tap.calls[begin:end]]
            if names != earlier or not set(names).isdisjoint(WRITES):
                found += range(begin, end)
            earlier = names
        return found
