"""Waking the healer and waiting for it."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from rich.console import Console

from selfheal.cli.console import Output
from selfheal.cli.operator.answer import Answer, nudge, wait_for
from selfheal.cli.operator.find_ledger import Reach
from selfheal.cli.operator.requests import make
from selfheal.functions.healer.words import Verb
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, TABLE, client, create_table, proposed, put

BEFORE = proposed()
REQUEST = make(Verb.APPROVE, BEFORE["id"], "arn:ann", "", NOW, plan="0" * 16)


class Lambda:
    """Stands in for Lambda's client, and keeps what it was asked."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Clients:
    """A Lambda of ours; DynamoDB is moto's."""

    def __init__(self, lambda_: Lambda) -> None:
        self.lambda_ = lambda_

    def get(self, service: str) -> Any:
        return self.lambda_ if service == "lambda" else client()


def reach(answer: dict[str, Any] | Exception, healer: str | None = "healer") -> tuple[Reach, Lambda]:
    lambda_ = Lambda(answer)
    return Reach(Clients(lambda_), TABLE, healer, Mode.ACT, "as deployed"), lambda_


@pytest.fixture
def output() -> Output:
    return Output(json=False, people=Console(file=io.StringIO(), width=200, soft_wrap=True))


def said(output: Output) -> str:
    assert isinstance(output.people.file, io.StringIO)
    return output.people.file.getvalue()


def test_the_healer_is_woken_as_an_operator_does(output: Output) -> None:
    there, lambda_ = reach({"StatusCode": 200})
    assert nudge(there, output)
    assert [(one["FunctionName"], json.loads(one["Payload"])) for one in lambda_.asked] == [
        ("healer", {"wake": "operator"})
    ]
    assert said(output) == ""


def test_an_unknown_healer_is_left_to_its_schedule(output: Output) -> None:
    there, lambda_ = reach({}, healer=None)
    assert not nudge(there, output)
    assert lambda_.asked == []
    assert "within a minute" in said(output)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (EndpointConnectionError(endpoint_url="http://x"), "http://x"),
        (
            {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "1 of 2 failed"}')},
            "1 of 2 failed",
        ),
        ({"FunctionError": "Unhandled", "Payload": io.BytesIO(b"oops")}, "Unhandled"),
    ],
)
def test_a_failure_to_wake_it_is_only_told(
    output: Output, answer: dict[str, Any] | Exception, why: str
) -> None:
    there, _ = reach(answer)
    assert not nudge(there, output)
    assert why in said(output)
    assert "within a minute" in said(output)


@pytest.fixture
def ledger() -> Iterator[None]:
    with mock_aws():
        create_table()
        put(BEFORE)
        yield


@pytest.mark.usefixtures("ledger")
def test_waiting_ends_with_the_answer() -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            put(BEFORE | {"status": "VERIFYING", "reason": "applied", "answered": ["other", REQUEST.id]})

    there, _ = reach({})
    assert wait_for(there, REQUEST, BEFORE, 60, sleep) == Answer("VERIFYING", "applied", refused=False)
    assert len(slept) == 3


@pytest.mark.usefixtures("ledger")
def test_waiting_ends_with_the_time() -> None:
    there, _ = reach({})
    assert wait_for(there, REQUEST, BEFORE, 0) is None
    assert wait_for(there, REQUEST, BEFORE, 0.05) is None
