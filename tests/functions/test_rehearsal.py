"""The rehearsal of an incident: every call is made, a denied one is named, and nothing is changed."""

import json
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.functions.healer.rehearsal import rehearse
from selfheal.functions.healer.target import Target
from selfheal.functions.shared.contract import Mode, RemedyKind
from tests.functions.support.faults import CANARY, aws_error
from tests.functions.support.handler import Healer
from tests.functions.support.remedy_fakes import CALLS_THROUGH, VALUES, target_with
from tests.functions.support.world import FAST, World

REHEARSE = {"wake": "rehearse"}
EVERY_KIND = replace(target_with(*RemedyKind), probe='{"path": "/"}', alias="live")


def every_kind() -> World:
    """A target with all kinds of remedies, and a probe."""
    world = World(EVERY_KIND)
    world.function.variables |= CALLS_THROUGH
    world.aws = replace(world.aws, prober=SimpleNamespace(invoke=lambda **_: {"StatusCode": 204}))
    return world


def rehearsed(world: World, mode: Mode = Mode.ACT, **more: Any) -> list[dict[str, Any]]:
    calls = rehearse(world.aws, [world.target], mode, **more)["calls"]
    assert json.loads(json.dumps(calls)), "it is an answer of Lambda"
    return calls


def failed(calls: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(call["call"], call["on"], call["code"]) for call in calls if not call["ok"]]


def test_every_call_of_an_incident_is_made_once_and_nothing_is_written() -> None:
    world = every_kind()
    world.set_mode(Mode.SUGGEST)
    before = deepcopy((world.dynamodb.items, world.function.variables, world.function.alias))
    calls = rehearsed(world)
    assert failed(calls) == []
    assert (world.dynamodb.items, world.function.variables, world.function.alias) == before
    assert world.sns.forms == []
    assert not [action for action in world.function.actions if "Update" in action or "Put" in action]
    assert {call["call"] for call in calls} == {
        *("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
        *("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:TransactWriteItems"),
        *("lambda:GetFunctionConfiguration", "lambda:GetAlias", "lambda:ListVersionsByFunction"),
        *("lambda:GetFunctionConcurrency", "lambda:GetEventSourceMapping", "lambda:InvokeFunction"),
    }


def test_the_keys_of_every_family_of_the_ledger_are_read() -> None:
    read = {
        call["keys"]
        for call in rehearsed(World())
        if call["call"] == "dynamodb:GetItem" and not call["target"]
    }
    assert read == {
        ("mode",),
        ("fleet",),
        ("target#rehearsal",),
        ("approval#rehearsal",),
        ("command#rehearsal",),
    }


def test_in_mode_observe_what_the_role_may_not_do_is_not_tried() -> None:
    calls = [call["call"] for call in rehearsed(every_kind(), Mode.OBSERVE)]
    assert not {"dynamodb:PutItem", "lambda:InvokeFunction"} & {*calls}
    assert "dynamodb:TransactWriteItems" in calls


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("get_alias", "lambda:GetAlias"),
        ("list_versions_by_function", "lambda:ListVersionsByFunction"),
        ("get_function_concurrency", "lambda:GetFunctionConcurrency"),
        ("get_event_source_mapping", "lambda:GetEventSourceMapping"),
    ],
)
def test_a_read_of_a_target_that_is_denied_is_named_and_the_others_are_made(method: str, call: str) -> None:
    world = every_kind()
    world.function = world.aws.lambda_
    denied = aws_error("AccessDeniedException", call.split(":")[1])

    def refuse(**_: Any) -> None:
        raise denied

    if method == "list_versions_by_function":
        world.function.get_paginator = lambda _: SimpleNamespace(paginate=refuse)  # type: ignore[method-assign]
    else:
        setattr(world.function, method, refuse)
    calls = rehearsed(world)
    where = "event-source-mapping:*" if "Mapping" in call else "function:shop-fn"
    assert failed(calls) == [(call, where, "AccessDeniedException")]


class Denying:
    """A table of which one part of a transaction is denied, or only all together."""

    def __init__(self, table: Any, denies: Callable[[Counter[str]], bool]) -> None:
        self.table, self.denies = table, denies

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> Any:
        if self.denies(Counter(next(iter(each)) for each in TransactItems)):
            raise aws_error("AccessDeniedException", "TransactWriteItems")
        return self.table.transact_write_items(TransactItems=TransactItems)


