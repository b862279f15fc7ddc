"""The ledger's table, and the check that `up` makes in it before it changes anything."""

import json
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from selfheal.components.errors import ComponentError
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, FLEET_KEY, SCHEMA

_NOTHING_THERE = ("couldn't find resource", "empty result")
"""The AWS provider's errors for a missing table and a missing item, observed with version 7.51.1."""


class UnreadableLedgerError(ComponentError):
    """The ledger cannot be read, so it is not known whether an incident is open."""


def ledger_table(name: str, ledger_name: str, protect: bool, parent: pulumi.Resource) -> aws.dynamodb.Table:
    """Register the ledger.

    Its name is not auto-generated, because the program looks the table up before it is created.

    Args:
        name: Prefix of the logical name.
        ledger_name: Name of the table, unique in account and region.
        protect: Whether DynamoDB refuses to delete it.
        parent: The parent component.

    """
    return aws.dynamodb.Table(
        f"{name}-ledger",
        name=ledger_name,
        billing_mode="PAY_PER_REQUEST",
        hash_key="pk",
        range_key="sk",
        attributes=[
            aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
            aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
        ],
        # Only copies of closed incidents have this attribute.
        ttl=aws.dynamodb.TableTtlArgs(attribute_name="expires_at", enabled=True),
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
        deletion_protection_enabled=protect,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def deployment_item(
    name: str,
    table: pulumi.Output[str],
    function: pulumi.Output[str],
    mode: str,
    opts: pulumi.ResourceOptions,
) -> None:
    """Register an item in the ledger that says what was deployed, so that the CLI needs only the ledger.

    Args:
        name: Prefix of the logical name.
        table: Name of the ledger.
        function: Name of the healer's function.
        mode: The mode in stack configuration.
        opts: Parent and dependencies.

    """
    item = {**DEPLOYMENT_KEY, "schema": {"N": str(SCHEMA)}, "mode": {"S": mode}, "healer": {"S": function}}
    aws.dynamodb.TableItem(
        f"{name}-deployment",
        table_name=table,
        hash_key="pk",
        range_key="sk",
        item=pulumi.Output.json_dumps(item),
        opts=opts,
    )


def open_targets(ledger_name: str) -> list[str]:
    """Return the targets with a change by the healer that `up` would undo, sorted.

    If there is no ledger yet, there are none.

    Raises:
        UnreadableLedgerError: when AWS answers with an error other than "no item" or "no table".

    """
    try:
        answer = aws.dynamodb.get_table_item(table_name=ledger_name, key=json.dumps(FLEET_KEY))
        item = cast("dict[str, Any]", json.loads(answer.item))
        return sorted(item.get("targets", {}).get("SS", []))
    except Exception as error:
        if any(text in str(error) for text in _NOTHING_THERE):
            return []
        raise UnreadableLedgerError(
            f"the ledger {ledger_name} could not be read, so it is not known whether an incident is open: "
            f"{error}. Allowed are a readable table, or none (first deployment). Check the credentials, "
            "region and dynamodb:GetItem of whoever deploys, and deploy again."
        ) from error


def refuse_while_open(ledger_name: str, restore_baseline: bool) -> None:
    """Refuse `up` while it would undo a change by the healer and restore the failing baseline.

    Call this before registering any resource, so that a refused `up` changes nothing. At preview it only
    warns.

    Args:
        ledger_name: Name of the table.
        restore_baseline: Whether to restore the baseline anyway.

    Raises:
        ComponentError: at `up`, when a target is open or the ledger cannot be read.

    """
    try:
        names = open_targets(ledger_name)
    except UnreadableLedgerError as error:
        _refuse_or_warn(error, restore_baseline)
        return
    if names:
        _refuse_or_warn(
            ComponentError(
                f"an incident is open on {', '.join(names)}: `up` would put the baseline back over the "
                "healer's remedy. Allowed is `up` without an open incident. See `selfheal incidents`, "
                "wait until they are closed, take the remedy back with `selfheal rollback`, or decide to "
                "restore the baseline now: `pulumi config set restoreBaseline true`."
            ),
            restore_baseline,
        )


def _refuse_or_warn(error: ComponentError, restore_baseline: bool) -> None:
    if not restore_baseline and not pulumi.runtime.is_dry_run():
        raise error
    suffix = " (restoreBaseline is true: `up` goes on)" if restore_baseline else " (`up` will be refused)"
    pulumi.log.warn(f"{error}{suffix}")
