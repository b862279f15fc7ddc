"""The picture as data: its JSON form, and how each part is made of what AWS answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident_fields import Standing, Transition
from selfheal.functions.healer.states import Status
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.window import Count, bucket_of
from selfheal.functions.shared.contract import SCHEMA
from selfheal.functions.status.picture import (
    MOST_INCIDENTS,
    MOST_STEPS,
    AlarmNow,
    LettersNow,
    Picture,
    QueueNow,
    age_seconds,
    alarm_now,
    budget_now,
    circuit_now,
    incidents_now,
    letters_now,
    queue_now,
    targets_now,
    without_arns,
)
from tests.functions.status.incidents import PLAN, incident, item

NOW = datetime(2026, 11, 21, 3, 12, 45, 120000, UTC)
EXAMPLE = Path(__file__).parent / "example.json"


def full() -> Picture:
    """Return a picture in which no part is missing."""
    alarm = AlarmNow("fast", "ALARM", iso(NOW), "1 of 1")
    forced = Circuit("bank").force(
        Forced(State.OPEN, "ann", "moves", NOW.timestamp() + 9), NOW.timestamp(), BreakerSettings()
    )
    return Picture(
        iso(NOW),
        "act",
        "act",
        targets_now({"billing": ["fast"]}, {"fast": alarm})[0],
        incidents_now([item(incident())])[0],
        budget_now([iso(NOW)], 12, NOW),
        (circuit_now(forced, NOW),),
        (QueueNow("intake", 3, 2, 1),),
        (LettersNow("bus", 2),),
        ("could not read the circuit bank: AccessDenied",),
    )


def keys(document: Any, at: str = "") -> set[str]:
    """Return the paths of a document's keys; entries of a list have one path."""
    if isinstance(document, dict):
        return {f"{at}.{key}" for key in document} | {
            path for key, value in document.items() for path in keys(value, f"{at}.{key}")
        }
    return {path for each in document for path in keys(each, at)} if isinstance(document, list) else set()


def test_the_example_has_exactly_the_keys_that_a_picture_has() -> None:
    """The example is what the page and its tests are built on."""
    assert keys(json.loads(EXAMPLE.read_text())) == keys(json.loads(json.dumps(full().to_json())))


def test_a_picture_of_nothing_has_nulls_and_empty_lists() -> None:
    assert Picture("2026-11-21T03:12:45.120Z").to_json() == {
        "at": "2026-11-21T03:12:45.120Z",
        "stack": {"mode": None, "baseline": None},
        **{key: [] for key in ("targets", "incidents", "circuits", "queues", "dead_letters", "problems")},
        "budget": None,
    }


def test_an_incident_is_told_with_its_remedy_and_history() -> None:
    [found], problems = incidents_now([item(incident())])
    assert problems == []
    assert found.to_json() == {
        "id": "billing-2026-11-21T03:10:05.000Z",
        "target": "billing",
        "status": "VERIFYING",
        "reason": "collecting-evidence",
        "means": "Requests since the change are counted, until they show whether it helped.",
        "open": True,
        "opened_at": "2026-11-21T03:10:05.000Z",
        "closed_at": None,
        "remedy": "environment:FAILURE_RATE 0.3 → 0",
        "drift": False,
        "steps": 1,
        "history": [{"at": "2026-11-21T03:10:06.000Z", "from": "OPEN", "to": "ACTING", "reason": "applied"}],
    }


def test_open_incidents_come_first_and_then_the_newest_and_there_are_not_too_many() -> None:
    closed = [
        incident(Status.RECOVERED, "intake", opened_at=f"2026-11-{day:02}T03:10:05.000Z")
        for day in range(1, 29)
    ]
    items = [
        *(item(each, closed=True) for each in closed),
        item(incident(opened_at="2026-10-01T03:10:05.000Z")),
    ]
    found, _ = incidents_now(items)
    assert len(found) == MOST_INCIDENTS == 20
    assert found[0].target == "billing"
    assert [each.opened_at[8:10] for each in found[1:4]] == ["28", "27", "26"]


def test_nothing_that_needs_somebody_is_left_out_and_the_escalated_come_first() -> None:
    standing = Standing(PLAN, "2026-11-21T03:10:07.000Z")
    day = "2026-11-{:02}T03:10:05.000Z".format
    drift = incident(Status.RECOVERED, "drifts", standing=(standing,), opened_at=day(1), closed_at=day(1))
    many = [
        *(incident(target=f"target-{number}", opened_at=day(number)) for number in range(2, 27)),
        incident(Status.ESCALATED, "escalated", opened_at=day(2)),
        drift,
    ]
    closed = item(incident(Status.RECOVERED, "closed", opened_at=day(28)), closed=True)
    found, _ = incidents_now([*map(item, many), closed])
    assert [each.target for each in found[:2]] == ["escalated", "target-26"]
    assert [each.target for each in found[-2:]] == ["target-2", "drifts"]
    assert len(found) == len(many)


def test_of_a_long_history_the_last_steps_are_told_and_how_many_there_were() -> None:
    lines = tuple(Transition(f"2026-11-21T03:{each:02}:00.000Z", "OPEN", "OPEN", "x") for each in range(50))
    [found], _ = incidents_now([item(incident(history=lines, transitions=312))])
    assert (found.steps, len(found.history)) == (312, MOST_STEPS)
    assert found.history[-1].at == lines[-1].at


