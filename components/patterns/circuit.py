"""`Circuit`: one dependency, as all its consumers together see it."""

import json
import re
from collections.abc import Mapping
from typing import NotRequired

import pulumi
import pulumi_aws as aws

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import allow, on_items
from selfheal.components.security import Security, SecurityArgs, Store
from selfheal.functions.shared.breaker.settings import BreakerSettings, parse_settings
from selfheal.functions.shared.contract import breaker_key

_NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")
"""What fits into the name of an execution with two numbers: 80 characters. Source: API reference of
StartExecution."""


class CircuitArgs(SecurityArgs):
    """When the circuit opens, and how it is probed."""

    settings: NotRequired[Mapping[str, float]]
    """Settings by name; those left out have their defaults. `failure_rate` (above 0 to 1, 0.5),
    `minimum_calls` (10 to 10,000, 20), `window_seconds` (2 to 120, 10), `successes` (1 to 20, 3),
    `pause_seconds` (1 to 600, 5), `pause_cap_seconds` (2 to 3,600, 300), `lease_seconds` (5 to 900, 60),
    `first_limit` (2 to 1,000, 2)."""


class Circuit(pulumi.ComponentResource):
    """The table of a circuit, and what its consumers need to call through it.

    The pulumi name is the circuit's, by which `selfheal breaker` and the logs know it. A `CircuitBreaker`
    pauses and probes; without one an open circuit only refuses calls, and never closes.
    """

    circuit_name: str
    """The circuit's name."""

    table_name: pulumi.Output[str]
    """Name of the table, known at preview."""

    stream_arn: pulumi.Output[str]
    """ARN of the table's stream, with which changes of the circuit wake its controller."""

    settings: BreakerSettings
    """All settings."""

    settings_text: str
    """The settings as JSON, for the environment of whoever uses the circuit."""

    access: Access
    """For functions that call through the circuit."""

    reader: Access
    """For functions that only look at it."""

    def __init__(
        self, name: str, args: CircuitArgs | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the table.

        Raises:
            ComponentError: when the name or a setting is not allowed.

        """
        super().__init__("selfheal:index:Circuit", name, None, opts)
        if not _NAME.fullmatch(name):
            raise ComponentError(
                "the name of a circuit must be 1 to 50 letters, digits, hyphens or underscores, because it "
                f"is part of the names of executions, got {name!r}."
            )
        self.circuit_name = name
        self.settings_text = json.dumps(dict((args or {}).get("settings", {})), sort_keys=True)
        try:
            self.settings = parse_settings(self.settings_text)
        except ValueError as error:
            raise ComponentError(f"{name}: {error}. Leave a setting out for its default.") from error
        arns = Arns(self)
        security = Security(args or {}, arns)
        table = aws.dynamodb.Table(
            f"{name}-circuit",
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
                aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
            ],
            stream_enabled=True,
            # The wake-up filters by the new state.
            stream_view_type="NEW_IMAGE",
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=security.table,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.table_name, self.stream_arn = table.name, table.stream_arn
        where = {"BREAKER_TABLE": table.name, "CIRCUIT": name, "BREAKER": self.settings_text}
        item = [arns.table(table.name)], on_items(breaker_key(name))
        decrypt = security.reads(Store.TABLE)
        self.access = Access(where, [allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], *item), *decrypt])
        self.reader = Access(where, [allow(["dynamodb:GetItem"], *item), *decrypt])
        self.register_outputs({"circuitName": name, "tableName": self.table_name})
