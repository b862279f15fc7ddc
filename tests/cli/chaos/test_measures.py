"""Each measure of a scenario, on recordings of which its value is known."""

import pytest

from selfheal.cli.chaos.measures import opened_between, take
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.orders.order import effect_key
from selfheal.scenarios.measures import MEASURES
from tests.cli.chaos.support import (
    CIRCUIT,
    EPOCH,
    OPEN,
    by_key,
    incident,
    look,
    order,
    put,
    recording,
    replace,
)


def call(at: float, key: str, outcome: Outcome = Outcome.EFFECT) -> Call:
    return Call(EPOCH + at, key, outcome)


KEY = effect_key(order(3), "billing")
MANY = tuple(put(number, number / 3) for number in range(40))


@pytest.mark.parametrize(
    ("measure", "changes", "expected"),
    [
        ("accepted_share", {}, 1),
        ("accepted_share", {"puts": (*MANY[:19], put(19, 7, 500), put(20, 7, None))}, 19 / 21),
        ("accepted_share", {"puts": MANY[:19]}, None),
        # 38 of 40 took 0.1 s: the 95th percentile is still 0.1, and of 37 no more.
        ("answer_p95_seconds", {"puts": (*MANY[:38], put(38, 13, took=3), put(39, 13, took=3))}, 0.1),
        ("answer_p95_seconds", {"puts": (*MANY[:37], *(put(n, 13, took=3) for n in (37, 38, 39)))}, 3.0),
        ("answer_p95_seconds", {"puts": MANY[:19]}, None),
        ("fulfilled_share", {}, 1),
        ("fulfilled_share", {"orders": by_key(order(0, done=1), order(1, dead=2), order(2))}, 1 / 30),
        ("fulfilled_share", {"puts": (put(0, 0, 500),)}, None),
        ("lost_orders", {}, 0),
        # One is there and not settled, 27 are not there at all.
        ("lost_orders", {"orders": by_key(order(0, done=1), order(1, dead=2), order(2))}, 28),
        # Of a run that was ended nobody knows what would have become of them.
        ("lost_orders", {"orders": by_key(order(0, done=1)), "stopped": "by bob"}, None),
        ("lost_orders", {"orders": by_key(order(0, done=1)), "stopped": "by bob", "fault_ended": None}, None),
        ("lost_orders", {"orders": by_key(order(0, done=1)), "stopped": "by bob", "fault_ended": 10.0}, 29),
        ("lost_orders", {"stopped": "by bob"}, 0),
        ("fulfilled_share", {"orders": by_key(order(0, done=1)), "stopped": "by bob"}, None),
        ("dead_orders", {"orders": by_key(order(0, done=1), order(1, dead=2), order(2, dead=3))}, 2),
        ("new_letters", {"looks": (look(0, letters=4), look(40, letters=9))}, 5),
        ("new_letters", {"looks": (look(0, letters=4), look(40, letters=3))}, None),
        ("new_letters", {"looks": (look(0, letters=4), look(40, letters=None))}, None),
        ("new_letters", {"looks": (look(0, letters=None), look(40, letters=4))}, None),
        ("repeated_effects", {"calls": (call(1, KEY), call(2, KEY, Outcome.DUPLICATE))}, 0),
        ("repeated_effects", {"calls": (call(1, KEY), call(2, KEY), call(3, KEY))}, 2),
        ("repeated_effects", {"calls": (call(1, "another's"), call(2, "another's"))}, 0),
        ("repeated_effects", {"calls": None}, None),
        ("openings", {"looks": (look(0), look(12, OPEN), look(20, OPEN), look(40))}, 1),
        ("openings", {"looks": (look(0), look(12, OPEN), look(20, replace(OPEN, openings=4)))}, 4),
        ("openings", {"looks": ()}, None),
        # The health route has no key, and is no call.
        ("calls_during_fault", {"calls": (call(9, KEY), call(10.5, KEY), call(29, ""), call(31, KEY))}, 1),
        ("calls_during_fault", {"calls": None}, None),
        ("calls_during_fault", {"fault_began": None}, None),
        ("settled_after_seconds", {}, 0),
        ("settled_after_seconds", {"orders": by_key(*(order(n, done=35.5) for n in range(30)))}, 5.5),
        ("settled_after_seconds", {"fault_ended": None}, None),
        ("open_incidents_at_end", {}, 0),
        ("open_incidents_at_end", {"looks": (look(0), look(40, incidents=(incident(),)))}, 1),
        ("open_incidents_at_end", {"looks": (look(0), look(40, incidents=(incident(is_open=False),)))}, 0),
        ("open_incidents_at_end", {"looks": (look(0, problems=("could not read the ledger: no",)),)}, None),
        ("circuit_at_rest_at_end", {}, 1),
        ("circuit_at_rest_at_end", {"looks": (look(0), look(40, CIRCUIT, replace(OPEN, name="x")))}, 0),
    ],
)
def test_a_measure(measure: str, changes: dict[str, object], expected: float | None) -> None:
    reading = take(recording(**changes), measure)
    assert reading.value == (None if expected is None else pytest.approx(expected))
    assert (reading.value is not None) or reading.note


def test_all_measures_that_a_scenario_may_name_are_taken() -> None:
    assert [take(recording(), name).value is not None for name in MEASURES] == [True] * len(MEASURES)


def test_the_time_until_all_is_settled_has_no_end_while_something_is_not() -> None:
    reading = take(recording(orders=by_key(order(0, done=1))), "settled_after_seconds")
    assert (reading.value, reading.least) == (10.0, True)
    assert "29 orders" in reading.note


@pytest.mark.parametrize(
    ("before", "after", "times"),
    [
        (CIRCUIT, CIRCUIT, 0),
        (CIRCUIT, OPEN, 1),
        (OPEN, replace(OPEN, openings=3), 2),
        (replace(CIRCUIT, openings=1), OPEN, 1),  # stable meanwhile: it counts from one again
        (replace(CIRCUIT, openings=5), replace(OPEN, openings=2), 2),
        (replace(OPEN, openings=2), replace(CIRCUIT, openings=2), 0),
        (replace(OPEN, openings=2), replace(OPEN, openings=2), 0),
    ],
)
def test_openings_are_counted_between_two_looks(before: object, after: object, times: int) -> None:
    assert opened_between(before, after) == times  # pyright: ignore[reportArgumentType]
