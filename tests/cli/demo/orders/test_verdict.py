"""What a run of the orders service claims is judged by what was recorded, and by nothing else."""

import re
from dataclasses import replace
from typing import Any

import pytest

from selfheal.cli.demo.model import AlarmChange, Sample
from selfheal.cli.demo.orders.model import CircuitChange, Fate, Outage, order_id
from selfheal.cli.demo.orders.verdict import (
    OPEN_SHARE,
    claims,
    failures,
    needed_calls,
    open_calls,
    usual_calls,
)
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.healer.incident_fields import Evidence
from selfheal.functions.healer.states import Status
from selfheal.functions.orders.order import State
from selfheal.functions.shared.breaker.circuit import State as CircuitState
from tests.cli.orders_recordings import (
    ALARM,
    BAD,
    END,
    MENDED,
    OPENED,
    OUT,
    call,
    calls,
    fates,
    incident,
    keys,
    recording,
    samples,
)


def test_a_run_in_which_everything_held() -> None:
    assert failures(recording()) == []
    assert len(claims(recording())) == 18


REST = recording().circuit[-1]
FORCED = replace(incident(), id="billing-1", target="billing", status=Status.VERIFYING)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"samples": (), "fates": (), "calls": (), "effects": 0},
            "answered with 202): claimed was at least 1",
        ),
        (
            {"samples": (*samples(), Sample(50.0, 50.1, 503, 9999))},
            "refused or left unanswered: claimed was 0, seen was 1",
        ),
        ({"samples": (*samples(), Sample(50.0, 56.0, None, 9999))}, "refused or left unanswered"),
        (
            {"fates": fates()[:-1]},
            "were lost: stored, and neither fulfilled nor dead: claimed was 0, seen was 1",
        ),
        (
            {"fates": (*fates()[:-1], replace(fates()[-1], state=State.ATTEMPTED, fulfilled=None))},
            "were lost: stored, and neither",
        ),
        (
            {"fates": (*fates()[:-1], Fate(order_id(415), State.DEAD, "billing: 503", None, ()))},
            "given up as dead: claimed was 0, seen was 1",
        ),
        ({"letters": {"intake": 2, "bus": 1}}, "dead letters: claimed was 0, seen was 3"),
        ({"effects": 2 * len(samples()) + 1}, "effects that the downstream counted"),
        (
            {"calls": (*calls(), call(60.0, keys(7)[0], Outcome.EFFECT))},
            "happened twice, by the downstream's log: claimed was 0, seen was 1",
        ),
        ({"calls": calls()[:-1]}, "work that counts as done without an effect"),
        (
            {"circuit": (CircuitChange(0.0, CircuitState.CLOSED, at_rest=True),)},
            "the circuit opened in the outage",
        ),
        (
            {"circuit": (CircuitChange(OUT - 5, CircuitState.OPEN, at_rest=False),)},
            "the circuit opened in the outage: claimed was yes, seen was no",
        ),
        (
            {
                "calls": (
                    *calls(),
                    *(call(OPENED + 2 + number / 4, "", Outcome.UNAVAILABLE) for number in range(20)),
                )
            },
            "let through while open",
        ),
        (
            {"circuit": recording().circuit[:-1]},
            "closed at full concurrency again: claimed was yes, seen was no",
        ),
        (
            {"circuit": (*recording().circuit, CircuitChange(90.0, CircuitState.OPEN, at_rest=False))},
            "closed at full concurrency again",
        ),
        ({"outage": Outage(OUT)}, "the backlog is drained: claimed was yes, seen was no"),
        ({"alarm_changes": ()}, "an alarm of intake rang because of the bad version"),
        (
            {"alarm_changes": (AlarmChange(ALARM, "ALARM", BAD - 3, "earlier"),)},
            "an alarm of intake rang because of the bad version",
        ),
        ({"incidents": ()}, "the healer rolled back: claimed was version 2 to 1, seen was nothing"),
        ({"incidents": (incident(acted_at=None),)}, "seen was nothing"),
        ({"alias_at_end": "2"}, "the alias points to: claimed was version 1, seen was version 2"),
        ({"incidents": (incident(status=Status.VERIFYING),)}, "claimed was RECOVERED, seen was VERIFYING"),
        (
            {"incidents": (incident(evidence=None),)},
            "evidence since the act: claimed was healthy, seen was none",
        ),
        (
            {"incidents": (incident(evidence=Evidence("", 0, 0, "healthy")),)},
            "claimed was healthy, seen was none",
        ),
        ({"incidents": (incident(evidence=Evidence("", 9, 0, "undecided")),)}, "seen was undecided"),
        ({"incidents": (FORCED, incident())}, "changes by the healer in all"),
        ({"stopped_because": "not within 300 s: the circuit opened"}, "not within 300 s"),
        ({"bad": None, "bad_at": None}, "an alarm of intake rang because of the bad version"),
    ],
)
def test_what_was_not_seen_did_not_happen(changes: dict[str, Any], words: str) -> None:
    found = failures(recording(**changes))
    assert any(words in reason for reason in found), found


