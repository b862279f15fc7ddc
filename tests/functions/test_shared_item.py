"""The item that all targets share: reconciled with the incidents, and damaged without hiding them."""

from dataclasses import replace
from typing import Any

import pytest

from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Limits
from tests.functions.support.faults import aws_error
from tests.functions.support.handler import Healer
from tests.functions.support.world import TARGET, World

OTHER_TARGET = replace(TARGET, name="cart", function="cart-fn")
INCIDENT = ("target#shop", "incident")
FLEET = ("fleet", "open")
SETS = ("acting", "targets", "standing", "unfinished")
EVERY_SET = {name: ["shop"] for name in SETS}


def sets(world: World) -> dict[str, list[str]]:
    item = world.dynamodb.items[FLEET]
    return {name: item[name]["SS"] for name in SETS if name in item}


@pytest.fixture
def acted(healer: Healer) -> Healer:
    """A healer whose remedy stands in an open incident, at the world's time."""
    healer.dynamodb.clock = healer.clock
    healer.break_down()
    for _ in range(2):
        healer.handle()  # the change, and that it has settled
    assert sets(healer) == EVERY_SET
    return healer


def test_an_incident_that_was_deleted_by_hand_no_longer_blocks_up_and_people_are_told(acted: Healer) -> None:
    del acted.dynamodb.items[INCIDENT]
    acted.cloudwatch.set("fast", "OK", acted.now)
    acted.handle()
    assert acted.open_targets() == frozenset()
    assert sets(acted) == {"unfinished": ["shop"]}
    assert (acted.incident.status, acted.incident.reason) == (Status.ESCALATED, Reason.RECORD_LOST)
    [told] = acted.sns.sent
    assert told["Subject"] == "[selfheal] ESCALATED: shop (incident-lost-from-the-ledger)"
    assert "The ledger's item of this target's incident is gone" in told["Message"]
    for _ in range(3):
        acted.pass_time(60)
        acted.handle()
    assert len(acted.sns.sent) == 1
    assert len(acted.function.updates) == 1, "nothing is done about what is not known"


def test_so_does_that_of_a_target_that_a_deployment_removed(acted: Healer) -> None:
    del acted.dynamodb.items[INCIDENT]
    acted.look_after(OTHER_TARGET)
    acted.cloudwatch.set("fast", "OK", acted.now)
    for _ in range(3):
        acted.pass_time(60)
        acted.handle()
    assert acted.open_targets() == frozenset()
    [told] = acted.sns.sent
    assert "target-removed" in told["Subject"]
    assert "The ledger's item of this target's incident is gone" in told["Message"]
    acted.ask(Verb.CLOSE)
    acted.handle()
    assert acted.incident.status is Status.CLOSED
    assert sets(acted) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({}, id="lost"),
        pytest.param({"acting": {"SS": ["shop"]}}, id="restored from before"),
        pytest.param(dict.fromkeys((*SETS, "acts"), None), id="emptied"),
    ],
)
def test_what_it_says_wrongly_of_a_known_incident_is_mended_without_a_word(
    acted: Healer, wrong: dict[str, Any]
) -> None:
    incident, fleet = acted.incident, {"pk": {"S": "fleet"}, "sk": {"S": "open"}}
    acted.dynamodb.items[FLEET] = fleet | {name: value for name, value in wrong.items() if value}
    acted.handle()
    acted.handle()
    assert sets(acted) == EVERY_SET
    assert acted.sns.sent == []
    assert replace(acted.incident, version=incident.version) == incident


def test_nothing_is_mended_where_nothing_is_wrong(acted: Healer) -> None:
    version = acted.incident.version
    for _ in range(3):
        acted.handle()
    assert acted.incident.version == version


