"""The healer dies or AWS fails, at every call: no second act, no silence, no endless messages."""

import pytest

from tests.functions.harm.checks import faults
from tests.functions.support.faults import Fault, fail_before, refuse
from tests.functions.support.scenarios import SCENARIOS

pytestmark = pytest.mark.slow

of_each_scenario = pytest.mark.parametrize("scenario", SCENARIOS)


@of_each_scenario
def test_a_scenario_ends_as_its_name_says(scenario: str) -> None:
    faults.ends_as_its_name_says(scenario)


@pytest.mark.parametrize("fault", faults.FAULTS)
@of_each_scenario
def test_a_fault_at_any_call_is_overcome_with_the_same_acts(scenario: str, fault: Fault) -> None:
    faults.ends_the_same(scenario, fault)


@of_each_scenario
def test_a_write_that_boto3_repeats_makes_no_difference(scenario: str) -> None:
    faults.ends_the_same_when_repeated(scenario)


@pytest.mark.parametrize("fault", faults.ERRORS)
@of_each_scenario
def test_a_call_that_always_fails_is_given_up(scenario: str, fault: Fault) -> None:
    faults.gives_up(scenario, fault)


@pytest.mark.parametrize("fault", [fail_before, refuse])
@pytest.mark.parametrize("scenario", ["expired", "paused"])
def test_a_revert_that_always_fails_is_given_up(scenario: str, fault: Fault) -> None:
    faults.gives_up_a_revert(scenario, fault)
