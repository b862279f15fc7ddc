"""Incidents that do not go well, on the real loop, side by side: one fleet, one deployment, one clock."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from selfheal.functions.healer.states import Verb
from selfheal.functions.shared.contract import Mode
from tests.e2e.support.live_fleet import WAKE_EVERY, Fleet, fleet_up
from tests.e2e.support.live_steps import QUIET, acting_slowly, acts_on, nothing_more, overrides, sleep_until
from tests.e2e.support.live_threads import BATCH, every

pytestmark = pytest.mark.slow

SETTLE = 10.0
"""Seconds after the act from which requests are evidence."""
RECOVERS = 10 + 60 + 60 + 63 + 10.0
"""Seconds from an act to recovery at most: it settles, the rest of a minute, and a minute whose metrics are
complete. And two runs of the healer."""
ENOUGH = 138
"""Requests without an error that show health."""
SKEW = 300
SLOW_ACT = 20
"""Seconds between intent and change: several runs of the healer, shorter than the lease."""


def useless_remedies(fleet: Fleet) -> None:
    """Each is tried once and taken back; then people are called, and nothing more until they release it."""
    fleet.callers["ladder"].poison = "strong"
    fleet.wait_for("ladder", "escalation", lambda: fleet.is_in("ladder", "ESCALATED"))
    assert overrides(fleet, "ladder") == ((None, 2), (None, 2)), fleet.story("ladder")
    assert fleet.incident("ladder")["hold"]["reason"] == "remedy-ineffective", fleet.story("ladder")
    nothing_more(fleet, "ladder")
    assert fleet.ear.subjects("ladder") == ["[selfheal] ESCALATED: ladder (remedy-ineffective)"]
    assert fleet.incident("ladder")["acts"] == 2
    fleet.ask(Verb.RELEASE, "ladder")
    fleet.wait_for("ladder", "an act again", lambda: overrides(fleet, "ladder")[0] == ("off", 3))


def remedy_that_helps_for_40_seconds(fleet: Fleet) -> None:
    """The requests showed health by then, but not for the stability window."""
    acted = acts_on(fleet, "brief")
    sleep_until(acted + 40)
    assert all(fleet.callers["brief"].since(acted + SETTLE)), fleet.story("brief")
    fleet.callers["brief"].poison = "strong"
    fleet.wait_for("brief", "an end", lambda: fleet.is_in("brief", "ESCALATED", "RECOVERED"))
    assert "recovered-by-evidence" not in fleet.reasons("brief"), fleet.story("brief")
    nothing_more(fleet, "brief")
    assert fleet.ear.subjects("brief") == ["[selfheal] ESCALATED: brief (remedy-ineffective)"]
    assert fleet.incident("brief")["acts"] == 1


def alarm_that_rings_for_nothing(fleet: Fleet) -> None:
    """Nothing happens: not an act, not even an incident."""
    fleet.spoil_alarm("well")
    fleet.wait_for("well", "alarm", lambda: fleet.alarm("well")["StateValue"] == "ALARM")
    time.sleep(2 * QUIET)
    assert fleet.alarm("well")["StateValue"] == "ALARM"
    assert fleet.incident("well") == {}, fleet.story("well")
    assert overrides(fleet, "well") == ((None, 0), (None, 0))
    assert fleet.ear.subjects("well") == []


def alarm_that_stays_after_the_act(fleet: Fleet) -> None:
    """It is not called recovered for all the evidence, until the alarm is mended."""
    acted = acts_on(fleet, "stuck")
    mend = fleet.spoil_alarm("stuck")
    sleep_until(acted + RECOVERS)
    well = fleet.callers["stuck"].since(acted + SETTLE)
    assert all(well), fleet.story("stuck")
    assert len(well) * BATCH > ENOUGH, fleet.story("stuck")
    assert fleet.alarm("stuck")["StateValue"] == "ALARM", fleet.story("stuck")
    assert fleet.is_in("stuck", "VERIFYING"), fleet.story("stuck")
    assert fleet.ear.subjects("stuck") == []
    mend()
    fleet.wait_for("stuck", "recovery", lambda: fleet.is_in("stuck", "RECOVERED"))
    assert overrides(fleet, "stuck")[0] == ("off", 1)


def flapping(fleet: Fleet) -> None:
    """The second incident is one too many here: it is held, people are told once, and nothing is changed."""
    acts_on(fleet, "flapping")
    fleet.wait_for("flapping", "recovery", lambda: fleet.is_in("flapping", "RECOVERED"))
    fleet.clear_override("flapping")
    fleet.wait_for("flapping", "escalation", lambda: fleet.is_in("flapping", "ESCALATED"))
    incident = fleet.incident("flapping")
    assert (incident["guard"]["reason"], incident["guard"]["found"]) == ("flapping", 2)
    # The healer may note only now that the override was cleared.
    fleet.wait_for("flapping", "the end of the drift", lambda: not fleet.incident("flapping")["standing"])
    nothing_more(fleet, "flapping")
    assert not any(fleet.callers["flapping"].since(time.time() - QUIET / 2)), "it no longer fails"
    assert overrides(fleet, "flapping")[0] == (None, 2), fleet.story("flapping")
    assert fleet.ear.subjects("flapping") == [
        "[selfheal] RECOVERED: flapping (recovered-by-evidence)",
        "[selfheal] ESCALATED: flapping (flapping)",
    ]


def kill_switch(fleet: Fleet) -> None:
    """The next remedy is due and is not tried until the override is cleared."""
    acts_on(fleet, "halted", "strong")
    fleet.set_mode("halted", Mode.OBSERVE)
    fleet.wait_for("halted", "the next plan", lambda: fleet.is_in("halted", "PROPOSED"))
    assert fleet.incident("halted")["plan"]["setting"] == "CACHE", fleet.story("halted")
    nothing_more(fleet, "halted")
    assert overrides(fleet, "halted") == (("off", 1), (None, 0)), fleet.story("halted")
    fleet.set_mode("halted", None)
    fleet.wait_for("halted", "the next act", lambda: overrides(fleet, "halted") == (("off", 1), ("off", 1)))


def stale_approval(fleet: Fleet) -> None:
    """The world changes between proposal and approval: refused, proposed anew, and that is executed once."""
    fleet.callers["asked"].poison = "weak"
    fleet.wait_for("asked", "a proposal", lambda: bool(fleet.ear.subjects("asked")))
    first = fleet.incident("asked")["plan_digest"]
    assert any(first in text for _, text in fleet.ear.heard), fleet.story("asked")
    function = fleet.function("asked")
    variables = function["Environment"]["Variables"] | {"CURRENCY": "EUR"}
    fleet.clients.get("lambda").update_function_configuration(
        FunctionName=function["FunctionName"], Environment={"Variables": variables}
    )
    fleet.ask(Verb.APPROVE, "asked", first)
    stale = "[selfheal] PROPOSED: asked (approval-stale)"
    fleet.wait_for("asked", "a refusal", lambda: stale in fleet.ear.subjects("asked"))
    assert overrides(fleet, "asked")[0] == (None, 0), fleet.story("asked")
    second = fleet.incident("asked")["plan_digest"]
    assert second != first
    nothing_more(fleet, "asked", WAKE_EVERY * 2)
    fleet.ask(Verb.APPROVE, "asked", second)
    fleet.wait_for("asked", "the act", lambda: fleet.is_in("asked", "VERIFYING"))
    fleet.ask(Verb.APPROVE, "asked", second)
    fleet.wait_for("asked", "an answer", lambda: not fleet.incident("asked")["requests"][-1]["done"])
    nothing_more(fleet, "asked")
    assert overrides(fleet, "asked")[0] == ("off", 1), fleet.story("asked")
    assert fleet.incident("asked")["approval"]["plan"] == second


def runs_in_the_middle_of_an_act(fleet: Fleet) -> None:
    """A run is slow between intent and change: other runs keep out, and there is one act."""
    with acting_slowly(fleet, "late", "slow", SLOW_ACT):
        revision = fleet.function("slow")["RevisionId"]
        time.sleep(2 * WAKE_EVERY)
        assert fleet.is_in("slow", "ACTING"), f"the act did not last as long\n{fleet.story('slow')}"
        assert fleet.function("slow")["RevisionId"] == revision
    assert fleet.function("slow")["Environment"]["Variables"] == {"FEATURE": "off"}
    incident = fleet.incident("slow")
    assert (incident["acts"], len(incident["recent_acts"])) == (1, 1), fleet.story("slow")
    # Requests from before the change are no evidence against it.
    assert lasted(incident["opened_at"], incident["acted_at"]) >= SLOW_ACT - 1, fleet.story("slow")


def clocks_that_are_off(fleet: Fleet) -> None:
    """A healer five minutes ahead and one behind run beside the right one, from the middle of an act on."""
    began = time.time()
    copies = [fleet.copy_healer("skewed", skew=skew) for skew in (SKEW, -SKEW)]
    for copy in copies:
        fleet.wake(copy)
    with ExitStack() as running:
        with acting_slowly(fleet, "skewed", "timed", 6):
            for copy in copies:
                running.enter_context(every(WAKE_EVERY, partial(fleet.wake, copy)))
        acted = time.time()
        fleet.wait_for("timed", "recovery", lambda: fleet.is_in("timed", "RECOVERED"))
    took, story = time.time() - acted, fleet.story("timed")
    incident = fleet.incident("timed")
    assert overrides(fleet, "timed")[0] == ("off", 1), story
    assert fleet.reasons("timed") == ["alarm-confirmed-by-metrics", "applied", "recovered-by-evidence"], story
    assert incident["evidence"]["requests"] >= ENOUGH, story
    assert incident["evidence"]["errors"] == 0, story
    assert took >= SETTLE + 60 + 63, f"recovered {took:.0f} s after the act\n{story}"
    times = [incident[key] for key in ("opened_at", "acted_at", "closed_at")]
    times += [line["at"] for line in incident["history"]]
    # AWS tells the time in whole seconds.
    wrong = [at for at in times if not began - 1 < datetime.fromisoformat(at).timestamp() < time.time() + 1]
    assert wrong == [], story


def lasted(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


SCENARIOS: tuple[Callable[[Fleet], None], ...] = (
    useless_remedies,
    remedy_that_helps_for_40_seconds,
    alarm_that_rings_for_nothing,
    alarm_that_stays_after_the_act,
    flapping,
    kill_switch,
    stale_approval,
    runs_in_the_middle_of_an_act,
    clocks_that_are_off,
)


def test_incidents_that_do_not_go_well(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """One test of many parts: a second worker that took some of them would deploy all of it again."""
    with fleet_up(tmp_path) as fleet, ThreadPoolExecutor(len(SCENARIOS)) as stage:
        playing = {scenario: stage.submit(scenario, fleet) for scenario in SCENARIOS}
        for scenario, played in playing.items():
            with subtests.test(scenario.__name__):
                played.result()