def test_a_run_that_does_not_wait_for_the_end_claims_nothing_of_the_evidence() -> None:
    verifying = incident(status=Status.VERIFYING, closed_at=None, evidence=None)
    assert failures(recording(until_closed=False, incidents=(verifying,))) == []
    assert failures(recording(until_closed=False)) == []


def test_a_run_that_does_not_wait_for_the_end_fails_if_the_healer_gave_up() -> None:
    given_up = incident(status=Status.ESCALATED, closed_at=None)
    [reason] = failures(recording(until_closed=False, incidents=(given_up,)))
    assert reason.endswith("claimed was VERIFYING or RECOVERED, seen was ESCALATED")


def test_an_incident_without_a_change_is_no_failure() -> None:
    """The outage made an alarm ring, and the healer left it to the breaker."""
    left = replace(
        incident(), id="fulfilment-1", target="fulfilment", status=Status.OPEN, acts=0, acted_at=None
    )
    assert failures(recording(incidents=(left, incident()))) == []


def test_the_rate_of_calls_while_open_leaves_out_what_was_under_way() -> None:
    under_way = [call(OPENED + 0.5, "", Outcome.UNAVAILABLE)] * 30
    made = recording(calls=(*calls(), *under_way))
    assert open_calls(made) == pytest.approx(1 / (MENDED - OPENED - 1))
    assert usual_calls(made) == pytest.approx(7.2)  # 8 a second, of which the first half second has none
    assert usual_calls(recording(outage=None)) is None
    assert needed_calls(made) == pytest.approx(8, rel=0.1)
    assert open_calls(recording(outage=None)) is needed_calls(recording(outage=None)) is None


def test_the_orders_that_started_it_up_are_counted_apart() -> None:
    first = tuple(Fate(f"first-{number:05}", State.FULFILLED, "", 0.0, ()) for number in range(17))
    made = recording(fates=(*first, *fates()), effects=2 * (17 + len(samples())))
    assert (
        "yes  effects that the downstream counted: one for each consumer of 416 fulfilled orders, and of 17 "
        "that started it up: 866"
    ) in [each.line for each in claims(made)]


def test_a_line_says_what_was_seen_once_and_with_its_limit() -> None:
    lines = [each.line for each in claims(recording())]
    assert "yes  the circuit opened in the outage" in lines
    [rate] = [each for each in lines if "let through while open" in each]
    assert re.search(r"need: 0\.\d+, at most 0\.8\d*$", rate), rate
    assert "yes  the alias points to: version 1" in lines
    closed = recording(circuit=(CircuitChange(0.0, CircuitState.CLOSED, at_rest=True),))
    assert "NO   the circuit opened in the outage" in [each.line for each in claims(closed)]


def test_few_calls_before_the_outage_are_no_failure() -> None:
    """A busy machine: consumers did hardly anything before the downstream went out."""
    called_at = recording().called_at
    idle = tuple(each for each in calls() if not OUT - 10 < called_at(each) < OUT)
    made = recording(calls=idle)
    assert (usual_calls(made) or 0) * OPEN_SHARE < (open_calls(made) or 0)
    assert not [each for each in failures(made) if "while open" in each]


def test_a_stored_order_is_one_that_was_answered_with_202() -> None:
    """What had another answer may or may not be there: it is not counted as lost."""
    unanswered = Sample(END - 8, END - 2, None, 9999)
    reasons = failures(recording(samples=(*samples(), unanswered)))
    assert len(reasons) == 1
    assert "left unanswered" in reasons[0]
