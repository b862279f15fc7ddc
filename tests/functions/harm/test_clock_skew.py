"""A clock that is off makes the healer late or lets it call people; it does no harm."""

import pytest

from tests.functions.harm.checks import clock_skew
from tests.functions.harm.checks.clock_skew import ACTING, SKEWS
from tests.functions.support.faults import Fault, die_after, die_before
from tests.functions.support.scenarios import SCENARIOS

pytestmark = pytest.mark.slow

with_each_skew = pytest.mark.parametrize("skew", ACTING)


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_acts_once_or_not_at_all_and_closes_on_evidence_only(scenario: str, skew: str) -> None:
    clock_skew.act_once_or_not_at_all_and_close_on_evidence(scenario, skew)


@with_each_skew
def test_a_forced_alarm_with_healthy_metrics_is_not_acted_upon(skew: str) -> None:
    clock_skew.ignore_a_forced_alarm(skew)


@with_each_skew
def test_no_traffic_is_never_called_recovered(skew: str) -> None:
    clock_skew.wait_for_traffic(skew)


@with_each_skew
@pytest.mark.parametrize("fault", [die_before, die_after])
def test_a_clock_that_runs_ahead_of_a_lease_makes_no_second_act(fault: Fault, skew: str) -> None:
    clock_skew.act_once_when_a_clock_is_ahead_of_the_lease(fault, skew)


@pytest.mark.parametrize("scenario", ["helped", "helped_by_override", "helped_by_rollback"])
def test_a_healer_overtaken_by_one_with_a_fast_clock_does_not_act_twice(scenario: str) -> None:
    clock_skew.act_once_when_overtaken_by_a_fast_clock(scenario)
