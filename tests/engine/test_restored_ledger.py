"""A ledger that was restored from a backup, or that Pulumi's state has lost, is deployed again.

The steps are those of docs/operations.md, "Restore the ledger".
"""

import json
from pathlib import Path
from typing import Any

from selfheal.cli.operator.ledger import read_incidents
from selfheal.cli.operator.mode_override import read_mode
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Hold
from selfheal.functions.healer.items import to_item
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, MODE_KEY, Mode
from tests.support.stacks import Account, Stack

AT = "2026-01-01T00:00:00.000Z"
HELD = Incident(
    id="fragile-1",
    target="fragile",
    alarm="fragile-fast",
    opened_at=AT,
    status=Status.RECOVERED,
    reason=Reason.RECOVERED,
    mode=Mode.ACT,
    closed_at=AT,
    hold=Hold(Reason.REMEDY_INEFFECTIVE, AT),
)
OVERRIDE = {"version": {"N": "1"}, "mode": {"S": "suggest"}, "by": {"S": "ann"}, "why": {"S": "x"}}


def dynamodb(stack: Stack) -> Any:
    return stack.account.clients.get("dynamodb")


def back_up(stack: Stack, table: str) -> str:
    """Take a backup on demand, and return its ARN."""
    made = dynamodb(stack).create_backup(TableName=table, BackupName="before-the-loss")
    return made["BackupDetails"]["BackupArn"]


def delete(stack: Stack, table: str) -> None:
    """Delete the ledger behind Pulumi's back."""
    dynamodb(stack).update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb(stack).delete_table(TableName=table)


def restore(stack: Stack, table: str, backup: str) -> None:
    """Restore a backup under a table's name."""
    dynamodb(stack).restore_table_from_backup(TargetTableName=table, BackupArn=backup)
    dynamodb(stack).get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


def settings(stack: Stack, table: str) -> tuple[str, str, bool]:
    """Return what DynamoDB does not restore: expiry, point-in-time recovery and protection."""
    api = dynamodb(stack)
    backups = api.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return (
        api.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"],
        backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        api.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled", False),
    )


def nothing_is_lost(stack: Stack, table: str) -> None:
    """Check that people's and the healer's items are there, and that the healer reads them."""
    override = read_mode(dynamodb(stack), table).override
    assert (override.mode, override.by) == (Mode.SUGGEST, "ann")
    [incident] = read_incidents(dynamodb(stack), table).readable
    assert (incident.id, incident.hold) == (HELD.id, HELD.hold)
    healer = stack.outputs()["healerName"]
    answer = stack.account.clients.get("lambda").invoke(FunctionName=healer, Payload=b'{"wake": "schedule"}')
    assert json.loads(answer["Payload"].read())["decisions"] == {"fragile": "healthy"}


def test_it_is_restored_imported_and_its_state_is_put_back(cloud: Account, tmp_path: Path) -> None:
    dev = cloud.stack("dev", protectLedger=True)
    dev.up()
    table, healer = (dev.outputs()[name] for name in ("ledgerTable", "healerName"))
    functions = cloud.clients.get("lambda")
    for item in (to_item(HELD), {**MODE_KEY, **OVERRIDE, "at": {"S": AT}}):
        dynamodb(dev).put_item(TableName=table, Item=item)
    as_deployed = settings(dev, table)
    assert as_deployed == ("ENABLED", "ENABLED", True)
    backup = back_up(dev, table)

    # 1. to 3. The healer is stopped, and the table restored under its name.
    functions.put_function_concurrency(FunctionName=healer, ReservedConcurrentExecutions=0)
    delete(dev, table)
    restore(dev, table, backup)
    assert settings(dev, table) == ("DISABLED", "DISABLED", False)

    # 5. `up` sets again what DynamoDB does not restore, and lets the healer run.
    assert "~ 2 updated" in dev.up()
    assert settings(dev, table) == as_deployed
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=healer)
    nothing_is_lost(dev, table)

    # 4. A refresh has seen meanwhile that it was gone: the table is imported, and the item is made anew.
    delete(dev, table)
    dev.run("refresh", "--skip-preview")
    restore(dev, table, backup)
    parent = f"healer={dev.urn('Healer', 'healer')}"
    named = ("aws:dynamodb/table:Table", "healer-ledger", table, "--parent", parent)
    dev.run("import", *named, "--protect=false", "--generate-code=false", "--skip-preview")
    dynamodb(dev).delete_item(TableName=table, Key=DEPLOYMENT_KEY)
    told = dev.up()
    assert "+ 1 created" in told
    assert "~ 1 updated" in told
    assert settings(dev, table) == as_deployed
    nothing_is_lost(dev, table)

    # Its entry was deleted from the state, and with it those of all that depends on it.
    dev.run("state delete", dev.urn("Table", "healer-ledger"), "--target-dependents", "--force", "--yes")
    assert not [each for each in dev.resources() if each["urn"].endswith("::healer-ledger")]
    backend = Path(cloud.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    last = max((backend / ".pulumi" / "backups" / "selfheal" / "dev").glob("*.json"))
    kept = json.loads(last.read_text())
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": kept["version"], "deployment": kept["checkpoint"]["latest"]}))
    dev.run("stack import", "--file", str(state))
    dev.preview("--expect-no-changes")
