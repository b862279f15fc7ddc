"""Waking the healer, waiting for it, and telling its answer."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.answer import (
    Answer,
    answer_to,
    new_transitions,
    require_healer,
    wait_for_answer,
    wake_healer,
)
from selfheal.cli.operator.ledger import Ledger
from selfheal.cli.operator.requests import make_request
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, TABLE, Screen, client, escalated, moved, proposed, put

BEFORE = proposed()
REQUEST = make_request(Verb.APPROVE, BEFORE.id, "arn:ann", "", NOW, plan="0" * 16)


class Clients:
    """Stands in for Lambda's client, and keeps what it was asked; DynamoDB is moto's."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def get(self, service: str) -> Any:
        return self if service == "lambda" else client()

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ledger(clients: Clients, healer: str | None = "healer") -> Ledger:
    return Ledger(clients, TABLE, healer, Mode.ACT, "as deployed")


def test_the_healer_is_woken_as_an_operator_does() -> None:
    clients, screen = Clients({"StatusCode": 200}), Screen.make()
    assert wake_healer(ledger(clients), screen)
    assert [(one["FunctionName"], json.loads(one["Payload"])) for one in clients.asked] == [
        ("healer", {"wake": "operator"})
    ]
    assert screen.text == ""


def test_an_unknown_healer_is_left_to_its_schedule() -> None:
    clients, screen = Clients({}), Screen.make()
    assert not wake_healer(ledger(clients, healer=None), screen)
    assert clients.asked == []
    assert "within a minute" in screen.text


def failed(payload: bytes) -> dict[str, Any]:
    return {"FunctionError": "Unhandled", "Payload": io.BytesIO(payload)}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (EndpointConnectionError(endpoint_url="http://x"), "http://x"),
        (failed(b'{"errorMessage": "1 of 2 failed"}'), "1 of 2 failed"),
        (failed(b"oops"), "Unhandled"),
    ],
)
def test_a_failure_to_wake_it_is_only_told(answer: dict[str, Any] | Exception, why: str) -> None:
    screen = Screen.make()
    assert not wake_healer(ledger(Clients(answer)), screen)
    assert why in screen.text
    assert "If its schedule still runs" in screen.text


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "of AWS"}}, "Invoke")


def test_a_healer_that_does_not_exist_is_refused_and_one_that_may_exist_is_not() -> None:
    with pytest.raises(CliError, match=r"Nothing was asked: the healer healer, .* does not exist"):
        require_healer(ledger(Clients(error("ResourceNotFoundException"))))
    for answer in ({}, error("AccessDeniedException"), EndpointConnectionError(endpoint_url="http://x")):
        clients = Clients(answer)
        require_healer(ledger(clients))
        assert clients.asked == [{"FunctionName": "healer", "InvocationType": "DryRun"}]
    require_healer(ledger(Clients(error("ResourceNotFoundException")), healer=None))


@pytest.mark.usefixtures("dynamodb")
def test_waiting_ends_with_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            answered = ("other", REQUEST.id)
            put(replace(BEFORE, status=Status.VERIFYING, reason=Reason.APPLIED, answered=answered))

    put(BEFORE)
    monkeypatch.setattr("time.sleep", sleep)
    answer = wait_for_answer(ledger(Clients({})), REQUEST, BEFORE, 60)
    assert answer == Answer("VERIFYING", "applied", refused=False)
    assert len(slept) == 3


@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize("seconds", [0, 0.05])
def test_waiting_ends_with_the_time(seconds: float) -> None:
    put(BEFORE)
    assert wait_for_answer(ledger(Clients({})), REQUEST, BEFORE, seconds) is None


def test_an_answer_is_what_is_new() -> None:
    done = moved(moved(BEFORE, Status.ACTING, Reason.APPROVED), Status.VERIFYING, Reason.APPLIED)
    assert answer_to(Verb.APPROVE, done, BEFORE) == Answer("VERIFYING", "applied", refused=False)
    assert [line.reason for line in new_transitions(done, BEFORE)] == ["approved", "applied"]


def test_a_refusal_is_told_even_if_the_healer_went_on() -> None:
    stale = moved(BEFORE, Status.PROPOSED, Reason.APPROVAL_STALE)
    assert answer_to(Verb.APPROVE, stale, BEFORE) == Answer("PROPOSED", "approval-stale", refused=True)
    went_on = moved(stale, Status.RECOVERED, Reason.RECOVERED_UNAIDED)
    assert answer_to(Verb.APPROVE, went_on, BEFORE) == Answer("RECOVERED", "approval-stale", refused=True)


@pytest.mark.parametrize(("verb", "refused"), [(Verb.RELEASE, False), (Verb.ROLLBACK, True)])
def test_what_is_found_after_a_release_is_no_refusal_of_it(verb: Verb, refused: bool) -> None:
    before = escalated()
    found = moved(moved(before, Status.OPEN, Reason.RELEASED), Status.ESCALATED, Reason.VALUE_CHANGED)
    assert answer_to(verb, found, before).refused is refused
