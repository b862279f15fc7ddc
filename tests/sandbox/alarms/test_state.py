"""Comparison operators, dead-man alarms, late data, and properties that hold for any data."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.sandbox.alarms.alarm import Alarm, Comparison, Metric, Missing
from selfheal.sandbox.alarms.state import State, evaluate

NOW = 1_800_000_000
METRIC = Metric("m1", {"Namespace": "n", "MetricName": "m", "Dimensions": []}, "Sum")
FAST = Alarm(
    name="fast",
    comparison=Comparison.GREATER_OR_EQUAL,
    threshold=1.0,
    period=10,
    evaluation_periods=1,
    datapoints_to_alarm=1,
    missing=Missing.NOT_BREACHING,
    metrics=(METRIC,),
    expressions={},
    watched="m1",
)


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        (Comparison.GREATER, "OK OK ALARM"),
        (Comparison.GREATER_OR_EQUAL, "OK ALARM ALARM"),
        (Comparison.LESS, "ALARM OK OK"),
        (Comparison.LESS_OR_EQUAL, "ALARM ALARM OK"),
    ],
)
def test_comparison_with_a_value_below_at_and_above_the_threshold(
    comparison: Comparison, states: str
) -> None:
    subject = replace(FAST, comparison=comparison)

    found = [evaluate(subject, {NOW - 10: value}, NOW, State.OK).state for value in (0.5, 1.0, 1.5)]

    assert " ".join(found) == states


def test_a_dead_man_alarm_waits_for_the_range_to_empty_and_then_fires() -> None:
    subject = replace(
        FAST,
        comparison=Comparison.LESS,
        missing=Missing.BREACHING,
        period=60,
        evaluation_periods=3,
        datapoints_to_alarm=3,
    )
    seen = {NOW - 60: 5.0}

    states = [evaluate(subject, seen, NOW + 60 * minute, State.OK).state for minute in range(6)]

    assert states == ["OK", "OK", "OK", "OK", "OK", "ALARM"]


def test_a_dead_man_alarm_of_a_service_that_never_ran_fires_at_once() -> None:
    subject = replace(FAST, comparison=Comparison.LESS, missing=Missing.BREACHING)

    assert evaluate(subject, {}, NOW, State.INSUFFICIENT_DATA).state is State.ALARM


def test_a_period_whose_data_is_late_is_not_a_zero() -> None:
    breaching_before = {NOW - 20: 5.0}

    verdict = evaluate(FAST, breaching_before, NOW, State.ALARM)

    assert verdict.state is State.ALARM
    assert [point.start for point in verdict.used] == [NOW - 20]


def test_without_traffic_the_alarm_goes_ok_when_its_last_datapoint_leaves_the_range() -> None:
    data = {NOW - 10: 5.0}

    states = [evaluate(FAST, data, NOW + 10 * step, State.ALARM).state for step in range(4)]

    assert states == ["ALARM", "ALARM", "ALARM", "OK"]


def test_a_period_that_is_not_complete_is_not_looked_at() -> None:
    assert evaluate(FAST, {NOW: 5.0}, NOW + 9.9, State.OK).state is State.OK
    assert evaluate(FAST, {NOW: 5.0}, NOW + 10, State.OK).state is State.ALARM


alarms = st.integers(1, 6).flatmap(
    lambda periods: st.builds(
        replace,
        st.just(FAST),
        comparison=st.sampled_from(Comparison),
        threshold=st.floats(-5, 5),
        period=st.sampled_from([10, 30, 60, 300]),
        evaluation_periods=st.just(periods),
        datapoints_to_alarm=st.integers(1, periods),
        missing=st.sampled_from(Missing),
    )
)
slots = st.lists(st.none() | st.floats(-10, 10), min_size=8, max_size=8)


def laid_out(subject: Alarm, values: list[float | None], now: float = NOW) -> dict[int, float]:
    pairs = zip(reversed(subject.windows(now)), values, strict=False)
    return {start: value for start, value in pairs if value is not None}


@given(alarms, slots, st.sampled_from(State))
def test_with_enough_data_the_treatment_of_missing_data_does_not_matter(
    subject: Alarm, values: list[float | None], previous: State
) -> None:
    data = laid_out(subject, values)
    verdicts = [evaluate(replace(subject, missing=missing), data, NOW, previous) for missing in Missing]

    if verdicts[0].filled == 0:
        assert len({verdict.state for verdict in verdicts}) == 1


@given(alarms, slots, st.sampled_from(State))
def test_breaching_more_never_ends_an_alarm(
    subject: Alarm, values: list[float | None], previous: State
) -> None:
    subject = replace(subject, comparison=Comparison.GREATER)
    before = evaluate(subject, laid_out(subject, values), NOW, previous)
    worse = [None if value is None else 100.0 for value in values]

    if before.state is State.ALARM:
        assert evaluate(subject, laid_out(subject, worse), NOW, previous).state is State.ALARM


@given(alarms, slots, st.sampled_from(State), st.integers(-50, 50))
def test_only_the_age_of_data_matters_not_the_date(
    subject: Alarm, values: list[float | None], previous: State, steps: int
) -> None:
    later = NOW + steps * subject.step
    there = evaluate(subject, laid_out(subject, values, later), later, previous)

    assert there.state is evaluate(subject, laid_out(subject, values), NOW, previous).state


@given(alarms, slots, st.sampled_from(State))
def test_as_many_datapoints_as_evaluation_periods_are_counted(
    subject: Alarm, values: list[float | None], previous: State
) -> None:
    verdict = evaluate(subject, laid_out(subject, values), NOW, previous)

    assert len(verdict.used) + verdict.filled == subject.evaluation_periods
