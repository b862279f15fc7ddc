"""A target that a deployment removed in the middle: people are told, and are the ones who end it."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.functions.support.handler import Healer
from tests.functions.support.world import OPERATOR, TARGET, World

OTHER_TARGET = replace(TARGET, name="cart", function="cart-fn")
LEFT = "left as it is: environment:FAILURE_RATE from '0.3' to '0'"


def remove(healer: Healer) -> None:
    """A deployment removes the target, and leaves another one, which is well."""
    healer.look_after(OTHER_TARGET)
    for alarm in healer.cloudwatch.states:
        healer.cloudwatch.set(alarm, "OK", healer.now)


def listed(healer: Healer) -> frozenset[str]:
    """Every name in the item that all targets share."""
    fleet = healer.book.read_fleet()
    return fleet.acting | fleet.blocking | fleet.standing | fleet.unfinished


@pytest.fixture
def acted(healer: Healer) -> Healer:
    """A healer that has applied a remedy, before its target is removed."""
    healer.break_down()
    healer.handle()
    assert healer.incident.status is Status.VERIFYING
    remove(healer)
    return healer


def close(healer: Healer) -> Incident:
    request = healer.ask(Verb.CLOSE)
    healer.handle()
    assert request.id in healer.incident.answered
    return healer.incident


@pytest.mark.parametrize("retired_first", [True, False])
def test_a_person_closes_it_and_nothing_of_the_target_is_touched(acted: Healer, retired_first: bool) -> None:
    """Also before the healer has noticed that the target is gone."""
    if retired_first:
        acted.handle()
        assert (acted.incident.status, acted.incident.reason) == (Status.ESCALATED, Reason.TARGET_REMOVED)
        assert listed(acted) == {"shop"}
    acted.set(AWS=replace(acted.aws, lambda_=None, prober=None))  # any call of Lambda fails the run
    closed = close(acted)
    assert (closed.status, closed.reason) == (Status.CLOSED, Reason.CLOSED)
    assert closed.closure is not None
    assert (closed.closure.by, closed.closure.why) == (OPERATOR, "a test")
    assert [each.plan.setting for each in closed.closure.left] == ["FAILURE_RATE"]
    assert [line.to for line in closed.history[-2:]] == [Status.ESCALATED, Status.CLOSED]
    assert LEFT in acted.sns.sent[-1]["Message"]
    assert f"Closed by {OPERATOR}: a test" in acted.sns.sent[-1]["Message"]
    assert listed(acted) == set()
    sent = len(acted.sns.sent)
    acted.handle()
    assert len(acted.sns.sent) == sent


def test_the_copy_that_is_kept_says_who_closed_it(acted: Healer) -> None:
    closed = close(acted)
    [copy] = [item for item in acted.dynamodb.items.values() if item["sk"]["S"] == f"closed#{closed.id}"]
    assert copy["status"] == {"S": "CLOSED"}
    assert copy["closure"]["M"]["by"] == {"S": OPERATOR}
    assert "expires_at" in copy


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.CLOSE])
@pytest.mark.parametrize("retired_first", [True, False])
def test_any_other_request_is_answered_with_a_refusal(acted: Healer, verb: Verb, retired_first: bool) -> None:
    if retired_first:
        acted.handle()
    request = acted.ask(verb)
    acted.handle()
    assert request.id in acted.incident.answered
    assert (acted.incident.status, acted.incident.reason) == (Status.ESCALATED, Reason.TARGET_REMOVED)
    assert len(acted.function.updates) == 1
    assert close(acted).status is Status.CLOSED


def test_a_close_that_came_too_late_is_answered_and_people_hear_that_it_is_open(acted: Healer) -> None:
    acted.handle()
    request, sent = acted.ask(Verb.CLOSE, minutes=-1), len(acted.sns.sent)
    acted.handle()
    assert request.id in acted.incident.answered
    assert acted.incident.status is Status.ESCALATED
    assert len(acted.sns.sent) == sent + 1


def test_one_that_only_proposed_is_known_too(healer: Healer) -> None:
    """Nothing of it stands, so only `unfinished` names it."""
    healer.set(MODE=Mode.SUGGEST)
    healer.break_down()
    healer.handle()
    assert healer.incident.status is Status.PROPOSED
    remove(healer)
    healer.handle()
    assert healer.incident.reason is Reason.TARGET_REMOVED
    assert "`selfheal close " in healer.sns.sent[-1]["Message"]
    assert close(healer).status is Status.CLOSED
    assert listed(healer) == set()


def test_of_one_that_was_only_observed_nobody_is_told(healer: Healer) -> None:
    healer.set(MODE=Mode.OBSERVE)
    healer.break_down()
    healer.handle()
    remove(healer)
    healer.handle()
    assert healer.incident.reason is Reason.TARGET_REMOVED
    assert close(healer).status is Status.CLOSED
    assert healer.sns.sent == []


def test_drift_of_a_removed_target_is_closed_as_well(acted: Healer) -> None:
    verifying = acted.incident
    recovered = verifying.recovered(acted.now, Reason.RECOVERED).notified()
    acted.book.write(None, verifying, recovered)
    acted.handle()
    assert (acted.incident.status, acted.incident.reason) == (Status.RECOVERED, Reason.TARGET_REMOVED)
    assert listed(acted) == {"shop"}
    closed = close(acted)
    assert (closed.status, closed.standing) == (Status.CLOSED, ())
    assert listed(acted) == set()


def test_one_that_is_over_is_only_told_and_needs_nobody(acted: Healer) -> None:
    """Its last notice was under way when the target was removed."""
    verifying = acted.incident
    recovered = replace(verifying, standing=()).recovered(acted.now, Reason.RECOVERED)
    acted.book.write(None, verifying, replace(recovered, lease_until=iso(acted.now)))
    acted.handle()
    assert (acted.incident.status, acted.incident.reason) == (Status.RECOVERED, Reason.RECOVERED)
    assert "RECOVERED: shop" in acted.sns.sent[-1]["Subject"]
    assert listed(acted) == set()


def test_the_incident_of_a_configured_target_cannot_be_closed(healer: Healer) -> None:
    healer.break_down()
    healer.handle()
    request = healer.ask(Verb.CLOSE)
    healer.handle()
    (answered,) = healer.incident.requests
    assert (answered.id, answered.answer) == (request.id, Reason.COMMAND_REFUSED)
    assert (healer.incident.status, healer.incident.reason) == (Status.VERIFYING, Reason.APPLIED)


def test_a_target_that_comes_back_begins_anew() -> None:
    world = World()
    world.break_down()
    world.step()
    closed = world.incident.closed(world.now, OPERATOR, "a test").notified()
    world.book.write(None, world.incident, closed)
    world.function.change(FAILURE_RATE="0.3")
    world.pass_time(120)
    world.break_down()
    world.step()
    assert world.incident.id != closed.id
    assert (world.incident.status, world.incident.closure) == (Status.VERIFYING, None)
    assert len(world.function.updates) == 2


def test_one_that_cannot_be_read_keeps_no_other_from_its_answer_and_the_run_fails(acted: Healer) -> None:
    fleet = acted.dynamodb.items["fleet", "open"]
    fleet["unfinished"] = {"SS": ["broken", *fleet["unfinished"]["SS"]]}
    broken = {"pk": {"S": "target#broken"}, "sk": {"S": "incident"}, "schema": {"N": "99"}}
    acted.dynamodb.put_item(TableName="ledger", Item=broken)
    request = acted.ask(Verb.CLOSE)
    with pytest.raises(acted.handler.RunFailedError, match=r"broken: the incident .*is of schema 99"):
        acted.handle()
    assert request.id in acted.incident.answered
    assert acted.incident.status is Status.CLOSED
