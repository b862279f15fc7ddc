"""`FragileService`: an HTTP service that fails at a configured rate."""

import math
from enum import StrEnum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import DEFAULT_RETENTION_DAYS, lambda_function, own_code
from selfheal.components.healing.targets import TargetArgs, check_target_name
from selfheal.components.http_api import http_api
from selfheal.components.iam import Statement, allow, on_items
from selfheal.components.security import Security, Store
from selfheal.functions.shared.contract import FaultMode, Invocation, override_key

TIMEOUT_SECONDS = 3
"""Shorter than the timeouts of callers. The fault mode `timeout` exceeds it."""

MEMORY_MB = 512
"""Lambda gives processor time by memory. With 128 MB, 7 % of a processor, the first TLS handshake with the
ledger takes longer than an override may delay a request. Source: Lambda developer guide, "Configure Lambda
function memory"."""


class Traffic(StrEnum):
    """What the API invokes."""

    LATEST = "latest"
    """The unpublished code and configuration. A change of the environment takes effect at once."""
    ALIAS = "alias"
    """A published version, by the alias `live`. Its environment cannot change."""


class OverridesArgs(TypedDict):
    """Where the service reads the overrides that a healer sets."""

    table: pulumi.Input[str]
    """Name of the healer's ledger. Until it exists, the baseline is used."""

    target: str
    """Name of this service as a target of the healer."""


class FragileServiceArgs(TypedDict):
    """How the service fails, and what the API invokes."""

    failure_rate: float
    """Share of requests that fail, from 0 to 1. This is the baseline, which Pulumi owns."""

    fault_mode: NotRequired[FaultMode]
    """How they fail. Default EXCEPTION."""

    traffic: NotRequired[Traffic]
    """What the API invokes. Default LATEST."""

    overrides: NotRequired[OverridesArgs]
    """Where to read overrides of the failure rate, by the key FAILURE_RATE. Default: nowhere."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""

    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of a symmetric KMS key of this region, for environment and logs; the ledger that overrides are read
    from has the same. Its policy must let CloudWatch Logs use it. Default: keys that AWS owns."""

    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """ARN of a managed policy that bounds the role, in place of the boundary that it has of its own. Default:
    that one, which allows what the role's policy allows."""


class FragileService(pulumi.ComponentResource):
    """A Lambda function behind an HTTP API that answers every path and method."""

    function_name: pulumi.Output[str]
    """Name of the function, known at preview."""

    alias_name: pulumi.Output[str] | None
    """Name of the alias that the API invokes. None with Traffic.LATEST."""

    url: pulumi.Output[str]
    """URL of the service, for example https://abc123.execute-api.us-east-1.amazonaws.com/."""

    def __init__(
        self, name: str, args: FragileServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the function, its role, its logs and its API.

        Raises:
            ComponentError: when the rate is not a number from 0 to 1, the retention is not supported, or the
                target of the overrides is not a valid name.

        """
        super().__init__("selfheal:index:FragileService", name, {**args}, opts)
        self._name = name
        rate = checked_rate(args["failure_rate"])
        arns = Arns(self)
        security = Security(args, arns)
        published = Traffic(args.get("traffic", Traffic.LATEST)) is Traffic.ALIAS
        overrides = args.get("overrides")
        retention = args.get("log_retention_days", DEFAULT_RETENTION_DAYS)
        environment: dict[str, pulumi.Input[str]] = {
            "FAILURE_RATE": rate_text(rate),
            "FAULT_MODE": FaultMode(args.get("fault_mode", FaultMode.EXCEPTION)).value,
        }
        statements: list[Statement] = []
        if overrides:
            check_target_name(overrides["target"])
            table = names.TABLE.of("overrides: table", overrides["table"])
            overrides = OverridesArgs(table=table, target=overrides["target"])
            statements += [_read_overrides(overrides, arns), *security.reads(Store.TABLE)]
            environment |= {
                "OVERRIDES_TABLE": overrides["table"],
                "OVERRIDES_TARGET": overrides["target"],
            }
        function = lambda_function(
            name,
            own_code("fragile"),
            environment,
            statements,
            arns=arns,
            parent=self,
            timeout=TIMEOUT_SECONDS,
            memory=MEMORY_MB,
            log_retention_days=retention,
            publish=published,
            security=security,
        )
        self.function_name = function.name
        alias = self._alias(name, function) if published else None
        self.alias_name = alias.name if alias else None
        self.url = http_api(
            name, function, alias, security=security, log_retention_days=retention, parent=self
        )
        self.register_outputs(
            {"functionName": self.function_name, "aliasName": self.alias_name, "url": self.url}
        )

    @property
    def target(self) -> TargetArgs:
        """What a healer looks after, by the component's name and without remedies."""
        target: TargetArgs = {
            "name": self._name,
            "function_name": self.function_name,
            "instrumented": True,
            "timeout_seconds": TIMEOUT_SECONDS,
            # Behind its API, whose callers wait.
            "invocation": Invocation.SYNCHRONOUS,
            "remedies": [],
        }
        if self.alias_name is not None:
            target["alias"] = self.alias_name
        return target

    def _alias(self, name: str, function: aws.lambda_.Function) -> aws.lambda_.Alias:
        return aws.lambda_.Alias(
            f"{name}-live",
            name="live",
            description="What the API invokes",
            function_name=function.name,
            function_version=function.version,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _read_overrides(overrides: OverridesArgs, arns: Arns) -> Statement:
    """Return the statement that allows the service to read only its own overrides in the ledger."""
    own = on_items(override_key(overrides["target"], ""))
    return allow(["dynamodb:GetItem"], [arns.table(overrides["table"])], own)


def rate_text(rate: float) -> str:
    """Return a rate as text for the environment: "0" and "1" without decimals, others in full precision."""
    return repr(float(rate)).removesuffix(".0")


def checked_rate(rate: float) -> float:
    """Return the failure rate, if it is valid.

    Raises:
        ComponentError: when it is not a number from 0 to 1. NaN is refused too.

    """
    if isinstance(rate, bool) or not math.isfinite(rate) or not 0 <= rate <= 1:
        raise ComponentError(
            f"failure_rate must be a number from 0 (never fails) to 1 (always fails), got {rate}. "
            "It is a share of requests, not a percentage: 30 % is 0.3."
        )
    return rate
