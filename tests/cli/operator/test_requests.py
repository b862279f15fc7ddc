"""Approvals and commands as items: who asked for what, written once, never over what still waits."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator.requests import Submitted, make_request, pending, submit, to_item
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Reason, Verb
from tests.cli.support import DIGEST, NOW, TABLE, Racing, client, escalated, proposed, serialized, stored

ANN, BOB = "arn:aws:iam::123456789012:user/ann", "arn:aws:sts::123456789012:assumed-role/ops/bob"
ONE = proposed()


def approval(plan: str = DIGEST, by: str = ANN) -> Request:
    return make_request(Verb.APPROVE, ONE.id, by, "", NOW, minutes=5, plan=plan)


def command(verb: Verb, by: str = ANN) -> Request:
    return make_request(verb, ONE.id, by, "why not", NOW)


def ask(dynamodb: Any, request: Request, *, minutes: float = 0, **changes: Any) -> Submitted:
    return submit(dynamodb, TABLE, request, proposed(**changes), NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("request_", "kind", "fields"),
    [
        (approval(), "approval", {"plan": DIGEST, "until": "2026-11-21T09:55:00.000Z", "why": ""}),
        *(
            (command(verb), "command", {"until": "2026-11-21T10:20:00.000Z", "why": "why not"})
            for verb in (Verb.ROLLBACK, Verb.RELEASE, Verb.RESTORE, Verb.ACCEPT)
        ),
    ],
)
def test_an_item_is_as_the_contract_has_it(
    dynamodb: Any, request_: Request, kind: str, fields: dict[str, str]
) -> None:
    assert ask(dynamodb, request_) == Submitted(request_)
    key = {"pk": f"{kind}#fragile", "sk": kind, "schema": 2}
    asked = {"id": request_.id, "verb": request_.verb.value, "incident": ONE.id, "by": ANN}
    assert stored(f"{kind}#fragile", kind) == key | asked | {"at": "2026-11-21T09:50:00.000Z"} | fields
    assert len(request_.id) == 32
    assert pending(dynamodb, TABLE, ONE, NOW) == [request_]
    assert pending(dynamodb, TABLE, escalated(id="other"), NOW) == []


@pytest.mark.parametrize(
    ("first", "again"),
    [(approval(), approval(by=BOB)), (command(Verb.ROLLBACK), command(Verb.ROLLBACK, by=BOB))],
)
def test_asking_twice_is_asking_once(dynamodb: Any, first: Request, again: Request) -> None:
    ask(dynamodb, first)
    assert ask(dynamodb, again) == Submitted(first, earlier=True)


def test_a_command_is_not_written_over_another_that_waits(dynamodb: Any) -> None:
    ask(dynamodb, command(Verb.RELEASE))
    with pytest.raises(CliError, match=f"A release of .* still waits.*{ANN} asked for it.*why not"):
        ask(dynamodb, command(Verb.ROLLBACK, by=BOB))
    assert stored("command#fragile", "command")["verb"] == "release"


def test_what_was_answered_or_expired_or_is_of_another_incident_waits_no_more(dynamodb: Any) -> None:
    first = ask(dynamodb, command(Verb.RELEASE)).request
    answered = (first.answered(NOW, Reason.RELEASED, done=True),)
    assert not ask(dynamodb, command(Verb.ROLLBACK), requests=answered).earlier
    assert not ask(dynamodb, command(Verb.ACCEPT), minutes=30).earlier
    assert not ask(dynamodb, command(Verb.RELEASE), id="fragile-2").earlier


def test_an_approval_of_an_older_plan_is_replaced_and_hinders_no_command(dynamodb: Any) -> None:
    ask(dynamodb, approval(plan="0" * 16))
    ask(dynamodb, approval(by=BOB))
    found = stored("approval#fragile", "approval")
    assert (found["plan"], found["by"]) == (DIGEST, BOB)
    assert not ask(dynamodb, command(Verb.ROLLBACK)).earlier


@pytest.mark.parametrize("before", [None, approval(plan="0" * 16)])
def test_a_lost_race_writes_nothing(dynamodb: Any, before: Request | None) -> None:
    if before is not None:
        ask(dynamodb, before)
    theirs = approval(plan="1" * 16, by=BOB)
    racing = Racing(dynamodb, lambda: client().put_item(TableName=TABLE, Item=to_item(theirs, "fragile")))
    with pytest.raises(CliError, match="Someone else asked for something about fragile at the same moment"):
        ask(racing, approval())
    assert stored("approval#fragile", "approval")["id"] == theirs.id


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("AccessDeniedException", CliError, f"{ANN} may not approve: dynamodb:PutItem .* approval#fragile"),
        ("ThrottlingException", ClientError, "no"),
    ],
)
def test_who_may_not_is_told_what_is_missing(
    dynamodb: Any, code: str, error: type[Exception], words: str
) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "PutItem")

    with pytest.raises(error, match=words):
        ask(Racing(dynamodb, refuse), approval())


@pytest.mark.parametrize("fields", [{"id": "x"}, {"verb": "fly", "until": "never"}, {"verb": "approve"}])
def test_what_makes_no_sense_does_not_wait_and_is_replaced(dynamodb: Any, fields: dict[str, str]) -> None:
    key = {"pk": "approval#fragile", "sk": "approval", "id": "y"}
    dynamodb.put_item(TableName=TABLE, Item=serialized(key | {"incident": ONE.id} | fields))
    assert pending(dynamodb, TABLE, ONE, NOW) == []
    assert not ask(dynamodb, approval()).earlier
