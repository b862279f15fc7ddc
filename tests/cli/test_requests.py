"""Approvals and commands as items: who asked for what, written once, never over what still waits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from selfheal.cli.errors import CliError
from selfheal.cli.operator import requests
from selfheal.functions.healer.observation import Request
from selfheal.functions.healer.words import Verb
from tests.cli.support import NOW, PLAN, TABLE, client, create_table, escalated, proposed, stored

ANN, BOB = "arn:aws:iam::123456789012:user/ann", "arn:aws:sts::123456789012:assumed-role/ops/bob"
DIGEST = PLAN.digest("fragile")
ONE = proposed()


def approval(plan: str = DIGEST, by: str = ANN) -> Request:
    return requests.make(Verb.APPROVE, ONE["id"], by, "", NOW, minutes=5, plan=plan)


def command(verb: Verb, by: str = ANN) -> Request:
    return requests.make(verb, ONE["id"], by, "why not", NOW)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        create_table()
        yield client()


def submit(dynamodb: Any, request: Request, *, minutes: float = 0, **changes: Any) -> requests.Asked:
    incident = proposed(**changes)
    return requests.submit(dynamodb, TABLE, request, incident, NOW + timedelta(minutes=minutes))


def test_an_approval_is_as_the_contract_has_it(dynamodb: Any) -> None:
    asked = submit(dynamodb, approval())
    assert not asked.earlier
    assert stored("approval#fragile", "approval") == {
        "pk": "approval#fragile",
        "sk": "approval",
        "schema": 2,
        "id": asked.request.id,
        "verb": "approve",
        "incident": ONE["id"],
        "plan": DIGEST,
        "by": ANN,
        "at": "2026-11-21T09:50:00.000Z",
        "until": "2026-11-21T09:55:00.000Z",
        "why": "",
    }
    assert len(asked.request.id) == 32


@pytest.mark.parametrize("verb", [Verb.ROLLBACK, Verb.RELEASE, Verb.RESTORE, Verb.ACCEPT])
def test_a_command_is_as_the_contract_has_it(dynamodb: Any, verb: Verb) -> None:
    asked = submit(dynamodb, command(verb))
    assert stored("command#fragile", "command") == {
        "pk": "command#fragile",
        "sk": "command",
        "schema": 2,
        "id": asked.request.id,
        "verb": verb.value,
        "incident": ONE["id"],
        "by": ANN,
        "at": "2026-11-21T09:50:00.000Z",
        "until": "2026-11-21T10:20:00.000Z",
        "why": "why not",
    }


def test_asking_twice_is_asking_once(dynamodb: Any) -> None:
    for first, again in (
        (approval(), approval(by=BOB)),
        (command(Verb.ROLLBACK), command(Verb.ROLLBACK, by=BOB)),
    ):
        kept = submit(dynamodb, first)
        asked = submit(dynamodb, again)
        assert asked.earlier
        assert asked.request == kept.request


def test_a_command_is_not_written_over_another_that_waits(dynamodb: Any) -> None:
    submit(dynamodb, command(Verb.RELEASE))
    with pytest.raises(CliError, match=f"A release of .* still waits.*{ANN} asked for it.*why not"):
        submit(dynamodb, command(Verb.ROLLBACK, by=BOB))
    found = stored("command#fragile", "command")
    assert found is not None
    assert found["verb"] == "release"


def test_what_was_answered_or_expired_or_is_of_another_incident_waits_no_more(dynamodb: Any) -> None:
    first = submit(dynamodb, command(Verb.RELEASE)).request
    answered = submit(dynamodb, command(Verb.ROLLBACK), answered=["x", first.id])
    assert not answered.earlier
    expired = submit(dynamodb, command(Verb.ACCEPT), minutes=30)
    assert not expired.earlier
    assert not submit(dynamodb, command(Verb.RELEASE), id="fragile-2").earlier


def test_an_approval_of_an_older_plan_is_replaced(dynamodb: Any) -> None:
    submit(dynamodb, approval(plan="0" * 16))
    submit(dynamodb, approval(by=BOB))
    found = stored("approval#fragile", "approval")
    assert found is not None
    assert (found["plan"], found["by"]) == (DIGEST, BOB)


def test_an_approval_does_not_stand_in_the_way_of_a_command(dynamodb: Any) -> None:
    submit(dynamodb, approval())
    assert not submit(dynamodb, command(Verb.ROLLBACK)).earlier


class Racing:
    """Somebody else asks between our read and our write."""

    def __init__(self, real: Any, theirs: Request) -> None:
        self.real, self.theirs = real, theirs

    def get_item(self, **request: Any) -> Any:
        return self.real.get_item(**request)

    def put_item(self, **request: Any) -> Any:
        self.real.put_item(TableName=TABLE, Item=requests.to_item(self.theirs, "fragile"))
        return self.real.put_item(**request)


@pytest.mark.parametrize("before", [None, approval(plan="0" * 16)])
def test_a_lost_race_writes_nothing(dynamodb: Any, before: Request | None) -> None:
    if before is not None:
        submit(dynamodb, before)
    theirs = approval(plan="1" * 16, by=BOB)
    with pytest.raises(CliError, match="Someone else asked for something about fragile at the same moment"):
        submit(Racing(dynamodb, theirs), approval())
    found = stored("approval#fragile", "approval")
    assert found is not None
    assert found["id"] == theirs.id


class Refusing:
    """A ledger that may not be written."""

    def __init__(self, code: str) -> None:
        self.code = code

    def get_item(self, **_request: Any) -> dict[str, Any]:
        return {}

    def put_item(self, **_request: Any) -> Any:
        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "PutItem")


def test_who_may_not_is_told_what_is_missing() -> None:
    with pytest.raises(CliError, match=f"{ANN} may not approve: dynamodb:PutItem .* approval#fragile"):
        submit(Refusing("AccessDeniedException"), approval())
    with pytest.raises(ClientError):
        submit(Refusing("ThrottlingException"), approval())


@pytest.mark.parametrize(
    "item",
    [None, {"incident": ONE["id"], "id": "x"}, {"incident": ONE["id"], "verb": "fly", "until": "never"}],
)
def test_what_makes_no_sense_does_not_wait(item: dict[str, Any] | None) -> None:
    assert requests.waiting(item, ONE, NOW) is None


def test_a_request_is_read_back_as_it_was_written(dynamodb: Any) -> None:
    asked = submit(dynamodb, approval()).request
    item = requests.read(dynamodb, TABLE, Verb.APPROVE, "fragile")
    assert requests.waiting(item, ONE, NOW) == asked
    assert requests.waiting(item, escalated(id="other"), NOW) is None
    assert replace(asked, plan=None) != asked
