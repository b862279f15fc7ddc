"""The ledger: the table with the healer's memory of incidents."""

import pulumi
import pulumi_aws as aws

from selfheal.functions.shared.contract import DEPLOYMENT_KEY, SCHEMA


def ledger_table(name: str, ledger_name: str, protect: bool, parent: pulumi.Resource) -> aws.dynamodb.Table:
    """Register the ledger.

    Its name is given and not generated: the program looks the table up before it knows whether there is one.

    Args:
        name: Prefix of the logical name.
        ledger_name: The table's name; unique in the account and region.
        protect: Whether DynamoDB refuses to delete it.
        parent: The component it belongs to.

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
        # Closed incidents only: no other item has this attribute.
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
    """Register what was deployed beside the incidents, so that people who see the ledger need no more.

    Args:
        name: Prefix of the logical name.
        table: Name of the ledger.
        function: Name of the healer's function.
        mode: The baseline.
        opts: Whose child it is, and after what it is written.

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
