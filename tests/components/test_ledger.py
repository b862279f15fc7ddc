"""What `up` asks the ledger, and what it does with the answer."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.refuse_while_open import open_targets, refuse_while_open
from selfheal.functions.shared.contract import FLEET_KEY
from tests.support.pulumi_mocks import Deployment, RefusedError, deploy

TOKEN = "aws:dynamodb/getTableItem:getTableItem"
Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def item(content: Any) -> Answer:
    return lambda _: {"item": json.dumps(content)}


def error(text: str) -> Answer:
    def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError(text)

    return answer


NO_TABLE = error("reading Amazon DynamoDB Table Item (selfheal|fleet): couldn't find resource")
NO_ITEM = error("reading Amazon DynamoDB Table Item (selfheal|fleet): empty result")
DENIED = error("operation error DynamoDB: GetItem, AccessDeniedException: not authorized")
OPEN = item({"pk": {"S": "fleet"}, "sk": {"S": "open"}, "targets": {"SS": ["users", "orders"]}})
CLOSED = item({"pk": {"S": "fleet"}, "sk": {"S": "open"}})


def asked(answer: Answer) -> list[str]:
    found: list[list[str]] = []
    deploy(lambda: found.append(open_targets("ledger")), invokes={TOKEN: answer})
    return found[0]


def guarded(answer: Answer, *, preview: bool = False, restore: bool = False) -> Deployment:
    return deploy(lambda: refuse_while_open("ledger", restore), preview=preview, invokes={TOKEN: answer})


@pytest.mark.parametrize("answer", [NO_TABLE, NO_ITEM, CLOSED])
def test_no_table_no_item_and_no_targets_mean_nothing_is_open(answer: Answer) -> None:
    assert asked(answer) == []
    assert guarded(answer).warnings == []


def test_it_asks_for_the_item_that_the_healer_writes() -> None:
    seen: list[Mapping[str, Any]] = []

    def answer(args: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(args)
        return {"item": "{}"}

    assert asked(answer) == []
    assert seen[0]["tableName"] == "ledger"
    assert json.loads(seen[0]["key"]) == FLEET_KEY


def test_open_targets_are_named() -> None:
    assert asked(OPEN) == ["orders", "users"]


def test_up_is_refused_while_an_incident_is_open() -> None:
    with pytest.raises(
        ComponentError,
        match=r"open on orders, users: .*`selfheal rollback`.* `pulumi config set restoreBaseline true`",
    ):
        guarded(OPEN)


def test_preview_warns() -> None:
    [warning] = guarded(OPEN, preview=True).warnings
    assert "open on orders, users" in warning
    assert "`up` will be refused" in warning


@pytest.mark.parametrize("answer", [OPEN, DENIED])
def test_people_may_decide_to_restore_the_baseline(answer: Answer) -> None:
    [warning] = guarded(answer, restore=True).warnings
    assert "restoreBaseline is true" in warning


@pytest.mark.parametrize("answer", [DENIED, item([]), item({"targets": "?"}), lambda _: {"item": "no json"}])
def test_what_cannot_be_read_refuses_up_and_warns_at_preview(answer: Answer) -> None:
    with pytest.raises(ComponentError, match="the ledger ledger could not be read, so it is not known"):
        guarded(answer)
    [warning] = guarded(answer, preview=True).warnings
    assert "could not be read" in warning
