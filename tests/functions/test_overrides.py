import json
import time
from typing import Any

import pytest

from selfheal.functions.shared.overrides import LOG_SECONDS, TRUST_SECONDS, TTL_SECONDS, Overrides, connect
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import Tried


class Table:
    """The table as the service reads it, which may fail, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.remedy = Tried("override", dynamodb=MemoryTable())
        self.asked: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.overrides = Overrides(self, "ledger", "shop", lambda: self.now)

    def get_item(self, **arguments: Any) -> Any:
        self.asked.append(arguments)
        if self.failure is not None:
            raise self.failure
        return self.remedy.aws.dynamodb.get_item(**arguments | {"ConsistentRead": True})

    def write(self, value: str | None) -> None:
        """Write as the healer does."""
        assert self.remedy.write(self.remedy.read(), value) is None

    def get(self, after: float = 0) -> str:
        self.now += after
        return self.overrides.get("FAILURE_RATE", "0.3")


@pytest.fixture
def table() -> Table:
    return Table()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_reads_what_the_healer_writes_and_the_baseline_where_it_wrote_nothing(table: Table) -> None:
    assert table.get() == "0.3"
    table.write("0")
    assert table.get(after=TTL_SECONDS) == "0"
    assert table.overrides.get("OTHER", "its own") == "its own"
    table.write(None)
    assert table.get(after=TTL_SECONDS) == "0.3"


def test_it_asks_once_in_the_time_that_an_answer_is_good_for(table: Table) -> None:
    table.get()
    table.write("0")
    for _ in range(5):
        assert table.get(after=0.5) == "0.3"
    assert len(table.asked) == 1
    assert table.get(after=0.5) == "0"
    assert len(table.asked) == 2
    assert not any(arguments["ConsistentRead"] for arguments in table.asked)


def test_a_clock_that_is_set_back_makes_it_ask_again(table: Table) -> None:
    table.get()
    table.write("0")
    assert table.get(after=-3600) == "0"


def test_the_last_known_value_is_used_for_a_minute_and_then_the_baseline(table: Table) -> None:
    table.write("0")
    assert table.get() == "0"
    table.failure = TimeoutError("slow")
    assert table.get(after=TTL_SECONDS) == "0"
    assert table.get(after=TRUST_SECONDS - TTL_SECONDS - 1) == "0"
    assert table.get(after=1) == "0.3"
    table.failure = None
    assert table.get(after=TTL_SECONDS) == "0"


def test_a_ledger_that_fails_is_not_asked_with_every_request(table: Table) -> None:
    table.failure = TimeoutError("slow")
    for _ in range(10):
        assert table.get(after=0.1) == "0.3"
    assert len(table.asked) == 1


def test_a_failure_is_logged_once_a_minute_and_says_no_more_than_its_kind(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    table.failure = TimeoutError("told about a secret")
    for _ in range(10):
        table.get(after=TTL_SECONDS)
    (line,) = logged(capsys)
    assert (line["message"], line["error"], line["target"]) == ("override not read", "TimeoutError", "shop")
    assert "secret" not in json.dumps(line)
    table.get(after=LOG_SECONDS)
    assert len(logged(capsys)) == 1


@pytest.mark.parametrize("item", [{"value": "bare"}, {"value": {"N": "0"}}, None, []])
def test_an_item_that_makes_no_sense_is_as_good_as_none(item: Any) -> None:
    class Odd:
        def get_item(self, **_: Any) -> Any:
            return {"Item": item}

    assert Overrides(Odd(), "ledger", "shop", lambda: 0.0).get("FAILURE_RATE", "0.3") == "0.3"


def test_a_ledger_that_does_not_answer_costs_a_request_under_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        overrides = connect("ledger", "shop", time.time)
        began = time.monotonic()
        assert overrides.get("FAILURE_RATE", "0.3") == "0.3"
        assert 0.25 < time.monotonic() - began < 1
    assert logged(capsys)[0]["error"] == "ReadTimeoutError"
