"""Two healers at once: one act for each target, and a ledger as of one healer."""

from collections.abc import Callable

import pytest

from selfheal.functions.healer.target import Remedy
from tests.functions.harm.checks import races
from tests.functions.support.scenarios import LIMIT
from tests.functions.support.world import REMEDY

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [1, 2])
def test_two_healers_in_turns_act_once_for_each_target(size: int) -> None:
    races.act_once_in_turns(size)


@pytest.mark.parametrize("remedy", [REMEDY, LIMIT], ids=lambda remedy: remedy.kind)
@pytest.mark.parametrize("size", [1, 2])
def test_a_healer_that_overtakes_another_at_any_call_leaves_one_act(size: int, remedy: Remedy) -> None:
    races.act_once_when_overtaken(size, remedy)


@pytest.mark.parametrize(
    "check",
    [
        races.act_once_in_threads,
        races.spend_the_last_of_a_budget_once,
        races.keep_within_the_blast_radius,
        races.obey_a_kill_switch_between_reading_and_writing,
        races.use_an_approval_once,
    ],
)
def test_two_healers(check: Callable[[], None]) -> None:
    check()
