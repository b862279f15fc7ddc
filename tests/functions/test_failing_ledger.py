"""The ledger does not answer, or holds what makes no sense: docs/failures.md."""

import socket
import time
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from selfheal.functions.healer import aws
from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import HEALER_TIMEOUT_SECONDS, Limits
from tests.functions.support.world import TARGET, World

INCIDENT = {"pk": {"S": "target#shop"}, "sk": {"S": "incident"}}
FLEET = {"pk": {"S": "fleet"}, "sk": {"S": "open"}}
CART = replace(TARGET, name="cart", function="cart-fn", remedies=(Remedy("override", "MODE", "safe"),))
SCHEDULE = {"wake": "schedule"}


def item_of(world: World, key: dict[str, Any]) -> dict[str, Any]:
    return world.dynamodb.get_item(TableName="ledger", Key=key)["Item"]


def test_a_ledger_that_does_not_answer_ends_the_run_and_nothing_is_done(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, world = healer
    world.break_down()
    usual = aws.connect("ledger", "people").dynamodb.meta.config
    monkeypatch.setattr("selfheal.functions.healer.aws._CONFIG", usual.merge(Config(read_timeout=0.2)))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
        slow = aws.connect("ledger", "people")
        monkeypatch.setattr(module, "AWS", replace(world.aws, ledger=slow.ledger, dynamodb=slow.dynamodb))
        began = time.monotonic()
        with pytest.raises(ReadTimeoutError):
            module.handle(SCHEDULE, None)
    # Both tries were made; how long a run may be is for the configured timeouts to say, below.
    assert 2 * 0.2 < time.monotonic() - began < HEALER_TIMEOUT_SECONDS
    assert (world.function.updates, world.sns.sent) == ([], [])
    assert world.aws.ledger.read("shop") is None


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
def test_a_request_that_makes_no_sense_stops_its_target_only(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    module, world = healer
    monkeypatch.setattr(module, "LIMITS", Limits(blast_radius=1))
    monkeypatch.setattr(module, "TARGETS", (CART,))
    world.break_down()
    module.handle(SCHEDULE, None)
    incident = world.aws.ledger.read("cart")
    assert incident is not None
    command = {"pk": {"S": "command#cart"}, "sk": {"S": "command"}, "incident": {"S": incident.id}}
    command = {name: value for name, value in (command | REQUEST | change).items() if value is not None}
    world.dynamodb.put_item(TableName="ledger", Item=command)
    monkeypatch.setattr(module, "TARGETS", (CART, TARGET))
    with pytest.raises(module.RunFailedError, match="1 of 2 targets failed: cart"):
        module.handle(SCHEDULE, None)
    assert world.aws.ledger.read("cart") == incident
    assert (world.incident.status, len(world.function.updates)) == (Status.VERIFYING, 1)


def test_an_approval_among_the_commands_undoes_nothing(world: World) -> None:
    world.break_down()
    world.step()
    world.cloudwatch.set("fast", "OK", world.now)
    world.ask(Verb.ROLLBACK)
    command = item_of(world, {"pk": {"S": "command#shop"}, "sk": {"S": "command"}})
    world.dynamodb.put_item(TableName="ledger", Item=command | {"verb": {"S": "approve"}})
    with suppress(ValueError):
        world.step()
    assert world.function.variables["FAILURE_RATE"] == "0"


def test_an_incident_that_the_ledger_lost_after_the_act_is_not_acted_upon_again(world: World) -> None:
    world.break_down()
    world.step()
    world.dynamodb.delete_item(TableName="ledger", Key=INCIDENT)
    assert world.step().reason is Reason.ALREADY_APPLIED
    assert (world.incident.status, len(world.sns.sent)) == (Status.ESCALATED, 1)
    assert len(world.function.updates) == 1


def test_a_ledger_restored_to_before_the_act_makes_no_second_one(world: World) -> None:
    world.break_down()
    kept: list[dict[str, Any]] = []
    world.function.before_update = lambda: kept.append(item_of(world, INCIDENT))
    world.step()
    world.dynamodb.put_item(TableName="ledger", Item=kept[0])
    assert world.step().reason is Reason.BUSY
    world.pass_time(LEASE.total_seconds())
    assert world.step().reason is Reason.APPLIED_EARLIER
    assert len(world.function.updates) == 1


def test_a_fleet_that_makes_no_sense_allows_no_act(healer: tuple[ModuleType, World]) -> None:
    module, world = healer
    world.dynamodb.put_item(TableName="ledger", Item=FLEET | {"version": {"S": "many"}})
    world.break_down()
    with pytest.raises(ValueError, match="many"):
        module.handle(SCHEDULE, None)
    assert world.function.updates == []
    assert world.aws.ledger.read("shop") is None


def test_when_the_count_of_the_fleet_is_lost_the_targets_own_still_holds(world: World) -> None:
    world.limits = Limits(budget=1, target_budget=1)
    world.heal()
    assert world.step().reason is Reason.RECOVERED
    world.dynamodb.delete_item(TableName="ledger", Key=FLEET)
    world.function.change(FAILURE_RATE="0.3")
    assert world.step().reason is Reason.DRIFT_ENDED
    world.pass_time(60 - world.now.second % 60)
    world.break_down()
    assert world.step().reason is Reason.BUDGET_SPENT
    assert len(world.function.updates) == 1
