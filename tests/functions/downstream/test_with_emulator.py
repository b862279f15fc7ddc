"""The handler and its table, on the emulator's DynamoDB, whose conditional writes are atomic."""

import importlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import ModuleType
from typing import Any

import pytest

from selfheal.functions.downstream import store as store_module
from selfheal.functions.downstream.core import Mode, Outcome, Request, Setting
from selfheal.functions.downstream.store import SETTING_KEY, Store, setting_item
from selfheal.sandbox.emulator import Emulator
from tests.functions.support.remedy_fakes import create_table

pytestmark = pytest.mark.slow

THREADS = 20


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


class Downstream:
    """A table of its own, and the handler on it."""

    def __init__(self, emulator: Emulator, table: str) -> None:
        self.client = emulator.clients.get("dynamodb")
        self.table = table
        create_table(self.client, table)
        self.store = Store(self.client, table)
        self.handler = ModuleType("not started")

    def set(self, **values: Any) -> None:
        typed = {k: {"S": v} if isinstance(v, str) else {"N": str(v)} for k, v in values.items()}
        self.client.put_item(TableName=self.table, Item=SETTING_KEY | typed)

    def call(self, key: str, data: object = None, caller: str = "shop") -> tuple[int, dict[str, Any]]:
        told = self.handler.handle({"key": key, "caller": caller, "data": data}, None)
        return told["statusCode"], json.loads(told["body"])

    def items(self, pk: str) -> list[dict[str, Any]]:
        found = self.client.query(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found]

    def counters(self) -> dict[str, int]:
        (item,) = self.items("counters")
        return {name: int(value) for name, value in item.items() if name not in SETTING_KEY}


@pytest.fixture
def downstream(
    emulator: Emulator, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Downstream:
    made = Downstream(emulator, request.node.name[:100].replace("[", "-").replace("]", ""))
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    monkeypatch.setenv("DOWNSTREAM_TABLE", made.table)
    monkeypatch.setenv("RATE", "1000")
    monkeypatch.setenv("BURST", "1000")
    from selfheal.functions.downstream import handler

    made.handler = importlib.reload(handler)
    return made


def at_once(call: Any) -> list[Any]:
    """Call from many threads that begin together."""
    barrier = Barrier(THREADS)

    def begin(number: int) -> Any:
        barrier.wait(10)
        return call(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(THREADS)))


def test_twenty_calls_with_one_key_have_one_effect_and_one_answer(downstream: Downstream) -> None:
    told = at_once(lambda number: downstream.call("o1", {"amount": 1}, f"caller-{number}"))
    assert {status for status, _ in told} == {200}
    assert Counter(body["outcome"] for _, body in told) == {"effect": 1, "duplicate": THREADS - 1}
    assert len({body["at"] for _, body in told}) == 1
    (effect,) = downstream.items("effects")
    assert effect["sk"] == "o1"
    assert downstream.counters() == {"calls": THREADS, "effect": 1, "duplicate": THREADS - 1}


def test_a_key_that_comes_with_other_data_is_a_conflict_that_changes_nothing(downstream: Downstream) -> None:
    downstream.call("o1", {"amount": 1})
    before = downstream.items("effects")
    status, body = downstream.call("o1", {"amount": 2})
    assert (status, body["outcome"]) == (422, "conflict")
    assert downstream.items("effects") == before


def test_a_switch_ends_by_itself_though_its_item_stays(downstream: Downstream) -> None:
    end = time.time() + 3
    downstream.client.put_item(TableName=downstream.table, Item=setting_item(Setting(Mode.OUTAGE), end))
    assert downstream.call("o1")[0] == 503
    time.sleep(max(0.0, end - time.time()))
    assert downstream.call("o1")[0] == 200
    assert len(downstream.items("setting")) == 1


def test_every_call_is_written_down_with_time_caller_key_and_outcome(downstream: Downstream) -> None:
    began = time.time()
    downstream.call("o1")
    downstream.call("o1", caller="other")
    downstream.call("")
    downstream.handler.handle({"health": True, "caller": "probe"}, None)
    calls = sorted(downstream.items("calls"), key=lambda call: int(call["number"]))
    assert [(call["caller"], call["key"], call["outcome"]) for call in calls] == [
        ("shop", "o1", "effect"),
        ("other", "o1", "duplicate"),
        ("", "", "invalid"),
        ("probe", "", "health"),
    ]
    assert all(began - 0.001 <= float(call["at"]) <= time.time() for call in calls)
    kept_from = [float(call["expires_at"]) - store_module.CALL_SECONDS for call in calls]
    assert all(began - 1 < moment <= time.time() for moment in kept_from)
    assert downstream.counters() == {"calls": 4, "effect": 1, "duplicate": 1, "invalid": 1, "health": 1}


