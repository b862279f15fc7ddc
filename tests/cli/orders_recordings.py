"""A canned run of the demonstration of the orders service, to be bent by tests that want another ending."""

from dataclasses import replace
from typing import Any

from selfheal.cli.demo.model import AlarmChange, Sample
from selfheal.cli.demo.orders.bad_version import BadVersion
from selfheal.cli.demo.orders.model import CircuitChange, Fate, OrdersRecording, Outage, order_id
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Evidence, Plan, Transition
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.orders.order import State
from selfheal.functions.shared.breaker.circuit import State as CircuitState
from selfheal.functions.shared.contract import Mode
from tests.cli.recordings import BEGAN, iso

ALARM = "healer-intake-fast-1a2b3c4"
OUT, OPENED, BAD, ACT, MENDED, RESTED, END = 5.0, 7.5, 8.5, 18.5, 16.0, 60.0, 110.0


def samples() -> tuple[Sample, ...]:
    """Four orders a second, all stored."""
    return tuple(Sample(number / 4, number / 4 + 0.02, 202, number) for number in range(int((END - 6) * 4)))


def fulfilled_at(stored: float) -> float:
    """Return when an order is fulfilled: soon, unless the circuit is not at rest."""
    if OUT <= stored < RESTED:
        return RESTED + (stored - OUT) / 2
    return stored + 0.5


def keys(number: int) -> tuple[str, str]:
    """Idempotency keys of the two calls of an order."""
    return f"fulfilment.{order_id(number)}.x", f"billing.{order_id(number)}.x"


def fates() -> tuple[Fate, ...]:
    """Every order, fulfilled."""
    return tuple(
        Fate(order_id(each.number), State.FULFILLED, "", fulfilled_at(each.done), keys(each.number))
        for each in samples()
    )


def call(at: float, key: str, outcome: Outcome) -> Call:
    """A call, so many seconds after traffic began."""
    return Call(BEGAN.timestamp() + at, key, outcome)


def calls() -> tuple[Call, ...]:
    """Two calls an order; refused between the outage and the opening, and one probe while it was open."""
    made = [call(fate.fulfilled or 0.0, key, Outcome.EFFECT) for fate in fates() for key in fate.keys]
    made += [call(OUT + number / 8, keys(100)[number % 2], Outcome.UNAVAILABLE) for number in range(20)]
    made += [call(OPENED + 5, keys(100)[0], Outcome.UNAVAILABLE)]
    return tuple(sorted(made, key=lambda each: each.at))


def incident(**changes: Any) -> Incident:
    """The recovered incident of the intake; keyword arguments replace fields."""
    made = Incident(
        version=4,
        id="intake-20261121T094015Z",
        target="intake",
        status=Status.RECOVERED,
        mode=Mode.ACT,
        alarm=ALARM,
        opened_at=iso(ACT - 0.2),
        acted_at=iso(ACT),
        closed_at=iso(END - 8),
        reason=Reason.RECOVERED,
        plan=Plan("rollback_alias", "live", "2", "1", "c" * 44, "d" * 64),
        evidence=Evidence(iso(ACT + 10), requests=310, errors=0, verdict="healthy"),
        acts=1,
        attempts=1,
        history=(
            Transition(iso(ACT - 0.2), "OPEN", "ACTING", "alarm-confirmed-by-metrics"),
            Transition(iso(ACT), "ACTING", "VERIFYING", "applied"),
            Transition(iso(END - 8), "VERIFYING", "RECOVERED", "recovered-by-evidence"),
        ),
    )
    return replace(made, **changes)


def recording(**changes: Any) -> OrdersRecording:
    """A run in which everything held; keyword arguments replace fields."""
    fields: dict[str, Any] = {
        "stack": "orders",
        "began": BEGAN,
        "deployed": -6.0,
        "deploy_seconds": 25.0,
        "until_closed": True,
        "samples": samples(),
        "fates": fates(),
        "calls": calls(),
        "effects": 2 * len(samples()),
        "letters": {"intake": 0, "fulfilment": 0},
        "alarm_changes": (
            AlarmChange(ALARM, "ALARM", ACT - 1, "40 errors"),
            AlarmChange(ALARM, "OK", ACT + 15, "no errors"),
        ),
        "circuit": (
            CircuitChange(0.0, CircuitState.CLOSED, at_rest=True),
            CircuitChange(OPENED, CircuitState.OPEN, at_rest=False),
            CircuitChange(OPENED + 5, CircuitState.HALF_OPEN, at_rest=False),
            CircuitChange(OPENED + 6, CircuitState.OPEN, at_rest=False),
            CircuitChange(MENDED + 4, CircuitState.CLOSED, at_rest=False),
            CircuitChange(RESTED, CircuitState.CLOSED, at_rest=True),
        ),
        "incidents": (incident(),),
        "bad": BadVersion("orders-intake-consumer", "live", "1", "2"),
        "bad_at": BAD,
        "alias_at_end": "1",
        "outage": Outage(OUT, MENDED),
        "ended": END,
        "iam_enforced": True,
        "versions": {"pulumi": "3.272.0"},
        "setting": {"traffic": "4 orders/s"},
    } | changes
    return OrdersRecording(**fields)
