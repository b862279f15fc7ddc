"""The ledger: the table with the healer's memory of incidents."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.functions.shared.contract import DEPLOYMENT_KEY, SCHEMA


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
    targets: Sequence[str],
    *,
    opts: pulumi.ResourceOptions,
) -> None:
    """Register an item in the ledger that says what was deployed, so that the CLI needs only the ledger.

    Args:
        name: Prefix of the logical name.
        table: Name of the ledger.
        function: Name of the healer's function.
        mode: The mode in stack configuration.
        targets: Names of the targets: a command about any other is refused, as nobody would answer.
        opts: Parent and dependencies.

    """
    item = {
        **DEPLOYMENT_KEY,
        "schema": {"N": str(SCHEMA)},
        "mode": {"S": mode},
        "healer": {"S": function},
        # A list and not a set, of which AWS does not keep the order: that would be a change at every refresh.
        "targets": {"L": [{"S": target} for target in targets]},
    }
    aws.dynamodb.TableItem(
        f"{name}-deployment",
        table_name=table,
        hash_key="pk",
        range_key="sk",
        item=pulumi.Output.json_dumps(item),
        opts=opts,
    )
