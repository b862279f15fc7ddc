"""The ledger does not answer, holds what makes no sense, or was forged: docs/failures.md."""

import socket
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from selfheal.functions.healer import aws
from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.healer.target import Remedy, Setting
from selfheal.functions.shared.contract import HEALER_TIMEOUT_SECONDS, Limits
from tests.functions.support.handler import Healer
from tests.functions.support.world import TARGET, World

INCIDENT = ("target#shop", "incident")
FLEET = {"pk": {"S": "fleet"}, "sk": {"S": "open"}}
CART = replace(TARGET, name="cart", function="cart-fn", remedies=(Remedy("override", "MODE", "safe"),))
SCHEDULE = {"wake": "schedule"}


def test_a_ledger_that_does_not_answer_ends_the_run_and_nothing_is_done(
    healer: Healer, monkeypatch: pytest.MonkeyPatch
) -> None:
    healer.break_down()
    usual = aws.connect("ledger", "people").dynamodb.meta.config
    monkeypatch.setattr("selfheal.functions.healer.aws._CONFIG", usual.merge(Config(read_timeout=0.2)))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
        slow = aws.connect("ledger", "people")
        healer.set(AWS=replace(healer.aws, ledger=slow.ledger, dynamodb=slow.dynamodb))
        began = time.monotonic()
        with pytest.raises(ReadTimeoutError):
            healer.handle()
    # Both tries were made; how long a run may be is for the configured timeouts to say, below.
    assert 2 * 0.2 < time.monotonic() - began < HEALER_TIMEOUT_SECONDS
    assert (healer.function.updates, healer.sns.sent) == ([], [])
    assert healer.aws.ledger.read("shop") is None


def test_a_call_that_gets_no_answer_raises_well_within_the_time_of_a_run() -> None:
    """At worst each try waits for a connection and for an answer, with a second between the two."""
    clients = aws.connect("ledger", "people")
    for client in (clients.dynamodb, clients.cloudwatch, clients.lambda_, clients.sns):
        config = client.meta.config
        tries = config.retries["total_max_attempts"]
        assert tries * (config.connect_timeout + config.read_timeout) + tries - 1 < HEALER_TIMEOUT_SECONDS / 2


REQUEST = {
    "id": {"S": "a request"},
    "verb": {"S": "rollback"},
    "by": {"S": "someone"},
    "at": {"S": "2026-11-21T09:40:00.000Z"},
    "until": {"S": "2999-11-21T09:40:00.000Z"},
}
MISSING = [pytest.param({name: None}, id=f"no {name}") for name in (*REQUEST, "incident")]
WRONG = [
    pytest.param({"verb": {"S": "delete"}}, id="a verb that is none"),
    pytest.param({"verb": {"N": "1"}}, id="a verb that is a number"),
    pytest.param({"until": {"N": "4102444800"}}, id="a time that is a number"),
    pytest.param({"until": {"S": "soon"}}, id="a time that is none"),
    pytest.param({"until": {"S": "2999-11-21T09:40:00"}}, id="a time without a zone"),
]


@pytest.mark.parametrize("change", MISSING + WRONG)
def test_a_request_that_makes_no_sense_stops_its_target_only(healer: Healer, change: dict[str, Any]) -> None:
    healer.set(LIMITS=Limits(blast_radius=1))
    healer.look_after(CART)
    healer.break_down()
    healer.handle()
    incident = healer.aws.ledger.read("cart")
    assert incident is not None
    command = {"pk": {"S": "command#cart"}, "sk": {"S": "command"}, "incident": {"S": incident.id}}
    command = {name: value for name, value in (command | REQUEST | change).items() if value is not None}
    healer.dynamodb.put_item(TableName="ledger", Item=command)
    healer.look_after(CART, TARGET)
    with pytest.raises(healer.handler.RunFailedError, match="1 of 2 targets failed: cart"):
        healer.handle()
    assert healer.aws.ledger.read("cart") == incident
    assert (healer.incident.status, len(healer.function.updates)) == (Status.VERIFYING, 1)


def test_an_approval_among_the_commands_undoes_nothing(world: World) -> None:
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    world.ask(Verb.ROLLBACK)
    command = world.dynamodb.items["command#shop", "command"]
    world.dynamodb.put_item(TableName="ledger", Item=command | {"verb": {"S": "approve"}})
    with suppress(ValueError):
        world.step()
    assert world.function.variables["FAILURE_RATE"] == "0"


def test_an_incident_that_the_ledger_lost_after_the_act_is_not_acted_upon_again(world: World) -> None:
    world.act()
    del world.dynamodb.items[INCIDENT]
    assert world.step().reason is Reason.ALREADY_APPLIED
    assert (world.incident.status, len(world.sns.sent)) == (Status.ESCALATED, 1)
    assert len(world.function.updates) == 1


def test_a_ledger_restored_to_before_the_act_makes_no_second_one(world: World) -> None:
    world.break_down()
    kept: list[dict[str, Any]] = []
    world.function.before = lambda: kept.append(world.dynamodb.items[INCIDENT])
    world.step()
    world.dynamodb.put_item(TableName="ledger", Item=kept[0])
    assert world.step().reason is Reason.BUSY
    world.pass_time(LEASE.total_seconds())
    assert world.step().reason is Reason.APPLIED_EARLIER
    assert len(world.function.updates) == 1


def test_a_fleet_that_makes_no_sense_allows_no_act(healer: Healer) -> None:
    healer.dynamodb.put_item(TableName="ledger", Item=FLEET | {"version": {"S": "many"}})
    healer.break_down()
    with pytest.raises(healer.handler.RunFailedError, match=r"the fleet: .*damaged in version .*many"):
        healer.handle()
    assert healer.function.updates == []
    assert healer.aws.ledger.read("shop") is None


def test_when_the_count_of_the_fleet_is_lost_the_targets_own_still_holds(world: World) -> None:
    world.limits = Limits(budget=1, target_budget=1)
    world.heal()
    assert world.step().reason is Reason.RECOVERED
    del world.dynamodb.items["fleet", "open"]
    world.function.change(FAILURE_RATE="0.3")
    assert world.step().reason is Reason.DRIFT_ENDED
    world.pass_time(60 - world.now.second % 60)
    assert world.act().reason is Reason.BUDGET_SPENT
    assert len(world.function.updates) == 1


def forge(world: World) -> Plan:
    """Forge an intent after an act, when the alarm has cleared."""
    world.act()
    world.cloudwatch.set("fast", "OK", world.now)
    return world.forge_intent()


def test_a_forged_intent_on_a_setting_that_is_no_remedy_is_refused(world: World) -> None:
    forge(world)
    assert world.step().reason is Reason.NO_REMEDY
    assert world.function.variables["OTHER"] == "kept"
    assert len(world.function.updates) == 1


def test_a_forged_intent_is_refused_again_before_the_act(world: World) -> None:
    plan = forge(world)
    seen = replace(world.observe(), about=Setting("environment", "OTHER"), live=Live("kept", "1", None))
    intent = replace(world.incident, version=world.incident.version + 1, plan=plan)
    with pytest.raises(ValueError, match="environment:OTHER is no remedy of target shop"):
        execute(seen, Decision(Reason.ROLLED_BACK, intent), world.aws, world.clock)
    assert world.function.variables["OTHER"] == "kept"