@pytest.mark.parametrize(
    "damage",
    [
        {"version": {"S": "many"}},
        {"acts": {"S": "yesterday"}},
        {"acts": {"L": [{"S": "yesterday"}]}},
        {"trouble": {"S": "none"}},
    ],
)
def test_when_it_is_damaged_nothing_is_applied_and_all_else_goes_on(
    acted: Healer, damage: dict[str, Any]
) -> None:
    """The budget is not known. What was begun is verified and closed all the same."""
    acted.dynamodb.items[FLEET] = acted.dynamodb.items[FLEET] | damage
    acted.be_well()
    with pytest.raises(acted.handler.RunFailedError, match=r"^the fleet: .*is damaged in .*Mend these"):
        acted.handle()
    assert acted.incident.status is Status.RECOVERED
    acted.function.change(FAILURE_RATE="0.3")
    acted.align()
    acted.pass_time(120)
    if "trouble" in damage:
        acted.handle()  # that attribute is the healer's own, and made again
        return
    acted.break_down()
    with pytest.raises(
        acted.handler.RunFailedError, match=r"shop: no remedy .* so: the fleet's item is damaged$"
    ):
        acted.handle()
    assert len(acted.function.updates) == 1


def test_a_damaged_set_is_made_again_once_it_is_deleted(acted: Healer) -> None:
    good = acted.dynamodb.items[FLEET]
    acted.dynamodb.items[FLEET] = good | {"targets": {"S": "shop"}}
    with pytest.raises(acted.handler.RunFailedError, match="damaged in targets"):
        acted.handle()
    acted.dynamodb.items[FLEET] = {name: value for name, value in good.items() if name != "targets"}
    for _ in range(2):
        acted.handle()
    assert acted.open_targets() == {"shop"}


def deny(healer: Healer, function: str) -> None:
    read = healer.function.get_function_configuration

    def refused(FunctionName: str) -> dict[str, Any]:
        if FunctionName == function:
            raise aws_error("AccessDeniedException", "GetFunctionConfiguration")
        return read(FunctionName)

    healer.function.get_function_configuration = refused  # type: ignore[method-assign]


def failing_runs(healer: Healer, minutes: int) -> None:
    for _ in range(minutes):
        healer.pass_time(60)
        with pytest.raises(healer.handler.RunFailedError):
            healer.handle()


def test_a_changed_target_that_can_no_longer_be_read_does_not_disarm_the_fleet(acted: Healer) -> None:
    """Of two targets one may be under a change. After a while people take that one over."""
    acted.set(LIMITS=Limits(blast_radius=0.5))
    acted.look_after(TARGET, OTHER_TARGET)
    deny(acted, "shop-fn")
    failing_runs(acted, 14)
    assert sets(acted)["acting"] == ["shop"]
    failing_runs(acted, 4)
    assert (acted.incident.status, acted.incident.reason) == (Status.ESCALATED, Reason.TARGET_UNREADABLE)
    assert "acting" not in sets(acted)
    assert acted.standing == ["environment:FAILURE_RATE"]
    assert sum("target-not-readable" in each["Subject"] for each in acted.sns.sent) == 1


TOLD_BY = {13: 0, 17: 1, 73: 1, 80: 2}
"""Notices until a minute: after 15, and every hour from then on."""


def test_why_a_target_cannot_be_handled_is_told_once_it_lasts_and_again_each_day(healer: Healer) -> None:
    healer.dynamodb.clock = healer.clock
    deny(healer, "shop-fn")
    healer.break_down()
    healer.set(LIMITS=Limits(remind_seconds=3600))
    told = "shop, since "
    for minute in range(100):
        healer.traffic(100, 30, seconds=60)
        with pytest.raises(healer.handler.RunFailedError):
            healer.handle()
        if minute in TOLD_BY:
            assert len(healer.sns.sent) == TOLD_BY[minute], f"minute {minute}"
    assert told in healer.sns.sent[0]["Message"]
    assert "ClientError AccessDeniedException GetFunctionConfiguration" in healer.sns.sent[0]["Message"]
    assert healer.sns.sent[0]["Subject"] == "[selfheal] not handled: shop"
    del healer.function.get_function_configuration  # type: ignore[attr-defined]
    for _ in range(3):
        healer.traffic(100, 30, seconds=60)
        healer.handle()
    assert healer.dynamodb.items[FLEET]["trouble"] == {"M": {}}


