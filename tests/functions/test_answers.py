"""What people ask is answered once, whatever becomes of it, and the incident keeps who asked, and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.functions.healer.answers import what_next
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import ANSWERED, Incident
from selfheal.functions.healer.incident_fields import Answered
from selfheal.functions.healer.items import from_item, to_item
from selfheal.functions.healer.observation import Decision
from selfheal.functions.healer.people import answer_approval
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.shared.contract import OPERATOR_EVENT, Limits, Mode
from tests.functions.support.handler import Healer
from tests.functions.support.scenarios import failing, helped
from tests.functions.support.world import OPERATOR, REMEDY, START, World

DAY = 24 * 60


def last_answer(world: World, request: Request) -> Answered:
    """Return the answer to a request, which must be the last and the only one to it."""
    found = [each for each in world.incident.requests if each.id == request.id]
    assert found == [world.incident.requests[-1]]
    (answered,) = found
    assert (answered.verb, answered.by, answered.at) == (request.verb, OPERATOR, request.at)
    assert (answered.why, answered.plan) == ("a test", request.plan)
    assert answered.answered_at == iso(world.now)
    assert request.id in world.incident.answered
    return answered


def rolled_back_while_the_alarm_rings(world: World) -> Request:
    return world.ask(Verb.ROLLBACK)


def rolled_back_too_late(world: World) -> Request:
    request = world.ask(Verb.ROLLBACK, minutes=1)
    world.pass_time(61)
    return request


def rolled_back_for_longer_than_a_day(world: World) -> Request:
    return world.ask(Verb.ROLLBACK, minutes=DAY + 1)


def rolled_back_without_permission(world: World) -> Request:
    world.mode = Mode.OBSERVE
    return world.ask(Verb.ROLLBACK)


def rolled_back_after_somebody_changed_it(world: World) -> Request:
    world.function.change(FAILURE_RATE="0.1")
    return world.ask(Verb.ROLLBACK)


def accepted_too_early(world: World) -> Request:
    return world.ask(Verb.ACCEPT)


def closed_by_hand(world: World) -> Request:
    return world.ask(Verb.CLOSE)


REFUSED: dict[Callable[[World], Request], Reason] = {
    rolled_back_while_the_alarm_rings: Reason.REVERT_REFUSED,
    rolled_back_too_late: Reason.COMMAND_EXPIRED,
    rolled_back_for_longer_than_a_day: Reason.VALID_TOO_LONG,
    rolled_back_without_permission: Reason.MODE_FORBIDS,
    rolled_back_after_somebody_changed_it: Reason.VALUE_CHANGED,
    accepted_too_early: Reason.COMMAND_REFUSED,
    closed_by_hand: Reason.COMMAND_REFUSED,
}


@pytest.mark.parametrize("ask", REFUSED, ids=lambda ask: ask.__name__)
def test_a_refused_command_leaves_the_incident_its_reason_and_says_what_to_do(
    world: World, ask: Callable[[World], Request]
) -> None:
    world.act()
    before = world.incident
    request = ask(world)
    assert world.step().reason is REFUSED[ask]
    answered = last_answer(world, request)
    assert (answered.answer, answered.done) == (REFUSED[ask], False)
    assert (world.incident.status, world.incident.reason) == (before.status, before.reason)
    assert world.incident.history == before.history
    assert len(world.function.updates) == 1
    told = [f"({answered.answer.value})" in each["Subject"] for each in world.sns.sent]
    assert told == ([True] if answered.answer is Reason.COMMAND_EXPIRED else [])
    if told:
        assert (
            f"Refused: {answered.answer.value}. {what_next(answered, before.id)}"
            in world.sns.sent[0]["Message"]
        )


def proposed(world: World) -> str:
    world.mode = Mode.SUGGEST
    world.act()
    return world.incident.planned.digest("shop")


def test_every_reason_of_a_refusal_has_advice_of_its_own() -> None:
    given = {
        reason: what_next(Answered("id", Verb.ROLLBACK, "", "", "", "", reason, done=False), "shop-1")
        for reason in {*REFUSED.values(), Reason.NO_REMEDY, Reason.TARGET_REMOVED, Reason.APPROVAL_STALE}
        | {Reason.APPROVAL_EXPIRED, Reason.BUDGET_SPENT}
    }
    assert len(set(given.values())) == len(given)
    assert not [text for text in given.values() if "{" in text]
    approval = Answered("id", Verb.APPROVE, "", "", "", "", Reason.MODE_FORBIDS, done=False)
    assert "`selfheal mode`" in what_next(approval, "shop-1")
    assert "`selfheal incidents show shop-1`" in what_next(replace(approval, answer=Reason.HELD), "shop-1")


@pytest.mark.parametrize(
    ("at", "hours", "too_long"),
    [
        ("2026-11-21T09:40:00.000Z", 24, False),
        ("2026-11-21T09:40:00.000Z", 24.01, True),
        ("2026-11-21T09:49:00.000Z", 24.15, False),  # by a clock that is nine minutes ahead
        ("2099-11-21T09:40:00.000Z", 25, True),
        ("2026-11-20T09:40:00.000Z", 1, True),
        ("yesterday", 1, True),
        ("2026-11-21T09:40:00", 1, True),
    ],
)
def test_nobody_can_ask_for_longer_than_a_day(at: str, hours: float, too_long: bool) -> None:
    until = iso(START + timedelta(hours=hours))
    request = Request("1", Verb.ROLLBACK, "shop-1", OPERATOR, at, until)
    assert request.is_too_long(START) is too_long


def stale(world: World) -> Request:
    request = world.ask(Verb.APPROVE, world.incident.planned.digest("shop"))
    world.function.change(ADDED="by a deployment")
    return request


def over(world: World) -> Request:
    request = world.ask(Verb.APPROVE, world.incident.planned.digest("shop"), minutes=1)
    world.traffic(100, 30, 70)
    return request


def too_long(world: World) -> Request:
    return world.ask(Verb.APPROVE, world.incident.planned.digest("shop"), minutes=DAY + 1)


def in_observe(world: World) -> Request:
    world.mode = Mode.OBSERVE
    return world.ask(Verb.APPROVE, world.incident.planned.digest("shop"))


@pytest.mark.parametrize(
    ("ask", "answer", "told"),
    [
        (stale, Reason.APPROVAL_STALE, 1),
        (over, Reason.APPROVAL_EXPIRED, 1),
        (too_long, Reason.VALID_TOO_LONG, 0),
        (in_observe, Reason.MODE_FORBIDS, 0),
    ],
)
def test_a_refused_approval_is_answered_and_the_proposal_keeps_its_reason(
    world: World, ask: Callable[[World], Request], answer: Reason, told: int
) -> None:
    proposed(world)
    before, request = len(world.sns.sent), ask(world)
    world.step()
    answered = last_answer(world, request)
    assert (answered.answer, answered.done) == (answer, False)
    assert (world.incident.status, world.incident.reason) == (Status.PROPOSED, Reason.MODE_FORBIDS)
    assert world.function.updates == []
    assert [f"({answer.value})" in each["Subject"] for each in world.sns.sent[before:]] == [True] * told
    world.pass_time(60)
    world.step()
    assert len(world.incident.requests) == 1


def test_the_notice_after_a_refusal_is_about_the_incident_again(world: World) -> None:
    proposed(world)
    over(world)
    world.step()
    assert "(approval-expired)" in world.sns.sent[-1]["Subject"]
    world.function.change(ADDED="by a deployment")
    world.step()
    assert "(mode-forbids-acting)" in world.sns.sent[-1]["Subject"]


def test_a_lost_notice_of_a_refusal_says_the_same_when_it_is_sent_at_last(world: World) -> None:
    world.act()
    rolled_back_too_late(world)
    world.sns.failing = True
    with pytest.raises(Exception, match="InternalError"):
        world.step()
    world.sns.failing = False
    world.pass_time(60)
    world.step()
    assert ["(command-expired)" in each["Subject"] for each in world.sns.sent] == [True]


def test_an_approval_that_the_budget_refuses_is_used_up(world: World) -> None:
    """It is valid for a day, and the budget frees up within it: by then nobody expects the act any more."""
    world.limits = Limits(budget=1)
    acted = iso(world.now - timedelta(hours=23))
    fleet = {"pk": {"S": "fleet"}, "sk": {"S": "open"}, "version": {"N": "1"}, "acts": {"L": [{"S": acted}]}}
    world.dynamodb.put_item(TableName="ledger", Item=fleet)
    request = world.ask(Verb.APPROVE, proposed(world), minutes=DAY)
    world.step()
    answered = last_answer(world, request)
    assert (answered.answer, answered.done) == (Reason.BUDGET_SPENT, False)
    assert (world.incident.status, world.incident.approval) == (Status.ESCALATED, None)
    assert "Refused: budget-spent. The budget" in world.sns.sent[-1]["Message"]
    for _ in range(70):
        world.traffic(100, 30, 60)
        world.step()
    assert world.incident.status is Status.PROPOSED
    assert world.function.updates == []


@pytest.mark.parametrize("minutes", [30, DAY])
def test_an_approval_that_comes_after_the_proposal_is_over_is_answered(world: World, minutes: int) -> None:
    world.ask(Verb.APPROVE, proposed(world))
    world.step()
    assert world.incident.status is Status.VERIFYING
    late = world.ask(Verb.APPROVE, world.incident.planned.digest("shop"), minutes=minutes)
    world.pass_time(60)
    world.step()
    answered = last_answer(world, late)
    assert (answered.answer, answered.done) == (Reason.COMMAND_REFUSED, False)
    assert [each.done for each in world.incident.requests] == [True, False]


def test_an_approval_that_is_not_needed_any_more_is_answered_with_the_recovery() -> None:
    loop = failing(REMEDY, mode=Mode.SUGGEST)
    loop.run(2)
    loop.cause = lambda: False
    loop.run(2)
    request = loop.ask(Verb.APPROVE, loop.incident.planned.digest("shop"))
    loop.run(60)
    assert loop.incident.status is Status.RECOVERED
    (answered,) = loop.incident.requests
    assert (answered.id, answered.answer) == (request.id, Reason.RECOVERED_UNAIDED)
    assert loop.acts == []


def test_an_answer_does_not_end_an_act_that_is_not_done_yet(world: World) -> None:
    world.act()
    acting = replace(
        world.incident,
        version=world.incident.version + 1,
        status=Status.ACTING,
        effect=Effect.APPLY,
        lease_until=iso(world.now),
    )
    request = world.ask(Verb.APPROVE, acting.planned.digest("shop"))
    seen = replace(world.observe(), incident=acting, approval=request)
    assert answer_approval(seen, Decision(Reason.TARGET_BUSY)).incident is None
    done = answer_approval(seen, Decision.of(acting.applied(world.now))).incident
    assert done is not None
    (answered,) = done.requests
    assert (answered.id, answered.answer) == (request.id, Reason.COMMAND_REFUSED)


@pytest.mark.parametrize(("minutes", "reverts"), [(30, True), (0.5, False), (DAY + 1, False)])
def test_a_rollback_of_what_is_reverted_anyway_is_recorded_if_it_is_valid(
    world: World, minutes: float, reverts: bool
) -> None:
    """The run that intended to revert died; a person asked for the same meanwhile."""
    world.act()
    reverting = replace(
        world.incident,
        version=world.incident.version + 1,
        status=Status.ACTING,
        effect=Effect.REVERT,
        purpose=Reason.EXPIRED,
        lease_until=iso(world.now),
        acting_since=iso(world.now),
        token="",
    )
    world.book.write(None, world.incident, reverting)
    request = world.ask(Verb.ROLLBACK, minutes=minutes)
    world.be_well(50)
    world.step()
    assert [(each.id, each.answer, each.done) for each in world.incident.requests] == (
        [(request.id, Reason.ROLLED_BACK, True)] if reverts else []
    )
    assert (world.incident.reason is Reason.ROLLED_BACK) is reverts


def test_what_is_carried_out_is_recorded_with_who_asked_and_why() -> None:
    loop = helped()
    loop.run(40)
    assert loop.incident.status is Status.RECOVERED
    restore = loop.ask(Verb.RESTORE)
    loop.cause = lambda: False
    loop.run(40)
    assert (loop.incident.status, loop.incident.standing) == (Status.RECOVERED, ())
    (answered,) = loop.incident.requests
    assert (answered.id, answered.verb, answered.by) == (restore.id, Verb.RESTORE, OPERATOR)
    assert (answered.answer, answered.done) == (Reason.RESTORING, True)


def test_the_first_command_is_still_known_after_the_second_has_taken_its_item(world: World) -> None:
    world.act()
    asked = [world.ask(Verb.ACCEPT).id]
    world.step()
    world.be_well(10)
    asked.append(world.ask(Verb.ROLLBACK).id)
    world.step()
    asked.append(world.ask(Verb.RELEASE).id)
    world.pass_time(60)
    world.step()
    known = [(each.id, each.verb, each.done) for each in world.incident.requests]
    verbs = [(Verb.ACCEPT, False), (Verb.ROLLBACK, True), (Verb.RELEASE, True)]
    assert known == [(id_, *rest) for id_, rest in zip(asked, verbs, strict=True)]


def test_a_few_answers_are_kept_and_none_counts_again(world: World) -> None:
    world.act()
    incident = world.incident
    for number in range(ANSWERED + 5):
        record = Answered(str(number), Verb.ACCEPT, "me", "", "", "", Reason.COMMAND_REFUSED, done=False)
        incident = incident.answering(record)
    kept = [str(number) for number in range(5, ANSWERED + 5)]
    assert ([each.id for each in incident.requests], incident.answered) == (kept, {*kept})
    item = to_item(incident)
    assert from_item(item) == incident
    assert from_item(item | {"answered": {"L": [{"S": "x"}]}}) == incident  # an earlier version wrote that


@pytest.mark.parametrize("verb", [Verb.ROLLBACK, Verb.RELEASE, Verb.APPROVE])
def test_what_comes_after_the_end_is_answered_when_an_operator_wakes_the_healer(
    healer: Healer, verb: Verb
) -> None:
    healer.break_down()
    healer.handle()
    healer.book.write(None, healer.incident, _over(healer))
    request = healer.ask(verb, "0" * 16 if verb is Verb.APPROVE else None)
    healer.cloudwatch.set("fast", "OK", healer.now)
    healer.handle()
    assert healer.incident.requests == ()  # while all is well, each run reads the incident only
    healer.handle(dict(OPERATOR_EVENT))
    (answered,) = healer.incident.requests
    assert (answered.id, answered.done) == (request.id, verb is Verb.RELEASE)
    assert healer.incident.status is Status.RECOVERED


def _over(healer: Healer) -> Incident:
    return replace(healer.incident, standing=()).recovered(healer.now, Reason.RECOVERED).notified()


def test_the_copy_of_a_closed_incident_holds_its_end() -> None:
    loop = helped()
    loop.run(40)
    assert loop.incident.standing
    loop.ask(Verb.ACCEPT)
    loop.run(2)
    current = dict(loop.dynamodb.items["target#shop", "incident"])
    copy = dict(loop.dynamodb.items["target#shop", f"closed#{loop.incident.id}"])
    assert "expires_at" in copy
    for item in (current, copy):
        del item["sk"]
        item.pop("expires_at", None)
    assert copy == current
    ended = from_item({**loop.dynamodb.items["target#shop", f"closed#{loop.incident.id}"]})
    assert (ended.effect, ended.standing, ended.reason) == (None, (), Reason.DRIFT_ACCEPTED)
    assert [each.verb for each in ended.requests] == [Verb.ACCEPT]