def test_drift_is_what_stands_on_the_last_incident_and_was_not_accepted() -> None:
    standing = Standing(PLAN, "2026-11-21T03:10:07.000Z")
    over = incident(Status.RECOVERED, standing=(standing,), closed_at="2026-11-21T03:12:00.000Z")
    # The copy is as the incident was when it closed, and the current one as it is.
    for now, drift in (
        (over, True),
        (replace(over, standing=(replace(standing, accepted=True),)), False),
        (replace(over, standing=()), False),
        (replace(over, status=Status.VERIFYING), False),
    ):
        [found], _ = incidents_now([item(now), item(over, closed=True)])
        assert found.drift is drift, now
    [alone], _ = incidents_now([item(over, closed=True)])
    assert not alone.drift, "a newer incident of the target says what stands"


def test_what_another_version_wrote_is_a_problem_and_hides_no_other() -> None:
    later = item(incident()) | {"schema": {"N": str(SCHEMA + 1)}}
    strange = item(incident(target="intake")) | {"status": {"S": "WONDERING"}}
    found, problems = incidents_now([later, strange, item(incident(target="fulfilment"))])
    assert [each.target for each in found] == ["fulfilment"]
    assert "target#billing/incident is of schema 3" in problems[0]
    assert "target#intake/incident is damaged: 'WONDERING' is not a valid Status" in problems[1]


def test_an_alarm_that_is_not_there_is_a_problem_and_never_ok() -> None:
    since = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    alarm = alarm_now(
        {
            "AlarmName": "fast",
            "StateValue": "ALARM",
            "StateReason": "1 of 1",
            "StateUpdatedTimestamp": NOW,
            "StateTransitionedTimestamp": since,
        }
    )
    assert alarm == AlarmNow("fast", "ALARM", "2026-11-21T03:00:00.000Z", "1 of 1")
    [target], problems = targets_now({"billing": ["fast", "slow"]}, {"fast": alarm})
    assert target.alarms == (alarm, AlarmNow("slow", None, None, None))
    assert problems == ["the alarm slow of target billing does not exist: deploy the stack again"]


def test_the_budget_counts_what_was_done_within_a_day() -> None:
    acts = [iso(NOW - timedelta(hours=hours)) for hours in (30, 25, 23, 1)]
    assert (budget_now(acts, 12, NOW).used, budget_now(acts, None, NOW).limit) == (2, None)


def test_a_circuit_is_told_with_its_next_probe_only_while_it_is_open() -> None:
    now = NOW.timestamp()
    nothing = circuit_now(Circuit("bank"), NOW)
    assert (nothing.state, nothing.at_rest, nothing.since, nothing.next_probe_at) == (
        "closed",
        True,
        None,
        None,
    )
    opened = circuit_now(Circuit("bank").opened(now - 2, 0.0, BreakerSettings()), NOW)
    assert (opened.state, opened.openings) == ("open", 1)
    assert (opened.since, opened.next_probe_at) == ("2026-11-21T03:12:43.120Z", "2026-11-21T03:12:48.120Z")
    slow = circuit_now(Circuit("bank", limit=2, changed_at=now), NOW)
    assert (slow.state, slow.at_rest) == ("closed", False)
    counted = Circuit("bank", buckets={bucket_of(now) - 1: Count(10, 4), bucket_of(now) - 60: Count(99, 99)})
    assert (circuit_now(counted, NOW).calls, circuit_now(counted, NOW).failures) == (10, 4)


def test_what_a_person_forced_is_told_until_it_ends() -> None:
    now, ann = NOW.timestamp(), "arn:aws:iam::123456789012:user/ann"
    forced = Circuit("bank").force(Forced(State.OPEN, ann, "moves", now + 60), now, BreakerSettings())
    told = circuit_now(forced, NOW).forced
    assert told is not None
    assert (told.state, told.by, told.why, told.until) == ("open", ann, "moves", "2026-11-21T03:13:45.120Z")
    assert circuit_now(forced, NOW + timedelta(seconds=61)).forced is None


def test_letters_that_somebody_looks_at_are_counted() -> None:
    attributes = {
        "ApproximateNumberOfMessages": "3",
        "ApproximateNumberOfMessagesNotVisible": "2",
        "ApproximateNumberOfMessagesDelayed": "1",
    }
    assert queue_now("intake", attributes) == QueueNow("intake", 3, 2, 1)
    assert letters_now("bus", attributes) == LettersNow("bus", 6)


@pytest.mark.parametrize(
    ("moment", "seconds"), [("2026-11-21T03:12:40.120Z", 5), ("2026-11-21T03:13:00.000Z", 0)]
)
def test_the_age_of_what_is_yet_to_come_is_0(moment: str, seconds: float) -> None:
    assert age_seconds(moment, iso(NOW)) == pytest.approx(seconds)


def test_callers_see_no_account_and_no_role() -> None:
    said = {
        "by": "arn:aws:sts::123456789012:assumed-role/Operator/ann",
        "problems": [
            "AccessDenied User: arn:aws-us-gov:iam::1:role/status is not authorized on arn:aws:sqs:r:1:q"
        ],
        "openings": 2,
        "at": None,
    }
    assert without_arns(said) == {
        "by": "ann",
        "problems": ["AccessDenied User: status is not authorized on q"],
        "openings": 2,
        "at": None,
    }
