"""Whole runs of the healer's handler, as Lambda calls it."""

import importlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.states import Reason, Status
from tests.functions.support.faults import CANARY, aws_error
from tests.functions.support.handler import Healer
from tests.functions.support.world import TARGET, TOPIC

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
    healer: Healer, event: dict[str, Any]
) -> None:
    healer.traffic(100, 0)
    healer.handle(event)
    assert healer.function.updates == []
    assert healer.aws.ledger.read("shop") is None


@pytest.mark.parametrize("event", NUDGES)
def test_with_the_alarm_in_alarm_any_nudge_is_enough(healer: Healer, event: dict[str, Any]) -> None:
    healer.break_down()
    healer.handle(event)
    assert len(healer.function.updates) == 1


@pytest.mark.parametrize("event", DROPPED)
def test_with_the_alarm_in_alarm_other_events_are_dropped_before_anything_is_read(
    healer: Healer, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    healer.break_down()
    healer.dynamodb.exists = False
    assert healer.handle(event) == {"wake": None, "decisions": {}}
    assert healer.function.updates == []
    assert "event dropped" in capsys.readouterr().out


@pytest.mark.slow
def test_a_thousand_duplicates_make_one_act(healer: Healer) -> None:
    healer.break_down()
    runs = [healer.handle(notification("ALARM")) for _ in range(1000)]
    assert len(runs) == 1000
    assert len(healer.function.updates) == 1
    assert (healer.incident.status, healer.incident.acts) == (Status.VERIFYING, 1)


def test_runs_at_the_same_time_make_one_act(healer: Healer) -> None:
    healer.break_down()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: healer.handle(notification("ALARM")), range(64)))
    assert len(healer.function.updates) == 1
    assert healer.incident.acts == 1


def test_a_failing_target_raises_but_does_not_keep_the_others_from_being_healed(
    healer: Healer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    healer.break_down()
    healer.look_after(OTHER_TARGET, TARGET)
    read = healer.function.get_function_configuration

    def deny_other(FunctionName: str) -> dict[str, Any]:
        if FunctionName == "cart-fn":
            raise aws_error("AccessDeniedException", "GetFunctionConfiguration")
        return read(FunctionName)

    monkeypatch.setattr(healer.function, "get_function_configuration", deny_other)
    with pytest.raises(healer.handler.RunFailedError, match="1 of 2 targets failed: cart: ClientError"):
        healer.handle()
    assert len(healer.function.updates) == 1
    printed = capsys.readouterr().out
    assert "AccessDeniedException GetFunctionConfiguration" in printed
    assert CANARY not in printed


def test_the_log_says_what_was_decided_and_holds_no_secret(
    healer: Healer, capsys: pytest.CaptureFixture[str]
) -> None:
    healer.break_down()
    healer.handle(notification("ALARM"))
    printed = capsys.readouterr().out
    line = json.loads(printed.splitlines()[-1])
    assert (line["message"], line["target"], line["reason"]) == (
        "decision",
        "shop",
        "alarm-confirmed-by-metrics",
    )
    assert line["status"] == "VERIFYING"
    assert CANARY not in printed


def test_a_target_that_was_removed_from_configuration_no_longer_blocks_a_deployment(healer: Healer) -> None:
    healer.break_down()
    healer.handle()
    assert healer.open_targets() == {"shop"}
    healer.look_after(OTHER_TARGET)
    for _ in range(3):
        healer.handle()
    assert healer.open_targets() == set()
    assert healer.incident.reason is Reason.TARGET_REMOVED
    told = [message for message in healer.sns.sent if "target-removed" in message["Subject"]]
    assert len(told) == 1
    assert "left as it is: environment:FAILURE_RATE from '0.3' to '0'" in told[0]["Message"]


@pytest.mark.parametrize(("name", "value"), [("MODE", "yolo"), ("TARGETS", "{}"), ("TARGETS", "[{}]")])
def test_a_misconfigured_healer_does_not_start(
    healer: Healer, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=r"yolo|TARGETS must be"):
        importlib.reload(healer.handler)


def test_probes_of_all_targets_share_the_time_of_one_run(healer: Healer) -> None:
    """The first target's probes use it up; the second is probed by no more than a later run allows."""
    left: list[float] = []
    healer.look_after(TARGET, OTHER_TARGET)
    moments = iter([100.0, 100.4, 100.5, 103.9, 104.0])
    clock = SimpleNamespace(monotonic=moments.__next__, time=time.time)
    healer.set(time=clock)
    healer.set(execute=lambda *_, probe_seconds: left.append(probe_seconds))
    healer.traffic(100, 0)
    healer.handle()
    assert left == [4.5, 1.0]


def test_no_target_is_begun_when_the_run_may_be_ended_and_each_is_first_in_its_turn(healer: Healer) -> None:
    healer.look_after(TARGET, OTHER_TARGET)
    healer.traffic(100, 0)
    looked: list[list[str]] = []
    for minute in range(4):
        spent = SimpleNamespace(now=0.0)

        def step(seen: Observation, *_: object, spent: SimpleNamespace = spent) -> str:
            looked[-1].append(seen.target.name)
            spent.now += 16
            return Reason.HEALTHY

        looked.append([])
        healer.set(_step=step)
        healer.set(time=SimpleNamespace(monotonic=lambda spent=spent: spent.now))
        healer.dynamodb.clock = lambda minute=minute: healer.now + timedelta(minutes=minute)
        with pytest.raises(
            healer.handler.RunFailedError, match=r"1 of 2 targets failed: (shop|cart): OutOfTime"
        ):
            healer.handle()
    assert looked in ([["shop"], ["cart"]] * 2, [["cart"], ["shop"]] * 2)
