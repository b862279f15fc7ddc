"""Alarm and healer make the same of the same data: the alarm's own expressions, and the healer's function."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.components.healing.metrics import AlarmPlan, plans
from selfheal.functions.healer.evidence import Count, breaching, period_of
from selfheal.functions.healer.target import AlarmRule
from selfheal.functions.shared.contract import AlarmKind, Invocation
from selfheal.sandbox.alarms.metric_math import Scope, evaluate
from tests.functions.support.alarm_cases import ERROR_RATE, LAMBDA, MIN_ERRORS, PAIR, Case
from tests.functions.support.world import BACKSTOP, FAST, TARGET

PLANS = {
    (invocation, plan.kind): plan
    for invocation in Invocation
    for plan in plans(instrumented=True, timeout=3, invocation=invocation)
}
CASES = {key: LAMBDA if "Throttles" in plan.series.metrics else PAIR for key, plan in PLANS.items()}
"""Which cases apply to an alarm."""
AT = 7200
ANY = st.none() | st.integers(0, 12) | st.integers(0, 100_000)


def alarm_rings(plan: AlarmPlan, values: Mapping[str, float | None], rate: float = ERROR_RATE) -> bool:
    """Return whether the alarm's expressions reach its threshold in a period with these datapoints."""
    raw = {name.lower(): {} if value is None else {AT: value} for name, value in values.items()}
    expressions = dict(plan.expressions(MIN_ERRORS))
    seen = evaluate("rate", Scope(raw, expressions, [AT], plan.period)).get(AT)
    return seen is not None and seen >= rate


def healer_agrees(plan: AlarmPlan, counted: Count | None, rate: float = ERROR_RATE) -> bool:
    """Return whether the healer finds the rule of that alarm breached."""
    rule = AlarmRule("alarm", plan.kind, plan.period, plan.periods, MIN_ERRORS, rate)
    return counted is not None and breaching(rule, counted)


@pytest.mark.parametrize("case", LAMBDA + PAIR, ids=lambda case: str(case.values))
def test_alarm_and_healer_follow_the_table(case: Case) -> None:
    tried = 0
    for key, cases in CASES.items():
        if case in cases:
            plan = PLANS[key]
            values = dict(zip(plan.series.metrics, case.values, strict=True))
            assert alarm_rings(plan, values) is case.rings, key
            assert period_of(plan.series, values) == case.counted, key
            assert healer_agrees(plan, case.counted) is case.rings, key
            tried += 1
    assert tried in (2, 7)  # backstop and slow with throttles; these without, twice, and three fast ones


def test_the_table_has_every_combination_of_missing_none_and_some() -> None:
    def kinds(cases: tuple[Case, ...]) -> set[tuple[str, ...]]:
        return {
            tuple("missing" if each is None else "some" if each else "0" for each in case.values)
            for case in cases
        }

    for cases, metrics in ((LAMBDA, 3), (PAIR, 2)):
        assert kinds(cases) == set(product(("missing", "0", "some"), repeat=metrics))


@pytest.mark.parametrize(
    "key", [(Invocation.SYNCHRONOUS, AlarmKind.SLOW), (Invocation.QUEUED, AlarmKind.FAST)]
)
@settings(deadline=None)  # the machine may be busy
@given(st.lists(ANY, min_size=3, max_size=3), st.sampled_from((0.05, 0.07, 0.5, 1.0)))
def test_and_agree_on_whatever_else_there_may_be(
    key: tuple[Invocation, AlarmKind], numbers: list[float | None], rate: float
) -> None:
    plan = PLANS[key]
    values = dict(zip(plan.series.metrics, numbers, strict=False))
    assert alarm_rings(plan, values, rate) is healer_agrees(plan, period_of(plan.series, values), rate)


def test_a_throttled_request_fails_only_if_somebody_waits_for_it() -> None:
    """Where Lambda or a poller tries again, nothing is lost: no throttle is read, nor rings."""
    throttled = {"Invocations": 100.0, "Errors": 0.0, "Throttles": 600.0}
    for (invocation, kind), plan in PLANS.items():
        if kind is not AlarmKind.FAST:
            waits = invocation is Invocation.SYNCHRONOUS
            assert ("Throttles" in plan.series.metrics) is waits
            assert alarm_rings(plan, {name: throttled[name] for name in plan.series.metrics}) is waits
            assert period_of(plan.series, throttled) == (Count(700, 600) if waits else Count(100, 0))


@pytest.mark.parametrize(("timeout", "late"), [(3, 63), (900, 960)])
def test_lambdas_datapoints_may_change_for_the_timeout_and_a_minute_more(timeout: int, late: int) -> None:
    """A call is counted when it ends, in the minute in which it began; the function's own lines are early."""
    target = replace(TARGET, timeout=timeout)
    assert target.late(BACKSTOP) == timedelta(seconds=late)
    assert target.late(FAST) == timedelta(seconds=30)
    plan = next(each for each in plans(instrumented=False, timeout=timeout, invocation=Invocation.QUEUED))
    rule = AlarmRule("backstop", plan.kind, plan.period, plan.periods, MIN_ERRORS, ERROR_RATE)
    # A datapoint that has changed for the last time is still looked at.
    assert rule.window >= target.late(rule) + timedelta(seconds=plan.period)


def test_a_share_that_binary_fractions_miss_is_still_that_share() -> None:
    """0.07 x 100 is 7.000000000000001, but 7 / 100 is 0.07: compared as the alarm does, by division."""
    plan = PLANS[Invocation.SYNCHRONOUS, AlarmKind.FAST]
    assert alarm_rings(plan, {"Requests": 100, "Errors": 7}, 0.07)
    assert healer_agrees(plan, Count(100, 7), 0.07)
