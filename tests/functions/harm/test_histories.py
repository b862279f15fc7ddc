"""Whatever happens, in whatever order: no act that is not allowed, and always an end."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.functions.harm.checks import histories
from tests.functions.support.events import MODES, events, targets

pytestmark = pytest.mark.slow

test_whatever_happens = histories.SETTINGS(
    given(targets, st.sampled_from(MODES), events)(histories.allow_no_act_against_the_rules)
)


@pytest.mark.parametrize(
    "check",
    [
        histories.leave_alone_what_flaps,
        histories.remember_what_did_not_help,
        histories.revert_nothing_while_an_alarm_rings,
        histories.revert_nothing_that_someone_else_set,
        histories.use_no_approval_again_after_a_release,
        histories.apply_nothing_that_is_no_longer_a_remedy,
        histories.change_nothing_that_a_forged_intent_names,
    ],
)
def test_the_healer_must(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("state", ["INSUFFICIENT_DATA", "ALARM"])
def test_an_act_that_was_dropped_does_not_leave_an_incident_open_for_ever(state: str) -> None:
    histories.end_an_incident_whose_act_was_dropped(state)
