"""People hear of each thing that needs them: once, truly, and even if not at once."""

from dataclasses import replace

from selfheal.functions.healer.measure import measures
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits, Mode
from tests.functions.support.loop import Loop
from tests.functions.support.scenarios import OVERRIDE, ROLLBACK, failing, helped
from tests.functions.support.world import REMEDY

SAFE = replace(REMEDY, revert_safe=True)
CANARY_ROLLOUT = {"AdditionalVersionWeights": {"10": 0.1}}


def last_words(loop: Loop) -> str:
    return loop.sns.sent[-1]["Message"]


def test_a_second_proposal_says_what_is_proposed_beside_what_stands() -> None:
    loop = failing(REMEDY, OVERRIDE, mode=Mode.SUGGEST)
    loop.run(2)
    assert "Proposed: environment:FAILURE_RATE from '0.3' to '0'." in last_words(loop)
    assert loop.incident.plan is not None
    loop.ask(Verb.APPROVE, loop.incident.plan.digest("shop"))
    loop.run(10)
    assert "stands: environment:FAILURE_RATE" in last_words(loop)
    assert "Proposed: override:MODE from unset to 'safe'." in last_words(loop)


def test_an_approval_that_could_not_be_used_in_time_is_answered() -> None:
    """The alarm rings on and nothing bears it out."""
    loop = failing(REMEDY, mode=Mode.SUGGEST)
    loop.run(2)
    assert loop.incident.plan is not None
    loop.cause, loop.forced = (lambda: False), "ALARM"
    loop.run(10)
    request = loop.ask(Verb.APPROVE, loop.incident.plan.digest("shop"))
    loop.run(200)
    assert request.id in loop.incident.answered
    assert ["approval-expired" in each["Subject"] for each in loop.sns.sent] == [False, True]
    assert loop.acts == []


def test_commands_in_a_message_find_the_incident_on_aws() -> None:
    loop = failing()
    loop.run(2)
    assert last_words(loop).endswith("On AWS add to each command: `--aws --ledger ledger`.")


def test_what_the_budget_forbade_is_not_called_done() -> None:
    loop = failing(SAFE, OVERRIDE)
    loop.limits = Limits(target_budget=1)
    loop.run(14)
    assert loop.incident.reason is Reason.BUDGET_SPENT
    assert "taken back: an earlier remedy" in last_words(loop)
    assert "Proposed: override:MODE" in last_words(loop)


def test_half_a_rollback_is_told_when_the_other_half_is_refused() -> None:
    loop = failing(REMEDY, OVERRIDE)
    loop.run(12)
    told = len(loop.sns.sent)
    loop.cause, loop.forced = (lambda: False), "OK"
    loop.ask(Verb.ROLLBACK)
    loop.run(1)
    loop.forced = "ALARM"
    loop.run(3)
    assert len(loop.sns.sent) == told + 1
    assert "stands: environment:FAILURE_RATE" in last_words(loop)


def test_a_notice_lost_in_a_long_outage_is_sent_when_it_is_over() -> None:
    loop = failing()
    loop.sns.failing = True
    loop.run(120)
    assert loop.sns.sent == []
    loop.sns.failing = False
    loop.run(120)
    assert ["no-remedy-configured" in each["Subject"] for each in loop.sns.sent] == [True]


def test_a_blast_radius_that_comes_and_goes_is_told_once() -> None:
    loop = Loop()
    loop.fleet_size, loop.limits = 4, Limits(blast_radius=0.25)
    other = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "acting": {"SS": ["other"]}}
    loop.dynamodb.items["fleet", "open"] = other
    tick = [0]
    loop.cause, loop.forced = (lambda: tick[0] % 12 == 0), "ALARM"
    for tick[0] in range(120):
        loop.elapse()
        if tick[0] % 6 == 1:
            loop.attempt()
    assert sum("blast-radius" in each["Subject"] for each in loop.sns.sent) == 1


def test_a_rollout_that_does_not_end_is_not_waited_for_in_silence() -> None:
    loop = failing(ROLLBACK, OVERRIDE)
    assert loop.function.alias is not None
    loop.function.alias["RoutingConfig"] = CANARY_ROLLOUT
    loop.run(120)
    assert loop.live()["override:MODE"] == "safe"
    assert len(loop.sns.sent) == 1


def test_what_was_held_in_silence_in_observe_is_looked_at_again_when_it_may_act() -> None:
    loop = failing(REMEDY)
    loop.set_mode(Mode.OBSERVE)
    loop.run(5)
    loop.requests = 0
    loop.run(100)
    assert (loop.incident.status, loop.sns.sent) == (Status.ESCALATED, [])
    loop.set_mode(None, 2)
    loop.requests = 100
    loop.run(10)
    assert len(loop.applies()) == 1


def test_a_release_of_a_quiet_service_is_given_its_time() -> None:
    loop = failing(REMEDY)
    loop.run(12)
    loop.requests, loop.cause = 0, lambda: False
    loop.run(100)
    loop.ask(Verb.RELEASE)
    loop.run(80)
    assert loop.incident.status is Status.OPEN
    loop.run(20)
    assert loop.incident.reason is Reason.NO_EVIDENCE


def test_times_and_outcomes_are_counted_once_and_without_naming_an_incident() -> None:
    loop = helped()
    seen: list[dict[str, float]] = []

    def run(ticks: int) -> None:
        for _ in range(ticks):
            before = loop.last
            loop.tick()
            if loop.last is not None and loop.last != before:
                seen.append(measures(before, loop.last))

    run(25)
    assert seen[0] == {"Acts": 1, "TimeToDetect": 10.0, "TimeToAct": 0.0}
    assert seen[-1].keys() == {"Recovered", "TimeToRecover"}
    assert 60 <= seen[-1]["TimeToRecover"] <= 120
    loop.cause, until_then = (lambda: False), len(seen)
    loop.ask(Verb.RESTORE)
    run(25)
    assert [each for each in seen[until_then:] if each] == [{"Reverted": 1}]


def test_what_became_well_by_itself_is_not_counted_as_healing() -> None:
    loop = failing(REMEDY, mode=Mode.OBSERVE)
    loop.run(2)
    loop.cause = lambda: False
    before = loop.last
    loop.run(30)
    assert loop.incident.reason is Reason.RECOVERED_UNAIDED
    assert measures(before, loop.incident) == {}
