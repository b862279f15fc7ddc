"""A target is removed by `up` in the middle of its incident, and its incident closed by the command line.

On the real engine, with policies enforced: what the healer's role may do for it is what was deployed.
"""

from collections.abc import Generator
from functools import partial
from typing import Any

import pytest

from selfheal.functions.healer.incident_fields import Plan, Standing
from selfheal.sandbox.emulator import Emulator
from tests.cli.shell import selfheal
from tests.cli.support import item_of, verifying
from tests.support.stacks import Account, make_account

pytestmark = [pytest.mark.slow, pytest.mark.engine]

PROGRAM = """
from selfheal.components import Healer, Mode, RemedyKind

remedy = {{"kind": RemedyKind.OVERRIDE, "variable": "PRICING", "value": "old"}}
targets = [{{"name": name, "function_name": f"{{name}}-fn", "remedies": [remedy]}} for name in {names}]
healer = Healer("healer", {{"ledger_name": "shop-ledger", "mode": Mode.ACT, "targets": targets}})
"""
LEDGER = "shop-ledger"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Generator[Account]:
    folder = tmp_path_factory.mktemp("account")
    with Emulator.start(folder / "emulator", iam=True) as emulator:
        yield make_account(folder, emulator)


def test_its_incident_is_closed_by_a_person_and_nothing_else_is_accepted(account: Account) -> None:
    stack = account.small("shop", PROGRAM.format(names=["cart", "checkout"]))
    stack.up()
    dynamodb = account.clients.get("dynamodb")
    stands = Standing(Plan("override", "PRICING", None, "old", "", ""), "2026-11-21T09:40:12.000Z")
    one = verifying(target="cart", plan=stands.plan, standing=(stands,), acts=1)
    dynamodb.put_item(TableName=LEDGER, Item=item_of(one))
    override = {"pk": {"S": "override#cart"}, "sk": {"S": "PRICING"}, "value": {"S": "old"}}
    dynamodb.put_item(TableName=LEDGER, Item=override)
    names = {"SS": ["cart"]}
    lists = dict.fromkeys(("acting", "standing", "unfinished"), names)
    fleet = {"pk": {"S": "fleet"}, "sk": {"S": "open"}} | lists
    dynamodb.put_item(TableName=LEDGER, Item=fleet)
    stack.program(PROGRAM.format(names=["checkout"]))
    stack.up()

    environment = {name: value for name, value in account.environment.items() if name.startswith("AWS_")}
    where = ("--aws", "--ledger", LEDGER)
    run = partial(selfheal, environment=environment)
    shown = run("incidents", "show", "cart", "--json", *where).stdout
    assert "selfheal close" in shown
    assert "a deployment removed it" in run("rollback", "cart", "--why", "x", *where, code=1).stderr
    told = run("close", "cart", "--why", "cart is retired", "--wait", "60", *where).stdout
    assert "CLOSED (closed-by-a-person)" in told, told

    def item(key: dict[str, Any]) -> dict[str, Any]:
        return dynamodb.get_item(TableName=LEDGER, Key={name: key[name] for name in ("pk", "sk")})["Item"]

    assert item(item_of(one))["closure"]["M"]["why"] == {"S": "cart is retired"}
    assert item(fleet).keys().isdisjoint({"acting", "targets", "standing", "unfinished"})
    assert item(override) == override
    stack.preview("--expect-no-changes")
