"""The ledger: the table with the healer's memory of incidents."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from selfheal.components.errors import ComponentError
from selfheal.components.security import Security
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, SCHEMA, Key

_NOTHING_THERE = ("couldn't find resource", "empty result")
"""The AWS provider's errors for a missing table and a missing item, observed with version 7.51.1."""

Item = dict[str, dict[str, Any]]
"""An item of DynamoDB in its typed form."""


class UnreadableLedgerError(ComponentError):
    """The ledger cannot be read, so it is not known whether an incident is open."""


def ledger_table(
    name: str, ledger_name: str, protect: bool, security: Security, parent: pulumi.Resource
) -> aws.dynamodb.Table:
    """Register the ledger.

    Its name is not auto-generated, because the program looks the table up before it is created.

    Args:
        name: Prefix of the logical name.
        ledger_name: Name of the table, unique in account and region.
        protect: Whether DynamoDB and Pulumi refuse to delete it. Pulumi refuses at preview, before anything
            else is deleted; `pulumi stack rename` is such a case, if the name contains the stack's.
        security: Key of its encryption.
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
        server_side_encryption=security.table,
        deletion_protection_enabled=protect,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect),
    )


def deployment_item(
    name: str,
    table: pulumi.Output[str],
    function: pulumi.Output[str],
    *,
    mode: str,
    budget: int,
    alarms: Mapping[str, Sequence[pulumi.Input[str]]],
    opts: pulumi.ResourceOptions,
) -> None:
    """Register an item in the ledger that says what was deployed, so that readers need only the ledger.

    Args:
        name: Prefix of the logical name.
        table: Name of the ledger.
        function: Name of the healer's function.
        mode: The mode in stack configuration.
        budget: Remediations of all targets in 24 hours.
        alarms: Names of the alarms by target. A command about any other target is refused, as nobody would
            answer.
        opts: Parent and dependencies.

    """
    item = {
        **DEPLOYMENT_KEY,
        "schema": {"N": str(SCHEMA)},
        "mode": {"S": mode},
        "healer": {"S": function},
        # A list and not a set, of which AWS does not keep the order: that would be a change at every refresh.
        "targets": {"L": [{"S": target} for target in alarms]},
        "alarms": {"M": {name: {"L": [{"S": each} for each in of]} for name, of in alarms.items()}},
        "budget": {"N": str(budget)},
    }
    aws.dynamodb.TableItem(
        f"{name}-deployment",
        table_name=table,
        hash_key="pk",
        range_key="sk",
        item=pulumi.Output.json_dumps(item),
        opts=opts,
    )


def read_item(ledger_name: str, key: Key, opts: pulumi.InvokeOptions | None = None) -> Item:
    """Return an item of the ledger; empty if there is no such item, or no such table.

    Args:
        ledger_name: Name of the table.
        key: Key of the item.
        opts: Parent or provider of the call. Default: the default provider.

    Raises:
        UnreadableLedgerError: when AWS answers with another error, or with something else than an item.

    """
    try:
        answer = aws.dynamodb.get_table_item(table_name=ledger_name, key=json.dumps(key), opts=opts)
        # Whatever else the answer is, it is no item: that raises here.
        return {name: dict(value) for name, value in json.loads(answer.item).items()}
    except Exception as error:
        if any(text in str(error) for text in _NOTHING_THERE):
            return {}
        raise UnreadableLedgerError(
            f"the ledger {ledger_name} could not be read, so it is not known whether an incident is open: "
            f"{error}. Allowed are a readable table, or none (first deployment). Check the credentials, "
            "region and dynamodb:GetItem of whoever deploys, and deploy again."
        ) from error
