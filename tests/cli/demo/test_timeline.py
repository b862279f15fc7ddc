"""Moments and counts, derived from a recording."""

from typing import Any

import pytest

from selfheal.cli.demo.model import AlarmChange, MomentKey, Rates, Sample
from selfheal.cli.demo.timeline import buckets, counts, evidence_text, remedy, same_rate, timeline
from selfheal.functions.healer.incident_fields import Evidence
from selfheal.functions.healer.states import Status
from tests.cli.recordings import incident, recording

HEALED = "deployed first_error alarm act last_error alarm_ok recovered errors_again baseline_restored"
VERIFYING = incident(status=Status.VERIFYING, closed_at=None)
OTHER_ALARM = (AlarmChange("other", "ALARM", 3.0, ""), AlarmChange("other", "OK", 9.0, ""))
STILL_LOW = Rates(baseline="0.3", deployed="0.3", healed="0", restored="0")


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, HEALED),
        ({"incident": None, "restore": None}, "deployed first_error alarm alarm_ok"),
        ({"incident": VERIFYING, "restore": None}, "deployed first_error alarm act alarm_ok last_error"),
        # The alarm is the one that the ledger names.
        ({"alarm_changes": OTHER_ALARM}, HEALED.replace("alarm ", "").replace("alarm_ok ", "")),
        # The baseline is restored only if the live rate says so.
        ({"rates": STILL_LOW}, HEALED.removesuffix(" baseline_restored")),
    ],
)
def test_a_run_has_the_moments_that_happened_in_the_order_of_time(changes: dict[str, Any], keys: str) -> None:
    moments = timeline(recording(**changes))
    assert [moment.key for moment in moments] == keys.split()
    seconds = [moment.seconds for moment in moments]
    assert seconds == sorted(seconds)


def test_an_act_has_its_time_its_change_and_the_intent_before_it() -> None:
    (act,) = [moment for moment in timeline(recording()) if moment.key is MomentKey.ACT]
    assert (act.seconds, act.at) == (21.0, "2026-11-21T09:40:21.000Z")
    assert act.detail == "FAILURE_RATE 0.3 → 0; intent recorded at 20.4 s"


def test_requests_are_counted_by_when_they_were_sent() -> None:
    sent = {1.0: 502, 20.9: 502, 21.0: 502, 22.9: 200, 23.0: 200, 44.9: None, 45.0: 502}
    samples = tuple(Sample(at, at + 3, status) for at, status in sent.items())
    counted = counts(recording(samples=samples))
    phases = (counted.before_act, counted.settling, counted.after_act, counted.after_restore, counted.total)
    found = [(phase.requests, phase.errors) for phase in phases]
    assert found == [(2, 2), (2, 1), (2, 1), (1, 1), (7, 5)]


def test_without_an_act_every_request_is_before_it() -> None:
    made = recording(incident=None)
    assert counts(made).before_act.requests == counts(made).total.requests == len(made.samples)


def test_an_answer_below_500_is_no_error() -> None:
    failed = [Sample(0, 1, status).failed for status in (200, 404, 429, 500, 502, None)]
    assert failed == [False, False, False, True, True, True]


def test_buckets_cover_the_whole_time_even_where_nothing_was_sent() -> None:
    made = (Sample(0.0, 0.1, 200), Sample(0.9, 1.2, 502), Sample(3.0, 3.1, 200))
    found = [(bucket.requests, bucket.errors) for bucket in buckets(made, 1.0, 4.0)]
    assert found == [(2, 1), (0, 0), (0, 0), (1, 0), (0, 0)]


def test_evidence_needs_requests() -> None:
    none = Evidence("", requests=0, errors=0, verdict="")
    texts = [evidence_text(one) for one in (incident(), incident(evidence=none), incident(evidence=None))]
    assert texts == ["0 errors in 158 requests after the act", None, None]


def test_the_remedy_is_named_with_both_values() -> None:
    shown = [remedy(one) for one in (incident(), incident(plan=None), None)]
    assert shown == ["FAILURE_RATE 0.3 → 0", "—", "—"]


def test_rates_are_compared_as_numbers() -> None:
    pairs = (("0.30", "0.3"), ("0.3", "0"), (None, None), ("abc", "abc"))
    assert [same_rate(*pair) for pair in pairs] == [True, False, False, False]


def test_a_time_of_the_ledger_becomes_seconds_since_traffic_began() -> None:
    times = ("2026-11-21T09:40:10.123Z", "2026-11-21T09:39:59Z")
    assert [recording().since_began(time) for time in times] == [10.123, -1]
