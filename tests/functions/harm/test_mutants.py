"""Healers that lack one safeguard: each fails one of the checks that the tests of this folder run."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from selfheal.functions.healer import (
    decide,
    evidence,
    execute,
    guards,
    ledger,
    observation,
    observe,
    remedies,
    respond,
)
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.remedies import environment, rollback_alias
from selfheal.functions.healer.states import Reason
from selfheal.functions.shared.contract import Mode
from tests.functions.harm import mutations as broken
from tests.functions.harm.checks import clock_skew, faults, histories, races
from tests.functions.harm.mutations import Mutate, always, both, everywhere, on
from tests.functions.support import world
from tests.functions.support.events import MODES, events, targets
from tests.functions.support.faults import die_before, fail_before, refuse
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.scenarios import LIMIT

pytestmark = pytest.mark.slow


def falsify() -> None:
    """Look for a counterexample as the real test does, and stop at the first."""
    found = settings(histories.SETTINGS, phases=(Phase.generate,), report_multiple_bugs=False)
    found(given(targets, st.sampled_from(MODES), events)(histories.allow_no_act_against_the_rules))()


SKEWED = "one of two is fast"
NO_LEASE = on(Incident, "is_leased", always(answer=False))
NO_VERSION = on(Ledger, "_put", broken.put_anyway)
MUTANTS: dict[str, tuple[Mutate, Callable[[], object]]] = {
    # Two at once
    "no lease": (NO_LEASE, partial(races.act_once_when_overtaken, 1, LIMIT)),
    "no version of an incident": (NO_VERSION, partial(races.act_once_in_turns, 1)),
    "neither lease nor version": (both(NO_LEASE, NO_VERSION), partial(races.act_once_in_turns, 1)),
    "no revision of a function": (
        broken.overwriting(environment),
        partial(clock_skew.act_once_when_overtaken_by_a_fast_clock, "helped"),
    ),
    "no revision of an alias": (
        broken.overwriting(rollback_alias),
        partial(clock_skew.act_once_when_overtaken_by_a_fast_clock, "helped_by_rollback"),
    ),
    "no version of an override": (
        on(MemoryTable, "put_item", broken.put_item_anyway),
        partial(clock_skew.act_once_when_overtaken_by_a_fast_clock, "helped_by_override"),
    ),
    "act before intent": (
        on(world, "execute", broken.act_first),
        partial(faults.ends_as_its_name_says, "helped"),
    ),
    # What people decide
    "mode ignored": (on(observe.Setup, "mode", Mode.ACT), falsify),
    "kill switch not looked at again": (
        on(ledger, "_CHANGES", ()),
        races.obey_a_kill_switch_between_reading_and_writing,
    ),
    "answered requests forgotten": (
        on(Incident, "answering", lambda incident, _id: incident),
        histories.use_no_approval_again_after_a_release,
    ),
    "approvals used again": (
        on(respond, "_act", broken.act_without_answering),
        histories.use_no_approval_again_after_a_release,
    ),
    "hold ignored": (on(respond, "_held", always(None)), histories.remember_what_did_not_help),
    "live value not compared": (
        on(Observation, "live_of", broken.believe_that_it_stands),
        histories.revert_nothing_that_someone_else_set,
    ),
    "what is no remedy is changed": (
        both(
            on(execute, "_change", broken.change_whatever_is_asked),
            on(Observation, "may_revert", True),
            on(decide, "_without_remedy", always(None)),
            on(observation, "_if_remedy", lambda _target, setting: setting),
        ),
        histories.change_nothing_that_a_forged_intent_names,
    ),
    # Guards
    "budget ignored": (on(guards, "spent", always(None)), races.spend_the_last_of_a_budget_once),
    "acts not counted": (
        on(Ledger, "write", broken.write_without_counting),
        races.spend_the_last_of_a_budget_once,
    ),
    "blast radius ignored": (on(guards, "waiting", always(None)), races.keep_within_the_blast_radius),
    "cool-down ignored": (
        on(guards, "waiting", broken.wait_for_others_only),
        histories.leave_alone_what_flaps,
    ),
    "flapping ignored": (on(guards, "flapping", always(None)), histories.leave_alone_what_flaps),
    # Evidence
    "alarm believed": (
        everywhere(evidence.breaches, lambda _rule, buckets, *_: list(buckets)),
        partial(clock_skew.ignore_a_forced_alarm, SKEWED),
    ),
    "always called healthy": (
        everywhere(evidence.verdict, always(evidence.Verdict.HEALTHY)),
        partial(clock_skew.wait_for_traffic, SKEWED),
    ),
    "always reverted": (
        on(Observation, "may_revert", True),
        histories.revert_nothing_while_an_alarm_rings,
    ),
    # Errors
    "acts tried for ever": (
        on(respond, "MAX_ATTEMPTS", 10**6),
        partial(faults.gives_up, "not_helped", fail_before),
    ),
    "reverts tried for ever": (
        on(decide, "MAX_ATTEMPTS", 10**6),
        partial(faults.gives_up_a_revert, "paused", fail_before),
    ),
    "refusals tried again": (
        on(remedies, "REFUSED", frozenset[str]()),
        partial(faults.gives_up, "helped", refuse),
    ),
    "notices tried for ever": (
        on(decide, "_notify_again", broken.notify_again),
        partial(faults.gives_up, "not_helped", fail_before),
    ),
    "notices not tried again": (
        on(decide, "_notify_again", always(Decision(Reason.BUSY))),
        partial(faults.ends_the_same, "helped", die_before),
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_healer_without_a_safeguard_is_caught(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, check = MUTANTS[mutant]
    mutate(monkeypatch)
    # Not cached: what a broken healer does must not reach other tests.
    monkeypatch.setattr(faults, "undisturbed", faults.undisturbed.__wrapped__)
    with pytest.raises(AssertionError):
        check()
