"""The table of the orders, and what each function may do with it."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.iam import allow, on_items
from selfheal.components.security import Security, Store


class OrdersTable:
    """The table, and its uses.

    Args:
        name: Logical name of the service.
        arns: Builds ARNs.
        security: Key of its encryption.
        options: With the parent.

    """

    name: pulumi.Output[str]
    """Name of the table, known at preview."""

    def __init__(self, name: str, arns: Arns, security: Security, options: pulumi.ResourceOptions) -> None:
        table = aws.dynamodb.Table(
            f"{name}-table",
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
                aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
            ],
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=security.table,
            opts=options,
        )
        self.name, self._arns, self._security = table.name, arns, security

    @property
    def read(self) -> Access:
        """Reading an order."""
        return self._on(["dynamodb:GetItem"])

    @property
    def work(self) -> Access:
        """Working off an order."""
        return self._on(["dynamodb:GetItem", "dynamodb:UpdateItem"])

    @property
    def take_in(self) -> Access:
        """Writing an order down."""
        return self._on(["dynamodb:PutItem", "dynamodb:UpdateItem"])

    @property
    def report(self) -> Access:
        """Writing rows for reports."""
        return self._on(["dynamodb:PutItem"], "analytics#*")

    def _on(self, actions: Sequence[str], partition: str = "order#*") -> Access:
        """Return the use of the table by actions on items of a partition."""
        condition = on_items({"pk": {"S": partition}})
        statement = allow(actions, [self._arns.table(self.name)], condition)
        return Access({"ORDERS_TABLE": self.name}, [statement, *self._security.reads(Store.TABLE)])
