"""Waking the healer, waiting for it, and telling its answer."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError

from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.exits import ExitCode
from selfheal.cli.operator import answer
from selfheal.cli.operator.answer import (
    Answer,
    answer_to,
    new_transitions,
    request_and_wait,
    require_healer,
    wait_for_answer,
    wake_healer,
)
from selfheal.cli.operator.ledger import Ledger
from selfheal.cli.operator.requests import make_request, to_item
from selfheal.functions.healer.answers import what_next
from selfheal.functions.healer.incident_fields import Answered
from selfheal.functions.healer.states import Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, TABLE, Screen, client, moved, proposed, put

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
    for one in ({}, error("AccessDeniedException"), EndpointConnectionError(endpoint_url="http://x")):
        clients = Clients(one)
        require_healer(ledger(clients))
        assert clients.asked == [{"FunctionName": "healer", "InvocationType": "DryRun"}]
    require_healer(ledger(Clients(error("ResourceNotFoundException")), healer=None))


@pytest.mark.usefixtures("dynamodb")
def test_waiting_ends_with_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            answers = (answered(Reason.APPROVED, done=True), replace(answered(Reason.NO_REMEDY), id="other"))
            put(moved(BEFORE, Status.VERIFYING, Reason.APPLIED).answering(*answers))

    put(BEFORE)
    monkeypatch.setattr("time.sleep", sleep)
    found = wait_for_answer(ledger(Clients({})), REQUEST, BEFORE, 60)
    assert found == Answer("VERIFYING", "applied", refused=False)
    assert len(slept) == 3


@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize("seconds", [0, 0.05])
def test_waiting_ends_with_the_time(seconds: float) -> None:
    put(BEFORE)
    assert wait_for_answer(ledger(Clients({})), REQUEST, BEFORE, seconds) is None


def answered(answer: Reason, *, done: bool = False) -> Answered:
    """The record of the request, as the healer writes it."""
    return REQUEST.answered(NOW, answer, done=done)


def test_an_answer_is_what_the_incident_says_of_the_request() -> None:
    """Whatever the healer did since, and whatever else it answered."""
    other = replace(answered(Reason.COMMAND_REFUSED), id="other")
    done = moved(BEFORE, Status.ACTING, Reason.APPROVED).answering(
        answered(Reason.APPROVED, done=True), other
    )
    went_on = moved(done, Status.VERIFYING, Reason.APPLIED)
    assert answer_to(REQUEST, went_on) == Answer("VERIFYING", "applied", refused=False)
    stale = BEFORE.answering(other, answered(Reason.APPROVAL_STALE))
    went_on = moved(stale, Status.RECOVERED, Reason.RECOVERED_UNAIDED)
    advice = what_next(answered(Reason.APPROVAL_STALE), BEFORE.id)
    assert answer_to(REQUEST, went_on) == Answer("RECOVERED", "approval-stale", refused=True, next=advice)


def test_what_is_new_in_a_history() -> None:
    done = moved(moved(BEFORE, Status.ACTING, Reason.APPROVED), Status.VERIFYING, Reason.APPLIED)
    assert [line.reason for line in new_transitions(done, BEFORE)] == ["approved", "applied"]


CODES: dict[tuple[float | None, bool, bool], ExitCode] = {
    # how long to wait, the healer is known, it could be woken
    (None, True, True): ExitCode.UNANSWERED,
    (None, True, False): ExitCode.UNANSWERED,
    (None, False, False): ExitCode.OK,
    (0, True, True): ExitCode.OK,
    (0.1, True, True): ExitCode.UNANSWERED,
    (0.1, False, False): ExitCode.UNANSWERED,
}


@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize("case", CODES, ids=str)
def test_a_script_can_tell_an_answer_from_none(
    monkeypatch: pytest.MonkeyPatch, case: tuple[float | None, bool, bool]
) -> None:
    wait, known, woken = case
    monkeypatch.setattr(answer, "DEFAULT_WAIT_SECONDS", 0.1)
    put(BEFORE)
    clients = Clients({"StatusCode": 200} if woken else failed(b"oops"))
    book = ledger(clients, "healer" if known else None)
    code, shown = outcome(book, wait)
    assert code == CODES[case]
    assert "The healer has not answered yet. Watch it: selfheal incidents follow" in shown


@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize(
    ("reason", "done", "code", "words"),
    [
        (Reason.APPROVED, True, ExitCode.OK, "Accepted: the incident is PROPOSED"),
        (
            Reason.BUDGET_SPENT,
            False,
            ExitCode.FOUND,
            "Refused: budget-spent. The incident is PROPOSED.",
        ),
        (Reason.APPROVAL_EXPIRED, False, ExitCode.FOUND, "Refused: approval-expired."),
        (Reason.VALID_TOO_LONG, False, ExitCode.FOUND, "valid for 24 hours at most"),
        (Reason.RECOVERED_UNAIDED, False, ExitCode.FOUND, "Refused: recovered-without-an-act."),
    ],
)
def test_the_exit_code_and_the_words_say_how_it_was_answered(
    monkeypatch: pytest.MonkeyPatch, reason: Reason, done: bool, code: ExitCode, words: str
) -> None:
    put(BEFORE)

    def wake_healer(_ledger: Ledger, _output: Output) -> bool:
        put(BEFORE.answering(replace(answered(reason, done=done))))
        return True

    monkeypatch.setattr(answer, "wake_healer", wake_healer)
    ended, shown = outcome(ledger(Clients({})), None)
    assert ended == code
    assert words in shown


@pytest.mark.usefixtures("dynamodb")
def test_who_asked_for_something_else_meanwhile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    put(BEFORE)

    def wake_healer(_ledger: Ledger, _output: Output) -> bool:
        theirs = make_request(Verb.APPROVE, BEFORE.id, "arn:bob", "", NOW, plan="1" * 16)
        client().put_item(TableName=TABLE, Item=to_item(theirs, BEFORE.target))
        return True

    monkeypatch.setattr(answer, "wake_healer", wake_healer)
    code, shown = outcome(ledger(Clients({})), 0.1)
    assert code == ExitCode.UNANSWERED
    assert f"Meanwhile arn:bob has asked for approve of {BEFORE.id}. Yours was not taken up." in shown


def outcome(book: Ledger, wait: float | None) -> tuple[int, str]:
    """Ask, and return the exit code and what was said."""
    screen, code = Screen.make(), 0
    try:
        request_and_wait(book, REQUEST, BEFORE, wait, screen)
    except typer.Exit as left:
        code = left.exit_code
    return code, " ".join(screen.text.split())
