"""The stack as a run reads it: its outputs, its orders, and the log of calls, which is a ring."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from selfheal.cli.chaos import stack as stack_module
from selfheal.cli.chaos.stack import Stack, find_stack
from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.location import Location
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.downstream.store import Store as Downstream
from selfheal.functions.orders.store import Store as Orders
from tests.cli.chaos.support import order
from tests.cli.support import TABLE

pytestmark = pytest.mark.slow

OUTPUTS = {
    "url": "https://example.test/v1",
    "ordersTable": TABLE,
    "downstreamTable": TABLE,
    "circuits": {"orders-downstream": TABLE},
    "deadLetters": {"billing": "https://sqs.test/billing"},
    "ledgerTable": TABLE,
}


class OneClient:
    """Hands out DynamoDB's client."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get(self, service: str) -> Any:
        assert service
        return self.client

    def patient(self, seconds: int) -> "OneClient":
        assert seconds
        return self


@pytest.fixture
def stack(dynamodb: Any) -> Stack:
    return Stack("orders", AwsAccess(OneClient(dynamodb), "moto", None, {}), OUTPUTS)


def test_orders_are_read_by_their_keys_however_many(stack: Stack, dynamodb: Any) -> None:
    for number in range(0, 230, 2):
        Orders(dynamodb, TABLE).create(order(number))
    found = stack.orders([("ann", f"o-{number}") for number in range(230)])
    assert sorted(found) == sorted(("ann", f"o-{number}") for number in range(0, 230, 2))
    assert found["ann", "o-4"] == order(4)


def test_what_dynamodb_leaves_out_of_an_answer_is_asked_for_again(stack: Stack, dynamodb: Any) -> None:
    real, asked = dynamodb.batch_get_item, []

    def some(RequestItems: Any) -> Any:
        keys = RequestItems[TABLE]["Keys"]
        asked.append(len(keys))
        answer = real(RequestItems={TABLE: {"Keys": keys[:3]}})
        left = {TABLE: {"Keys": keys[3:]}} if keys[3:] else {}
        return {**answer, "UnprocessedKeys": left}

    for number in range(7):
        Orders(dynamodb, TABLE).create(order(number))
    dynamodb.batch_get_item = some
    assert len(stack.orders([("ann", f"o-{number}") for number in range(7)])) == 7
    assert asked == [7, 4, 1]


def test_only_the_calls_since_are_read(stack: Stack, dynamodb: Any) -> None:
    log = Downstream(dynamodb, TABLE)
    assert (stack.calls_made(), stack.calls_since(0)) == (0, ())
    for number in range(5):
        log.log_call("ann", f"key-{number}", Outcome.EFFECT, 100.0 + number)
    assert stack.calls_made() == 5
    found = stack.calls_since(3)
    assert found is not None
    assert [(each.at, each.key) for each in found] == [(103.0, "key-3"), (104.0, "key-4")]
    assert stack.calls_since(5) == ()


def test_the_log_is_a_ring(stack: Stack, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stack_module, __import__("selfheal.functions.downstream.store", fromlist=["x"])):
        monkeypatch.setattr(module, "CALLS_KEPT", 6)
    log = Downstream(dynamodb, TABLE)
    for number in range(1, 16):
        log.log_call("ann", f"key-{number}", Outcome.EFFECT, 100.0 + number)
    found = stack.calls_since(10)
    assert found is not None
    assert [each.key for each in found] == [f"key-{number}" for number in range(11, 16)]
    assert stack.calls_since(9) is None  # the first of those was overwritten


def test_a_clock_that_is_wrong_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.check_clock()

    class Fast(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=90)

    monkeypatch.setattr(stack_module, "datetime", Fast)
    with pytest.raises(CliError, match=r"9\d s ahead of AWS's|89 s ahead"):
        stack.check_clock()
    assert Fast.now(UTC) > datetime.now(UTC)


def find(outputs: Any, tmp_path: Path, dynamodb: Any) -> Stack:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs))
    access = AwsAccess(OneClient(dynamodb), "moto", None, {})
    return find_stack(Location(stack="orders", aws=True), access, file)


def test_outputs_of_a_file(tmp_path: Path, dynamodb: Any) -> None:
    found = find(OUTPUTS, tmp_path, dynamodb)
    assert (found.ledger, found.name) == (TABLE, "orders")
    assert found.options == f" --stack orders --aws --ledger {TABLE}"


@pytest.mark.parametrize(
    ("said", "production"),
    [
        ({"sandbox": True}, False),
        ({"sandbox": False}, True),
        ({"sandbox": "true"}, True),
        ({"sandbox": 1}, True),
        ({"sandbox": None}, True),
        ({"sandbox": {"value": True}}, True),
        ({}, True),
    ],
)
@pytest.mark.parametrize("name", ["orders", "dev", "prod"])
def test_every_stack_is_production_that_does_not_say_that_it_is_a_sandbox(
    said: dict[str, Any], name: str, *, production: bool
) -> None:
    access = AwsAccess(OneClient(None), "AWS", None, {})
    assert Stack(name, access, {**OUTPUTS, **said}).is_production is production


def test_a_stack_of_another_service_is_refused(tmp_path: Path, dynamodb: Any) -> None:
    with pytest.raises(CliError, match="no output ordersTable, downstreamTable, circuits, deadLetters"):
        find({"url": "u", "ledgerTable": TABLE}, tmp_path, dynamodb)
    with pytest.raises(CliError, match="must hold a JSON object"):
        find([], tmp_path, dynamodb)
    access = AwsAccess(OneClient(dynamodb), "moto", None, {})
    with pytest.raises(
        CliError, match=r"there is no Pulumi CLI. Name the stack with -s; or save .*--outputs"
    ):
        find_stack(Location(stack="orders", aws=True), access, None)
    with pytest.raises(CliError, match="Cannot read the outputs"):
        find_stack(Location(stack="orders", aws=True), access, tmp_path / "none.json")
