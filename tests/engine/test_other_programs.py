"""Another team's program in its first week: our Healer in ten lines, and refuse_while_open() forgotten."""

import shutil
from typing import Any

import pytest

from selfheal.functions.shared.contract import FLEET_KEY
from selfheal.sandbox.clients import Clients
from tests.e2e.support.foreign_shop import FOREIGN
from tests.engine.live import everything
from tests.support.stacks import FAILED, Account, Stack

ASKS = "refuse_while_open(ledger)"
OPEN = "an incident is open on checkout"


@pytest.fixture(scope="module")
def shop(cloud: Account, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The program, deployed; its ledger is protected by default."""
    folder = tmp_path_factory.mktemp("foreign") / "shop"
    shutil.copytree(FOREIGN, folder)
    program = folder / "__main__.py"
    kept = [line for line in program.read_text().splitlines(keepends=True) if not line.startswith(ASKS)]
    program.write_text("".join(kept))
    stack = cloud.stack_with("dev", folder)
    stack.up()
    return stack


def put(account: Account, table: str, **item: Any) -> None:
    """Put an item into a ledger."""
    account.clients.get("dynamodb").put_item(TableName=table, Item=item)


def pricing(stack: Stack) -> str:
    """Return the live value that the remedy changes."""
    functions = stack.account.clients.get("lambda")
    live = functions.get_function_configuration(FunctionName=stack.outputs()["functionName"])
    return live["Environment"]["Variables"]["NEW_PRICING"]


def test_a_standing_remedy_fails_the_preview_with_nothing_changed(shop: Stack) -> None:
    functions, outputs = shop.account.clients.get("lambda"), shop.outputs()
    variables = {"NEW_PRICING": "off", "CURRENCY": "CHF"}
    functions.update_function_configuration(
        FunctionName=outputs["functionName"], Environment={"Variables": variables}
    )
    put(shop.account, outputs["ledgerTable"], **FLEET_KEY, targets={"SS": ["checkout"]})
    before = everything(shop)
    told = shop.run("up", code=FAILED)
    assert f"error: {OPEN}" in told, told
    assert "refuse_while_open('shop-dev-ledger') before its first resource" in told
    assert "Traceback" not in told
    assert (pricing(shop), everything(shop)) == ("off", before)


def test_the_healer_alone_is_brought_to_observe_and_the_remedy_stays(shop: Stack) -> None:
    program = shop.project / "__main__.py"
    kept = program.read_text()
    program.write_text(
        kept.replace("Mode.ACT,", 'Mode.OBSERVE, "while_open": WhileOpen.WARN,').replace(
            "import Healer,", "import WhileOpen, Healer,"
        )
    )
    told = shop.run("up", "--target", "**selfheal:index:Healer**")
    program.write_text(kept)
    assert "deploy the healer alone" in told, told
    [healer] = (each for each in shop.resources() if each["urn"].endswith("Function::healer"))
    functions = shop.account.clients.get("lambda")
    live = functions.get_function_configuration(FunctionName=healer["outputs"]["name"])
    assert live["Environment"]["Variables"]["MODE"] == "observe"
    assert pricing(shop) == "off"


def test_a_program_that_asks_is_refused_also_without_a_preview(shop: Stack) -> None:
    """What the Healer cannot do: at `up` it is registered after the function that it heals."""
    shutil.copy(FOREIGN / "__main__.py", shop.project)
    assert f"\n{ASKS}" in (shop.project / "__main__.py").read_text()
    told = shop.run("up", "--skip-preview", code=FAILED)
    assert f"error: {OPEN}" in told, told
    assert pricing(shop) == "off"
    assert "`up` will be refused" in shop.preview()


def test_a_destroy_with_a_protected_ledger_is_refused_with_nothing_touched(shop: Stack) -> None:
    before = everything(shop)
    told = shop.run("destroy", code=FAILED)
    assert "protected" in told
    assert everything(shop) == before


REGIONS = """
from selfheal.components import ComponentError, Healer, refuse_while_open

elsewhere = aws.Provider("elsewhere", region="eu-west-1")
targets = [{"name": "checkout", "function_name": "checkout", "remedies": []}]


def tried(name, **options):
    try:
        Healer(name, {"ledger_name": "far", "targets": targets}, pulumi.ResourceOptions(**options))
    except ComponentError as error:
        pulumi.log.info(f"{name} refused: {error}")
    else:
        pulumi.log.info(f"{name} accepted")


tried("one", provider=elsewhere)
tried("several", providers=[elsewhere])
tried("by-package", providers={"aws": elsewhere})
tried("other-region")
refuse_while_open("far")
tried("asked-elsewhere", provider=elsewhere)
refuse_while_open("far", opts=pulumi.InvokeOptions(provider=elsewhere))
tried("asked-there", provider=elsewhere)
"""


def test_a_healer_asks_with_its_own_provider_in_each_form(cloud: Account) -> None:
    """The ledger is in eu-west-1, and the default provider in us-east-1."""
    far = Clients(cloud.clients.endpoint, "eu-west-1", cloud.clients.credentials).get("dynamodb")
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    far.create_table(
        TableName="far",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    far.put_item(TableName="far", Item={**FLEET_KEY, "targets": {"SS": ["checkout"]}})
    told = cloud.small("regions", REGIONS).preview()
    for name in ("one", "several", "by-package", "asked-elsewhere"):
        assert f"{name} refused: {OPEN}" in told, told
    for name in ("other-region", "asked-there"):
        assert f"{name} accepted" in told, told