def test_what_fails_for_a_minute_only_is_left_to_the_alarm(healer: Healer) -> None:
    healer.dynamodb.clock = healer.clock
    for _ in range(40):
        healer.pass_time(60)
        healer.cloudwatch.status_code = "InternalError"
        missing = healer.cloudwatch.states.pop("fast")
        with pytest.raises(healer.handler.RunFailedError, match="alarms not found: fast; deploy"):
            healer.handle()
        healer.cloudwatch.states["fast"] = missing
        healer.pass_time(60)
        healer.handle()
    assert healer.sns.sent == []


DAMAGED = [
    pytest.param({"schema": {"N": "3"}}, r"is of schema 3, and this version knows up to 2", id="newer"),
    pytest.param({"status": None}, r"is damaged: .*status", id="a field is missing"),
    pytest.param({"reason": {"S": "of-tomorrow"}}, r"is damaged: .*of-tomorrow", id="a word is none"),
    pytest.param({"plan": {"S": "{"}}, r"is damaged", id="not as it should be"),
    pytest.param({"version": {"S": "x"}}, r"is damaged", id="no number"),
]


@pytest.mark.parametrize(("change", "text"), DAMAGED)
def test_an_incident_that_cannot_be_read_hides_only_itself_and_is_told_once_a_day(
    acted: Healer, change: dict[str, Any], text: str
) -> None:
    item = acted.dynamodb.items[INCIDENT] | change
    acted.dynamodb.items[INCIDENT] = {name: value for name, value in item.items() if value is not None}
    kept = acted.dynamodb.items[INCIDENT]
    acted.set(LIMITS=Limits(blast_radius=1))
    acted.look_after(TARGET, replace(TARGET, name="cart"))
    for _ in range(40):
        acted.traffic(100, 30, seconds=60)
        with pytest.raises(acted.handler.RunFailedError, match=f"1 of 2 targets failed: shop: .*{text}"):
            acted.handle()
    assert acted.dynamodb.items[INCIDENT] == kept
    about_it = [each for each in acted.sns.sent if each["Subject"] == "[selfheal] not handled: shop"]
    assert len(about_it) == 1
    assert acted.aws.ledger.read("cart") is not None


@pytest.mark.parametrize("kind", ["command", "approval"])
def test_a_request_of_a_later_schema_hides_only_itself(acted: Healer, kind: str) -> None:
    """The incident goes on to its end; only nothing new is applied."""
    request = {"pk": {"S": f"{kind}#shop"}, "sk": {"S": kind}, "schema": {"N": "9"}}
    acted.dynamodb.put_item(TableName="ledger", Item=request)
    acted.be_well()
    with pytest.raises(acted.handler.RunFailedError, match=rf"shop: the {kind} .*shop.* schema 9"):
        acted.handle()
    assert acted.incident.status is Status.RECOVERED


def test_with_a_mode_that_is_none_it_observes_and_goes_on_judging(acted: Healer) -> None:
    item = {"pk": {"S": "mode"}, "sk": {"S": "override"}, "version": {"N": "1"}, "mode": {"S": "yolo"}}
    acted.dynamodb.put_item(TableName="ledger", Item=item)
    acted.be_well()
    with pytest.raises(acted.handler.RunFailedError, match=r"^the mode: .*'yolo'.*the healer only observes"):
        acted.handle()
    assert acted.incident.status is Status.RECOVERED
    acted.function.change(FAILURE_RATE="0.3")
    acted.pass_time(120)
    acted.align()
    acted.break_down()
    with pytest.raises(acted.handler.RunFailedError):
        acted.handle()
    assert len(acted.function.updates) == 1
    assert acted.incident.status is Status.PROPOSED
