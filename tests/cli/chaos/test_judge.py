"""The verdict on a run, when its fault must be ended, and when nothing may be broken."""

from typing import Any

import pytest

from selfheal.cli.chaos.judge import (
    Answer,
    Verdict,
    all_decided,
    answer,
    judge,
    not_at_rest,
    not_steady,
    stop_reason,
)
from selfheal.cli.chaos.measures import Reading
from selfheal.functions.status.picture import ForcedNow
from selfheal.scenarios.scenario import Bound
from tests.cli.chaos.support import (
    CIRCUIT,
    OPEN,
    by_key,
    incident,
    look,
    order,
    picture,
    put,
    recording,
    replace,
    scenario,
)

HOLDS = Bound("accepted_share", at_least=1)
FAILS = Bound("lost_orders", at_least=1)
UNKNOWN = Bound("repeated_effects", at_most=0)


@pytest.mark.parametrize(
    ("hypothesis", "changes", "verdict"),
    [
        ((HOLDS,), {}, Verdict.HOLDS),
        ((HOLDS, FAILS), {}, Verdict.FAILS),
        ((HOLDS, UNKNOWN), {}, Verdict.INCONCLUSIVE),
        ((HOLDS, UNKNOWN, FAILS), {}, Verdict.FAILS),
        ((HOLDS,), {"stopped": "an alarm"}, Verdict.STOPPED),
        ((HOLDS, FAILS), {"stopped": "an alarm"}, Verdict.STOPPED),
        ((HOLDS,), {"fault_began": None, "not_started": "no"}, Verdict.NOT_STARTED),
    ],
)
def test_the_verdict(hypothesis: Any, changes: dict[str, Any], verdict: Verdict) -> None:
    made = recording(scenario=scenario(*hypothesis), calls=None, **changes)
    found, findings = judge(made)
    assert found is verdict
    assert [each.bound for each in findings] == list(hypothesis)


@pytest.mark.parametrize(
    ("bound", "reading", "expected"),
    [
        (Bound("m", at_most=5), Reading(5), Answer.HOLDS),
        (Bound("m", at_most=5), Reading(5.1), Answer.FAILS),
        (Bound("m", at_least=5), Reading(5), Answer.HOLDS),
        (Bound("m", at_least=5), Reading(4.9), Answer.FAILS),
        (Bound("m", at_most=5), Reading(None, "not read"), Answer.UNKNOWN),
        # Of a value that was still growing when nobody looked any more:
        (Bound("m", at_most=5), Reading(4, least=True), Answer.UNKNOWN),
        (Bound("m", at_most=5), Reading(6, least=True), Answer.FAILS),
        (Bound("m", at_least=5), Reading(6, least=True), Answer.HOLDS),
        (Bound("m", at_least=5), Reading(4, least=True), Answer.UNKNOWN),
    ],
)
def test_a_bound_on_a_reading(bound: Bound, reading: Reading, expected: Answer) -> None:
    assert answer(bound, reading) is expected


def test_the_fault_is_ended_by_the_first_bound_that_holds() -> None:
    made = scenario(stop_when=(Bound("dead_orders", at_least=2), Bound("accepted_share", at_most=0.9)))
    assert stop_reason(recording(scenario=made)) == ""
    dead = by_key(order(0, dead=12), order(1, dead=13))
    assert stop_reason(recording(scenario=made, orders=dead)) == "dead_orders at least 2: it is 2"
    # What cannot be told stops nothing: the verdict will be that it is not known.
    assert stop_reason(recording(scenario=made, puts=(put(0, 1, 500),))) == ""


def test_a_run_is_over_when_all_is_settled_and_what_comes_late_is_well() -> None:
    assert all_decided(recording())
    assert all_decided(recording(scenario=scenario(FAILS)))  # waiting changes nothing of that
    assert not all_decided(recording(orders=by_key(order(0, done=1))))
    rest = scenario(Bound("circuit_at_rest_at_end", at_least=1))
    assert not all_decided(recording(scenario=rest, looks=(look(0), look(40, OPEN))))
    assert all_decided(recording(scenario=rest))


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (picture(), ""),
        (picture(OPEN), "the circuit orders-downstream is not at rest"),
        (
            picture(replace(CIRCUIT, forced=ForcedNow("closed", "ann", "drill", "later"))),
            "forced closed by ann",
        ),
        (picture(incidents=(incident(),)), "the incident billing-1 is open"),
        (picture(incidents=(incident(is_open=False),)), ""),
        (picture(problems=("could not read the queue x: no",)), "could not read the queue x"),
    ],
)
def test_no_experiment_begins_on_a_stack_that_is_not_well(now: Any, reason: str) -> None:
    found = not_at_rest(now)
    assert reason in found
    assert bool(found) is bool(reason)


def test_an_open_incident_is_shown_in_its_own_stack() -> None:
    found = not_at_rest(picture(incidents=(incident(),)), " --stack orders")
    assert found.endswith("; see `selfheal incidents show billing-1 --stack orders`")
    looks = (look(0), replace(look(9), picture=picture(incidents=(incident(),))))
    assert not_steady(recording(**BEFORE, looks=looks), " --stack orders") == found


BEFORE: dict[str, Any] = {"fault_began": None, "fault_ended": None}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"looks": (look(0), look(9, OPEN))}, "not at rest"),
        ({"looks": (look(0), look(9, letters=1))}, "1 letters came before the fault"),
        ({"orders": {}}, "no order was fulfilled before the fault, of 30 sent and 30 accepted"),
        (
            {"puts": tuple(put(n, 1, 500 if n == 3 else 202) for n in range(30))},
            "before the fault accepted_share at least 1 does not hold",
        ),
    ],
)
def test_nothing_is_broken_in_a_state_that_is_not_steady(changes: dict[str, Any], reason: str) -> None:
    found = not_steady(recording(**BEFORE, **changes))
    assert reason in found
    assert bool(found) is bool(reason)


def test_what_the_fault_must_do_is_not_expected_before_it() -> None:
    made = scenario(Bound("openings", at_least=1), Bound("dead_orders", at_least=1))
    assert not_steady(recording(scenario=made, **BEFORE)) == ""