@pytest.mark.parametrize(
    ("part", "call"),
    [
        ("ConditionCheck", "dynamodb:ConditionCheckItem"),
        ("Put", "dynamodb:PutItem"),
        ("Update", "dynamodb:UpdateItem"),
    ],
)
def test_of_a_transaction_that_is_denied_the_part_is_named(part: str, call: str) -> None:
    world = World()
    world.aws = replace(world.aws, dynamodb=Denying(world.dynamodb, lambda parts: part in parts))
    assert failed(rehearsed(world)) == [(call, "table/ledger", "AccessDeniedException")]


def test_a_transaction_that_is_denied_only_as_a_whole_is_told_as_that() -> None:
    """LeadingKeys within a transaction: no document says how AWS sees several partitions together."""
    world = World()
    world.aws = replace(world.aws, dynamodb=Denying(world.dynamodb, lambda parts: len(parts) > 1))
    assert failed(rehearsed(world)) == [
        ("dynamodb:TransactWriteItems", "table/ledger", "AccessDeniedException")
    ]


def test_an_alarm_that_is_missing_is_told() -> None:
    world = World()
    del world.cloudwatch.states["backstop"]
    [call] = [call for call in rehearsed(world) if not call["ok"]]
    assert (call["call"], call["code"]) == ("cloudwatch:DescribeAlarms", "UnreadableError")
    assert "alarms not found: backstop" in call["said"]


def test_metrics_that_are_forbidden_are_told() -> None:
    world = World(replace(World().target, alarms=(FAST,)))
    world.cloudwatch.status_code = "Forbidden"
    assert failed(rehearsed(world)) == [("cloudwatch:GetMetricData", "*", "UnreadableError")]


def test_a_target_that_is_gone_or_whose_environment_cannot_be_read_is_told() -> None:
    world = World()
    world.function.readable = False
    assert failed(rehearsed(world)) == [("kms:Decrypt", "function:shop-fn", "EnvironmentUnreadable")]
    world.function.exists = False
    assert [code for _, _, code in failed(rehearsed(world))] == ["ResourceNotFound"]


def test_people_are_told_only_if_asked(healer: Healer, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, str]] = []
    monkeypatch.setattr(healer.sns, "publish", lambda **message: told.append(message))
    calls = healer.handle(REHEARSE)["calls"]
    assert (failed(calls), told) == ([], [])
    calls = healer.handle({**REHEARSE, "tell": True})["calls"]
    assert [call["ok"] for call in calls if call["call"] == "sns:Publish"] == [True]
    assert [message["Subject"] for message in told] == ["[selfheal] a rehearsal"]
    assert "Nothing is wrong" in told[0]["Message"]


@pytest.mark.parametrize("event", [{**REHEARSE, "tell": "true"}, {**REHEARSE, "other": 1}])
def test_another_event_that_looks_like_it_is_dropped(healer: Healer, event: dict[str, Any]) -> None:
    assert healer.handle(event) == {"wake": None, "decisions": {}}


def test_in_an_incident_a_rehearsal_does_nothing_about_it(healer: Healer) -> None:
    healer.break_down()
    before = deepcopy(healer.dynamodb.items)
    assert healer.handle(REHEARSE)["wake"] == "rehearse"
    assert (healer.dynamodb.items, healer.function.updates) == (before, [])


def test_no_value_of_an_environment_leaves_the_healer() -> None:
    assert CANARY not in json.dumps(rehearsed(every_kind()))


def test_an_override_is_written_under_a_condition_that_no_item_meets() -> None:
    world = World(Target("shop", "shop-fn", 0.001, (FAST,), target_with("override").remedies))
    [call] = [call for call in rehearsed(world) if call["call"] == "dynamodb:PutItem"]
    assert (call["ok"], call["keys"]) == (True, ("override#shop",))
    world.dynamodb.items["override#shop", VALUES["override"][0]] = {"pk": {"S": "x"}, "sk": {"S": "y"}}
    [call] = [call for call in rehearsed(world) if call["call"] == "dynamodb:PutItem"]
    assert call["ok"]
    assert world.dynamodb.items["override#shop", "FAILURE_RATE"]["pk"] == {"S": "x"}