def test_the_log_of_calls_keeps_the_latest_and_the_counters_all(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "CALLS_KEPT", 10)
    for _ in range(25):
        downstream.store.log_call("shop", "o1", Outcome.UNAVAILABLE, 0.0)
    assert sorted(int(call["number"]) for call in downstream.items("calls")) == list(range(16, 26))
    assert downstream.counters() == {"calls": 25, "unavailable": 25}


def test_concurrent_calls_are_all_counted(downstream: Downstream) -> None:
    numbers = at_once(lambda _: downstream.store.log_call("shop", "o1", Outcome.ERROR, 0.0))
    assert sorted(numbers) == list(range(1, THREADS + 1))
    assert len(downstream.items("calls")) == THREADS


def test_the_rate_holds_whatever_the_number_of_workers(downstream: Downstream) -> None:
    def spent(now: float) -> int:
        return at_once(lambda _: downstream.store.take(rate=10, burst=4, now=now)).count(0.0)

    assert spent(1000.0) == 4
    assert spent(1000.0) == 0
    assert spent(1000.1) == 1
    assert spent(1000.35) == 2
    assert spent(2000.0) == 4


def test_over_time_exactly_the_rate_is_served_and_the_others_are_told_when_to_come(
    downstream: Downstream,
) -> None:
    waits = [downstream.store.take(rate=20, burst=5, now=1000 + number / 100) for number in range(300)]
    # A burst of 5, and 20 a second for 2.99 s.
    assert waits.count(0.0) == 5 + 59
    assert all(0 <= wait <= 0.05 for wait in waits)
    wait = downstream.store.take(rate=20, burst=5, now=1002.99)
    assert wait > 0
    assert downstream.store.take(rate=20, burst=5, now=1002.99 + wait) == 0


def test_a_call_above_the_rate_is_429_and_has_no_effect(downstream: Downstream) -> None:
    downstream.set(rate=0.1, burst=1)
    assert downstream.call("o1")[0] == 200
    told = downstream.handler.handle({"key": "o2", "caller": "shop"}, None)
    assert told["statusCode"] == 429
    assert 1 <= int(told["headers"]["retry-after"]) <= 10
    assert [effect["sk"] for effect in downstream.items("effects")] == ["o1"]


def test_a_switch_holds_within_its_time_to_live(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [0.0]
    real = time.time
    monkeypatch.setattr(downstream.handler.time, "time", lambda: real() + later[0])
    downstream.handler = importlib.reload(downstream.handler)
    assert downstream.call("o1")[0] == 200
    downstream.set(mode="outage")
    later[0] += downstream.handler.TTL_SECONDS
    assert downstream.call("o2")[0] == 503
    downstream.set(mode="errors", share=1)
    later[0] += downstream.handler.TTL_SECONDS
    assert downstream.call("o2")[0] == 500
    # Of a wrong setting the last good one holds.
    downstream.set(mode="nonsense")
    later[0] += downstream.handler.TTL_SECONDS
    assert downstream.call("o2")[0] == 500
    downstream.set()
    later[0] += downstream.handler.TTL_SECONDS
    assert downstream.call("o2")[0] == 200
    assert sorted(effect["sk"] for effect in downstream.items("effects")) == ["o1", "o2"]


def test_what_is_delayed_is_done_and_counted_before_the_delay(
    downstream: Downstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, int, int]] = []

    def killed(seconds: float) -> None:
        seen.append((seconds, len(downstream.items("effects")), downstream.counters()["calls"]))
        raise TimeoutError

    downstream.set(mode="latency", seconds=5)
    monkeypatch.setattr(downstream.handler.time, "sleep", killed)
    with pytest.raises(TimeoutError):
        downstream.call("o1")
    assert seen == [(5.0, 1, 1)]
    monkeypatch.undo()
    assert downstream.store.effect(Request("shop", "o1", "null"), 0.0).outcome is Outcome.DUPLICATE
