"""Whole runs of the healer's handler, as Lambda calls it."""

import importlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.healer.target import Target
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.world import CANARY, TARGET, TOPIC, World, aws_error

OTHER_TARGET = replace(TARGET, name="cart", function="cart-fn")


def notification(state: str, alarm: str = "fast", at: str = "2026-11-21T09:40:00.000+0000") -> dict[str, Any]:
    message = json.dumps({"AlarmName": alarm, "NewStateValue": state, "StateChangeTime": at})
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": TOPIC, "Message": message}}]}


FORGED = {"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": TOPIC + "-forged", "Message": "ALARM"}}]}
TWO_DAYS_OLD = notification("ALARM", at="2026-11-19T09:40:00.000+0000")
NUDGES = [
    pytest.param(notification("OK"), id="an OK notification"),
    pytest.param(notification("ALARM", "unrelated"), id="an unrelated alarm"),
    pytest.param(TWO_DAYS_OLD, id="a message two days old"),
    pytest.param({"wake": "schedule"}, id="the schedule"),
]
DROPPED = [pytest.param({}, id="nothing"), pytest.param(FORGED, id="a forged topic")]


@pytest.mark.parametrize("event", NUDGES + DROPPED)
def test_with_the_alarm_in_ok_nothing_is_done_whatever_the_event_says(
    healer: tuple[ModuleType, World], event: dict[str, Any]
) -> None:
    module, world = healer
    world.traffic(100, 0)
    module.handle(event, None)
    assert world.function.updates == []
    assert world.aws.ledger.read("shop") is None


@pytest.mark.parametrize("event", NUDGES)
def test_with_the_alarm_in_alarm_any_nudge_is_enough(
    healer: tuple[ModuleType, World], event: dict[str, Any]
) -> None:
    module, world = healer
    world.break_down()
    module.handle(event, None)
    assert len(world.function.updates) == 1


@pytest.mark.parametrize("event", DROPPED)
def test_with_the_alarm_in_alarm_other_events_are_dropped_before_anything_is_read(
    healer: tuple[ModuleType, World], event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    module, world = healer
    world.break_down()
    world.dynamodb.delete_table(TableName="ledger")
    assert module.handle(event, None) == {"wake": None, "decisions": {}}
    assert world.function.updates == []
    assert "event dropped" in capsys.readouterr().out


def in_memory(module: ModuleType, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledger where calls take no time, and where transactions of several threads are some.

    With moto, one that fails takes back what another thread has written.
    """
    table = MemoryTable()
    world.aws = replace(world.aws, ledger=Ledger(table, "ledger"), dynamodb=table)
    monkeypatch.setattr(module, "AWS", world.aws)


def test_a_thousand_duplicates_make_one_act(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, world = healer
    in_memory(module, world, monkeypatch)
    world.break_down()
    runs = [module.handle(notification("ALARM"), None) for _ in range(1000)]
    assert len(runs) == 1000
    assert len(world.function.updates) == 1
    assert (world.incident.status, world.incident.acts) == (Status.VERIFYING, 1)


def test_runs_at_the_same_time_make_one_act(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, world = healer
    in_memory(module, world, monkeypatch)
    world.break_down()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: module.handle(notification("ALARM"), None), range(64)))
    assert len(world.function.updates) == 1
    assert world.incident.acts == 1


def test_a_failing_target_raises_but_does_not_keep_the_others_from_being_healed(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module, world = healer
    world.break_down()
    monkeypatch.setattr(module, "TARGETS", (OTHER_TARGET, TARGET))
    read = world.function.get_function_configuration

    def deny_other(FunctionName: str) -> dict[str, Any]:
        if FunctionName == "cart-fn":
            raise aws_error("AccessDeniedException", "GetFunctionConfiguration")
        return read(FunctionName)

    monkeypatch.setattr(world.function, "get_function_configuration", deny_other)
    with pytest.raises(module.RunFailedError, match="1 of 2 targets failed: cart: ClientError"):
        module.handle({"wake": "schedule"}, None)
    assert len(world.function.updates) == 1
    printed = capsys.readouterr().out
    assert "AccessDeniedException GetFunctionConfiguration" in printed
    assert CANARY not in printed


def test_the_log_says_what_was_decided_and_holds_no_secret(
    healer: tuple[ModuleType, World], capsys: pytest.CaptureFixture[str]
) -> None:
    module, world = healer
    world.break_down()
    module.handle(notification("ALARM"), None)
    printed = capsys.readouterr().out
    line = json.loads(printed.splitlines()[-1])
    assert (line["message"], line["target"], line["reason"]) == (
        "decision",
        "shop",
        "alarm-confirmed-by-metrics",
    )
    assert line["status"] == "VERIFYING"
    assert CANARY not in printed


def test_a_target_that_was_removed_from_configuration_no_longer_blocks_a_deployment(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, world = healer
    world.break_down()
    module.handle({"wake": "schedule"}, None)
    assert world.open_targets() == {"shop"}
    monkeypatch.setattr(module, "TARGETS", (OTHER_TARGET,))
    for _ in range(3):
        module.handle({"wake": "schedule"}, None)
    assert world.open_targets() == set()
    assert world.incident.reason is Reason.TARGET_REMOVED
    told = [message for message in world.sns.sent if "target-removed" in message["Subject"]]
    assert len(told) == 1
    assert "left as it is: environment:FAILURE_RATE from '0.3' to '0'" in told[0]["Message"]


@pytest.mark.parametrize(("name", "value"), [("MODE", "yolo"), ("TARGETS", "{}"), ("TARGETS", "[{}]")])
def test_a_misconfigured_healer_does_not_start(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    module, _ = healer
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=r"yolo|TARGETS must be"):
        importlib.reload(module)


def test_probes_of_all_targets_share_the_time_of_one_run(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first target's probes use it up; the second is probed by no more than a later run allows."""
    module, world = healer
    left: list[float] = []
    monkeypatch.setattr(module, "TARGETS", (TARGET, OTHER_TARGET))
    moments = iter([100.0, 100.4, 100.5, 103.9, 104.0])
    clock = SimpleNamespace(monotonic=moments.__next__, time=time.time)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "execute", lambda *_, probe_seconds: left.append(probe_seconds))
    world.traffic(100, 0)
    module.handle({"wake": "schedule"}, None)
    assert left == [4.5, 1.0]


def test_no_target_is_begun_when_the_run_may_be_ended_and_each_is_first_in_its_turn(
    healer: tuple[ModuleType, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, world = healer
    monkeypatch.setattr(module, "TARGETS", (TARGET, OTHER_TARGET))
    world.traffic(100, 0)
    looked: list[list[str]] = []
    for minute in range(4):
        spent = SimpleNamespace(now=0.0)

        def step(target: Target, *_: object, spent: SimpleNamespace = spent) -> str:
            looked[-1].append(target.name)
            spent.now += 16
            return Reason.HEALTHY

        looked.append([])
        monkeypatch.setattr(module, "_step", step)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda spent=spent: spent.now))
        clock = SimpleNamespace(ahead=None, now=lambda minute=minute: world.now + timedelta(minutes=minute))
        monkeypatch.setattr(world.aws.ledger, "read_clock", lambda clock=clock: clock)
        with pytest.raises(module.RunFailedError, match=r"1 of 2 targets failed: (shop|cart): OutOfTime"):
            module.handle({"wake": "schedule"}, None)
    assert looked in ([["shop"], ["cart"]] * 2, [["cart"], ["shop"]] * 2)
