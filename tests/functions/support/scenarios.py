"""Incidents from breakdown to end, in a closed loop."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from selfheal.functions.healer.states import Status, Verb
from selfheal.functions.healer.target import Remedy, Target
from selfheal.functions.shared.breaker.circuit import Circuit, State
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.contract import Mode
from tests.functions.support.loop import Loop
from tests.functions.support.remedy_fakes import CALLS_THROUGH, MAPPING
from tests.functions.support.world import FAST, FAST_TARGET, REMEDY, START

OVERRIDE = Remedy("override", "MODE", "safe")
ROLLBACK = Remedy("rollback_alias", "live", None)
LIMIT = Remedy("limit_concurrency", "", "5")
PAUSE = Remedy("pause_consumer", MAPPING, "Disabled", expires_after=120)
FORCE = Remedy("force_breaker", "payments", "open", revert_safe=True, expires_after=120)


def looping(*remedies: Remedy, mode: Mode = Mode.ACT) -> Loop:
    """Return a target that fails until one of its remedies is in place."""
    loop = Loop(replace(FAST_TARGET, remedies=remedies), mode)
    loop.cause = unremedied(loop)
    return loop


def unremedied(loop: Loop) -> Callable[[], bool]:
    """Return a cause that lasts while nothing is changed that a remedy changes."""
    usual = Loop(loop.target).live()
    return lambda: loop.live() == usual


def failing(*remedies: Remedy, mode: Mode = Mode.ACT) -> Loop:
    """Return a target that no remedy helps."""
    loop = Loop(replace(FAST_TARGET, remedies=remedies), mode)
    loop.cause = lambda: True
    return loop


def helped() -> Loop:
    return looping(REMEDY)


def helped_by_override() -> Loop:
    return looping(OVERRIDE)


def helped_by_rollback() -> Loop:
    return looping(ROLLBACK)


def not_helped() -> Loop:
    return failing(REMEDY)


def undone_then_escalated() -> Loop:
    return failing(replace(REMEDY, revert_safe=True))


def limited_in_vain() -> Loop:
    """Undone as well; AWS has no revision of this setting."""
    return failing(replace(LIMIT, revert_safe=True))


def expired() -> Loop:
    """Reverted when it expires; the cause is gone by then."""
    return _passing(replace(REMEDY, expires_after=120))


def paused() -> Loop:
    """Reverted as well; AWS has no revision of this setting."""
    return _passing(PAUSE)


def _passing(remedy: Remedy) -> Loop:
    loop = looping(remedy)
    unless_remedied = loop.cause
    loop.cause = lambda: unless_remedied() and loop.now < START + timedelta(seconds=110)
    return loop


def forced() -> "Guarded":
    """Released when it expires; the dependency is well by then, and the breaker closes the circuit."""
    loop = through_a_circuit(FORCE)
    loop.cause = lambda: loop.now < START + timedelta(seconds=110)
    return loop


def through_a_circuit(*remedies: Remedy) -> "Guarded":
    """Return a target that calls through a circuit. When its breaker probes, the dependency is well."""
    return Guarded(replace(FAST_TARGET, remedies=remedies))


class Guarded(Loop):
    """Beside the healer, the circuit breaker: while the circuit is open nothing is called."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.function.change(**CALLS_THROUGH)
        self.probes_well = True

    @property
    def circuit(self) -> Circuit:
        return self._circuits.read()

    @property
    def _circuits(self) -> Store:
        return Store(self.dynamodb, "circuits", "payments")

    def become(self, circuit: Circuit) -> None:
        """Write the circuit, as the breaker or a person does."""
        written, _ = self._circuits.replace(self.circuit, replace(circuit, version=self.circuit.version + 1))
        assert written

    def elapse(self) -> None:
        circuit, now = self.circuit, time.time()
        if circuit.state is not State.CLOSED and not circuit.forced_now(now) and self.probes_well:
            self.become(replace(circuit, state=State.CLOSED, until=0.0, changed_at=0.0))
        self.requests = 100 if self.circuit.state is State.CLOSED else 0
        super().elapse()


def probed() -> Loop:
    """Callers stop with the act, so only probes give evidence; at this error rate, 27 are enough."""
    rule = replace(FAST, error_rate=0.25)
    loop = Loop(replace(FAST_TARGET, alarms=(rule, *FAST_TARGET.alarms[1:]), probe='{"rawPath": "/health"}'))

    def cause() -> bool:
        loop.requests = 100 if loop.fails_by_variable() else 0
        return loop.fails_by_variable()

    loop.cause = cause
    return loop


def approved() -> Loop:
    loop = Loop(mode=Mode.SUGGEST)

    def cause() -> bool:
        last = loop.last
        if last is not None and last.status is Status.PROPOSED and last.plan and not last.answered:
            loop.ask(Verb.APPROVE, last.plan.digest("shop"))
        return loop.fails_by_variable()

    loop.cause = cause
    return loop


HELPED = (helped, helped_by_override, helped_by_rollback, probed, approved)
UNDONE = (expired, paused, forced)
FAILED = (not_helped, undone_then_escalated, limited_in_vain)
SCENARIOS: dict[str, Callable[[], Loop]] = {each.__name__: each for each in (*HELPED, *UNDONE, *FAILED)}
