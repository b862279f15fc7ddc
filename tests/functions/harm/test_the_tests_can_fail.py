"""Healers with one safeguard taken away: each is caught by the very tests that try to do harm."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from selfheal.functions.healer import decide, evidence, execute, guards, ledger, observation, observe, respond
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.remedies import environment, rollback_alias
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.verify import may_revert
from selfheal.functions.shared.contract import Mode
from tests.functions.harm import test_aws_errors as aws_errors
from tests.functions.harm import test_clock_skew as clock_skew
from tests.functions.harm import test_crashes as crashes
from tests.functions.harm import test_properties as properties
from tests.functions.harm import test_races as races
from tests.functions.support import world as healer_world
from tests.functions.support.events import MODES, events, targets
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.mutations import (
    Mutate,
    act_first,
    act_without_answering,
    always,
    believe_that_it_stands,
    both,
    change_whatever_is_asked,
    everywhere,
    notify_again,
    on,
    overwriting,
    put_anyway,
    put_item_anyway,
    wait_for_others_only,
    write_without_counting,
)
from tests.functions.support.scenarios import LIMIT

failing_for_ever = aws_errors.test_a_call_that_fails_for_ever_changes_nothing_more_and_is_not_mailed_for_ever


def falsify() -> None:
    """Look for a counterexample as the real test does, and be content with the first."""
    found = settings(properties.SETTINGS, phases=(Phase.generate,), report_multiple_bugs=False)
    found(given(targets, st.sampled_from(MODES), events)(properties.check_whatever))()


def overtaken(scenario: str) -> Callable[[], object]:
    return lambda: clock_skew.test_a_healer_that_is_overtaken_by_one_whose_clock_is_fast_does_not_act_twice(
        scenario
    )


SKEWED = "one of two is fast"
NO_LEASE = on(Incident, "is_leased", always(answer=False))
NO_VERSION = on(Ledger, "_put", put_anyway)
MUTANTS: dict[str, tuple[Mutate, Callable[[], object]]] = {
    # Two at once
    "no lease": (
        NO_LEASE,
        lambda: races.test_a_healer_that_overtakes_another_at_any_call_leaves_one_act(1, LIMIT),
    ),
    "no version of an incident": (
        NO_VERSION,
        lambda: races.test_two_healers_in_turns_act_once_for_each_target(1),
    ),
    "neither lease nor version": (
        both(NO_LEASE, NO_VERSION),
        lambda: races.test_two_healers_in_turns_act_once_for_each_target(1),
    ),
    "no revision of a function": (overwriting(environment), overtaken("helped")),
    "no revision of an alias": (overwriting(rollback_alias), overtaken("helped_by_rollback")),
    "no version of an override": (
        on(MemoryTable, "put_item", put_item_anyway),
        overtaken("helped_by_override"),
    ),
    "act before intent": (
        on(healer_world, "execute", act_first),
        lambda: crashes.test_each_scenario_is_what_it_says("helped"),
    ),
    # What people decide
    "mode ignored": (on(observe.Setup, "mode", Mode.ACT), falsify),
    "kill switch not looked at again": (
        on(ledger, "_CHANGES", ()),
        races.test_a_kill_switch_between_reading_and_writing_is_obeyed,
    ),
    "answered requests forgotten": (
        on(Incident, "answering", lambda incident, _id: incident),
        properties.test_an_approval_is_not_used_again_after_a_release,
    ),
    "approvals used again": (
        on(respond, "_act", act_without_answering),
        properties.test_an_approval_is_not_used_again_after_a_release,
    ),
    "hold ignored": (
        on(respond, "_held", always(None)),
        properties.test_what_did_not_help_is_not_tried_in_the_next_incident,
    ),
    "live value not compared": (
        on(Observation, "live_of", believe_that_it_stands),
        properties.test_what_someone_else_has_set_is_not_reverted,
    ),
    "what is no remedy is changed": (
        both(
            on(execute, "_change", change_whatever_is_asked),
            on(decide, "may_revert", always(answer=True)),
            on(decide, "_without_remedy", always(None)),
            on(observation, "_if_remedy", lambda _target, setting: setting),
        ),
        properties.test_a_forged_intent_does_not_choose_what_is_changed,
    ),
    # Guards
    "budget ignored": (on(guards, "spent", always(None)), races.test_the_last_of_a_budget_is_spent_once),
    "acts not counted": (
        on(Ledger, "write", write_without_counting),
        races.test_the_last_of_a_budget_is_spent_once,
    ),
    "blast radius ignored": (
        on(guards, "waiting", always(None)),
        races.test_only_as_many_targets_are_changed_at_a_time_as_the_blast_radius_allows,
    ),
    "cool-down ignored": (
        on(guards, "waiting", wait_for_others_only),
        properties.test_what_flaps_is_left_alone,
    ),
    "flapping ignored": (on(guards, "flapping", always(None)), properties.test_what_flaps_is_left_alone),
    # Evidence
    "alarm believed": (
        everywhere(evidence.breaches, lambda _rule, buckets, _since, _now: list(buckets)),
        lambda: clock_skew.test_a_forced_alarm_with_healthy_metrics_is_not_acted_upon(SKEWED),
    ),
    "always called healthy": (
        everywhere(evidence.verdict, always(evidence.Verdict.HEALTHY)),
        lambda: clock_skew.test_no_traffic_is_never_called_recovered(SKEWED),
    ),
    "always reverted": (
        everywhere(may_revert, always(answer=True)),
        properties.test_an_expired_remedy_is_not_reverted_while_an_alarm_rings,
    ),
    # Errors
    "acts tried for ever": (
        on(respond, "MAX_ATTEMPTS", 10**6),
        lambda: failing_for_ever("not_helped", "AccessDeniedException"),
    ),
    "reverts tried for ever": (
        on(decide, "MAX_ATTEMPTS", 10**6),
        lambda: aws_errors.test_a_revert_that_never_succeeds_is_tried_a_few_times_and_people_are_called(
            "paused"
        ),
    ),
    "notices tried for ever": (
        on(decide, "_notify_again", notify_again),
        lambda: failing_for_ever("not_helped", "AccessDeniedException"),
    ),
    "notices not tried again": (
        on(decide, "_notify_again", always(Decision(Reason.BUSY))),
        lambda: crashes.test_stopped_at_any_call_it_ends_the_same_with_one_act("helped", crashes.die_before),
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_healer_without_a_safeguard_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, check = MUTANTS[mutant]
    mutate(monkeypatch)
    # What a broken healer does is not to be remembered for the next test.
    monkeypatch.setattr(crashes, "undisturbed", crashes.undisturbed.__wrapped__)
    with pytest.raises(AssertionError):
        check()
