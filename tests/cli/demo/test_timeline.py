"""Moments and counts, derived from a recording."""

from dataclasses import replace

from selfheal.cli.demo.model import AlarmChange, MomentKey, Rates, Recording, Sample
from selfheal.cli.demo.timeline import buckets, counts, evidence_text, remedy, same_rate, timeline
from selfheal.functions.healer.incident import Evidence
from selfheal.functions.healer.words import Status
from tests.support.recordings import incident, recording


def keys(made: Recording) -> list[MomentKey]:
    return [moment.key for moment in timeline(made)]


def test_a_healed_run_has_every_moment_in_the_order_of_time() -> None:
    moments = timeline(recording())
    assert [moment.key for moment in moments] == [
        MomentKey.DEPLOYED,
        MomentKey.FIRST_ERROR,
        MomentKey.ALARM,
        MomentKey.ACT,
        MomentKey.LAST_ERROR,
        MomentKey.ALARM_OK,
        MomentKey.RECOVERED,
        MomentKey.ERRORS_AGAIN,
        MomentKey.BASELINE_RESTORED,
    ]
    seconds = [moment.seconds for moment in moments]
    assert seconds == sorted(seconds)
    act = next(moment for moment in moments if moment.key is MomentKey.ACT)
    assert (act.seconds, act.at) == (21.0, "2026-11-21T09:40:21.000Z")
    assert act.detail == "FAILURE_RATE 0.3 → 0; intent recorded at 20.4 s"


def test_without_an_incident_there_is_neither_act_nor_last_error_nor_recovery() -> None:
    found = keys(recording(incident=None, restore=None))
    assert found == [MomentKey.DEPLOYED, MomentKey.FIRST_ERROR, MomentKey.ALARM, MomentKey.ALARM_OK]


def test_an_incident_that_verifies_is_not_recovered() -> None:
    made = recording(incident=incident(status=Status.VERIFYING, closed_at=None), restore=None)
    assert MomentKey.RECOVERED not in keys(made)
    assert MomentKey.ACT in keys(made)


def test_the_alarm_is_the_one_that_the_ledger_names() -> None:
    changes = (
        AlarmChange("other", "ALARM", 3.0, ""),
        AlarmChange("other", "OK", 9.0, ""),
        AlarmChange("fragile-fast", "ALARM", 20.0, ""),
    )
    moments = {moment.key: moment for moment in timeline(recording(alarm_changes=changes))}
    assert moments[MomentKey.ALARM].seconds == 20.0
    assert MomentKey.ALARM_OK not in moments


def test_the_baseline_is_restored_only_if_the_live_rate_says_so() -> None:
    made = recording(rates=Rates(baseline="0.3", deployed="0.3", healed="0", restored="0"))
    assert MomentKey.BASELINE_RESTORED not in keys(made)


def test_requests_are_counted_by_when_they_were_sent() -> None:
    samples = tuple(
        Sample(sent, sent + 3, status)
        for sent, status in (
            (1.0, 502),
            (20.9, 502),
            (21.0, 502),
            (22.9, 200),
            (23.0, 200),
            (44.9, None),
            (45.0, 502),
        )
    )
    counted = counts(recording(samples=samples))
    assert (counted.before_act.requests, counted.before_act.errors) == (2, 2)
    assert (counted.settling.requests, counted.settling.errors) == (2, 1)
    assert (counted.after_act.requests, counted.after_act.errors) == (2, 1)
    assert (counted.after_restore.requests, counted.after_restore.errors) == (1, 1)
    assert counted.total.requests == len(samples)


def test_without_an_act_every_request_is_before_it() -> None:
    made = recording(incident=None)
    assert counts(made).before_act.requests == len(made.samples)


def test_an_answer_below_500_is_no_error() -> None:
    assert [Sample(0, 1, status).failed for status in (200, 404, 429, 500, 502, None)] == [
        False,
        False,
        False,
        True,
        True,
        True,
    ]


def test_buckets_cover_the_whole_time_even_where_nothing_was_sent() -> None:
    made = (Sample(0.0, 0.1, 200), Sample(0.9, 1.2, 502), Sample(3.0, 3.1, 200))
    assert [(b.requests, b.errors) for b in buckets(made, 1.0, 4.0)] == [
        (2, 1),
        (0, 0),
        (0, 0),
        (1, 0),
        (0, 0),
    ]


def test_evidence_needs_requests() -> None:
    none = Evidence("", requests=0, errors=0, verdict="")
    texts = [evidence_text(one) for one in (incident(), incident(evidence=none), incident(evidence=None))]
    assert texts == ["0 errors in 158 requests after the act", None, None]


def test_the_remedy_is_named_with_both_values() -> None:
    assert remedy(incident()) == "FAILURE_RATE 0.3 → 0"
    assert remedy(incident(plan=None)) == "—"


def test_rates_are_compared_as_numbers() -> None:
    assert same_rate("0.30", "0.3")
    assert not same_rate("0.3", "0")
    assert not same_rate(None, None)
    assert not same_rate("abc", "abc")


def test_a_time_of_the_ledger_becomes_seconds_since_traffic_began() -> None:
    made = recording()
    assert made.since_began("2026-11-21T09:40:10.123Z") == 10.123
    assert replace(made).since_began("2026-11-21T09:39:59Z") == -1
