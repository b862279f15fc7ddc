"""A stack that is renamed, unprotected and destroyed: the ledger goes only when people have been told.

One stack from its deployment to its end: each test begins where the one before left it.
"""

from dataclasses import replace
from typing import Any

import pytest

from selfheal.functions.shared.contract import MODE_KEY, incident_key
from tests.engine.live import everything
from tests.support.stacks import FAILED, Account, Stack

TABLE = "selfheal-first-ledger"
MODE = {**MODE_KEY, "mode": {"S": "observe"}}
INCIDENT = {**incident_key("fragile"), "status": {"S": "ESCALATED"}, "hold": {"M": {}}}
"""Two items of a ledger that no deployment may lose."""


@pytest.fixture(scope="module")
def first(cloud: Account) -> Stack:
    """The stack first, deployed with the default protection and name of the ledger."""
    stack = cloud.stack("first", protectLedger=True, ledgerName="")
    stack.up()
    for item in (MODE, INCIDENT):
        stack.account.clients.get("dynamodb").put_item(TableName=TABLE, Item=item)
    return stack


@pytest.fixture(scope="module")
def moved(first: Stack) -> Stack:
    """The same stack under its new name."""
    return renamed(first, "moved")


def renamed(stack: Stack, name: str) -> Stack:
    """Rename a stack where its copy of the configuration is: Pulumi renames that as well."""
    folder = stack.config_file.parent
    replace(stack, project=folder).run("stack rename", name)
    return replace(stack, name=name, config_file=folder / f"Pulumi.{name}.yaml")


def items(stack: Stack) -> list[Any]:
    """Return what the ledger holds that the healer reads."""
    functions, dynamodb = stack.account.clients.get("lambda"), stack.account.clients.get("dynamodb")
    live = functions.get_function_configuration(FunctionName=stack.outputs()["healerName"])
    table = live["Environment"]["Variables"]["LEDGER_TABLE"]
    keys = [{name: item[name] for name in ("pk", "sk")} for item in (MODE, INCIDENT)]
    return [dynamodb.get_item(TableName=table, Key=key).get("Item") for key in keys]


def test_a_stack_that_was_renamed_and_renamed_back_is_as_before(first: Stack) -> None:
    before = first.resources()
    there = renamed(first, "moved")
    assert not first.config_file.exists()
    assert {each["urn"].split(":")[2] for each in there.resources()} == {"moved"}
    assert renamed(there, "first") == first
    assert first.resources() == before
    first.preview("--expect-no-changes")


def test_a_rename_that_would_replace_the_ledger_is_refused_with_nothing_touched(moved: Stack) -> None:
    before = everything(moved)
    told = moved.run("up", code=FAILED)
    assert "currently marked for protection" in told, told
    assert everything(moved) == before


def test_a_renamed_stack_keeps_its_ledger_by_the_name(moved: Stack) -> None:
    moved.configure(ledgerName=TABLE)
    moved.up()
    assert items(moved) == [MODE, INCIDENT]


def test_a_destroy_is_refused_with_nothing_touched(moved: Stack) -> None:
    before = everything(moved)
    told = moved.run("destroy", code=FAILED)
    assert "cannot be deleted" in told, told
    assert "because it is protected" in told
    assert everything(moved) == before


def test_who_unprotects_the_ledger_is_told_what_would_be_lost(moved: Stack) -> None:
    moved.configure(protectLedger=False)
    told = moved.up()
    for lost in ("the mode override observe", "the hold on fragile", "the history of incidents of fragile"):
        assert lost in told, told
    assert items(moved) == [MODE, INCIDENT]


def test_a_destroy_then_takes_down_everything(moved: Stack) -> None:
    moved.run("destroy", "--refresh=false")
    assert not any(everything(moved).values()), everything(moved)
    assert moved.resources() == []
