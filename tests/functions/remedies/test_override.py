from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.live import Live
from tests.functions.support.faults import aws_error
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import Tried

KEY = {"pk": {"S": "override#shop"}, "sk": {"S": "FAILURE_RATE"}}


@pytest.fixture
def remedy() -> Tried:
    return Tried("override", dynamodb=MemoryTable())


def item(remedy: Tried) -> dict[str, Any]:
    return remedy.aws.dynamodb.items["override#shop", "FAILURE_RATE"]


def test_it_is_set_replaced_and_cleared_and_never_deleted(remedy: Tried) -> None:
    first = remedy.read()
    assert (first.value, first.token, first.exists) == (None, "0", True)
    assert remedy.write(first, "0") is None
    assert (remedy.read().value, remedy.read().token) == ("0", "1")
    stored = item(remedy)
    assert stored["schema"] == {"N": "2"}
    assert datetime.now(UTC) - parse_iso(stored["since"]["S"]) < timedelta(seconds=30)
    assert remedy.write(remedy.read(), "0.1") is None
    assert remedy.write(remedy.read(), None) is None
    cleared = remedy.read()
    assert (cleared.value, cleared.token) == (None, "3")
    assert "value" not in item(remedy)
    assert remedy.write(cleared, "0") is None
    assert (remedy.read().value, remedy.read().token) == ("0", "4")


def test_of_two_writers_the_first_wins(remedy: Tried) -> None:
    never_set = remedy.read()
    assert remedy.write(never_set, "0") is None
    assert remedy.write(never_set, "1") == "ConditionalCheckFailedException"
    seen = remedy.read()
    assert remedy.write(seen, None) is None
    assert remedy.write(seen, "1") == "ConditionalCheckFailedException"
    assert remedy.write(never_set, "1") == "ConditionalCheckFailedException"
    assert (remedy.read().value, remedy.read().token) == (None, "2")


def test_targets_and_keys_are_apart(remedy: Tried) -> None:
    assert remedy.write(remedy.read(), "0") is None
    assert Tried("override", dynamodb=remedy.aws.dynamodb, name="shop2").read().token == "0"


def test_a_deployment_shows_in_the_hashes_but_no_override_does(remedy: Tried) -> None:
    before = remedy.read()
    remedy.write(before, "0")
    assert remedy.read().configuration == before.configuration
    remedy.function.variables["OTHER"] = "deployed"
    assert remedy.read().configuration != before.configuration


def test_a_function_that_is_gone_has_no_override(remedy: Tried) -> None:
    remedy.write(remedy.read(), "0")
    remedy.function.exists = False
    assert not remedy.read().exists


def test_an_item_of_a_later_schema_is_not_guessed_at(remedy: Tried) -> None:
    later = {"schema": {"N": "3"}, "version": {"N": "1"}, "value": {"S": "0"}}
    remedy.aws.dynamodb.put_item(Item=KEY | later)
    with pytest.raises(ValueError, match="schema 3, this healer knows up to 2"):
        remedy.read()


class Refusing:
    def __init__(self, code: str) -> None:
        self.code = code

    def put_item(self, **_: Any) -> None:
        raise aws_error(self.code, "PutItem")


@pytest.mark.parametrize(
    ("code", "raises"),
    [
        ("ThrottlingException", False),
        ("AccessDeniedException", False),
        ("ResourceNotFoundException", True),
        ("InternalServerError", True),
    ],
)
def test_what_dynamodb_rejects_is_told_from_an_error(code: str, raises: bool) -> None:
    remedy, live = Tried("override", dynamodb=Refusing(code)), Live("0", "1", None)
    with pytest.raises(ClientError) if raises else nullcontext():
        assert remedy.write(live, None) == code
