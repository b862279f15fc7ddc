"""`Downstream`: a third party that fails on command, for drills and tests of what depends on it."""

from typing import NotRequired

import pulumi
import pulumi_aws as aws

from selfheal.components import ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.function import DEFAULT_RETENTION_DAYS, lambda_function, own_code
from selfheal.components.http_api import http_api
from selfheal.components.iam import allow
from selfheal.components.security import Security, SecurityArgs, Store

RATES = (0.1, 1000.0)
"""Calls a second. One partition of the table takes 1,000 writes a second."""

BURSTS = (1.0, 1000.0)
"""Calls at once."""

DEFAULT_RATE = 50.0
DEFAULT_BURST = 5.0

TIMEOUT_SECONDS = 30
"""As long as an HTTP API waits: what takes longer is done all the same, and its caller gets 503."""

MEMORY_MB = 256


class DownstreamArgs(SecurityArgs):
    """What it serves while nothing is switched."""

    rate: NotRequired[float]
    """Calls a second that it serves, whoever calls; all others get 429. 0.1 to 1,000. Default 50."""

    burst: NotRequired[float]
    """Calls that it serves at once after a rest. 1 to 1,000. Default 5."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""


class Downstream(pulumi.ComponentResource):
    """A function behind an HTTP API, and the table of its effects, its calls and its setting.

    A request is POST with the headers `idempotency-key` and `x-caller` and a JSON body; GET is the health
    route. How it fails is switched at run time, by an item of its table
    (`selfheal.functions.downstream.store.setting_item`). Everybody who knows the URL can call it: it stands
    for somebody else's service, and is not one.
    """

    url: pulumi.Output[str]
    """Its URL, for example https://abc123.execute-api.us-east-1.amazonaws.com/."""

    table_name: pulumi.Output[str]
    """Name of its table, known at preview."""

    access: Access
    """For functions that call it: DOWNSTREAM_URL. No permission is needed."""

    def __init__(
        self, name: str, args: DownstreamArgs | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the table, the function and the API.

        Raises:
            ComponentError: when the rate or the burst is out of its range, or the retention is not supported.

        """
        super().__init__("selfheal:index:Downstream", name, None, opts)
        given: DownstreamArgs = args or {}
        rate = ranges.number("rate", given.get("rate"), RATES, default=DEFAULT_RATE, unit="calls a second")
        burst = ranges.number(
            "burst", given.get("burst"), BURSTS, default=DEFAULT_BURST, unit="calls at once"
        )
        arns = Arns(self)
        security = Security(given, arns)
        retention = given.get("log_retention_days", DEFAULT_RETENTION_DAYS)
        table = aws.dynamodb.Table(
            name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
                aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
            ],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name="expires_at", enabled=True),
            server_side_encryption=security.table,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.table_name = table.name
        function = lambda_function(
            f"{name}-downstream",
            own_code("downstream"),
            {"DOWNSTREAM_TABLE": table.name, "RATE": repr(float(rate)), "BURST": repr(float(burst))},
            [
                allow(
                    ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], [arns.table(table.name)]
                ),
                *security.reads(Store.TABLE),
            ],
            arns=arns,
            parent=self,
            timeout=TIMEOUT_SECONDS,
            memory=MEMORY_MB,
            log_retention_days=retention,
            security=security,
        )
        self.url = http_api(
            name, function, None, security=security, log_retention_days=retention, parent=self
        )
        self.access = Access({"DOWNSTREAM_URL": self.url})
        self.register_outputs({"url": self.url, "tableName": self.table_name})
