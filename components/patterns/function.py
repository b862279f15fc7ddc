"""The functions that the patterns run: what their user says about one, and how it is registered."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components import ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import DEFAULT_RETENTION_DAYS, Code, lambda_function
from selfheal.components.security import Security

DEFAULT_TIMEOUT_SECONDS = 30
DEFAULT_MEMORY_MB = 256

LONGEST_TIMEOUT_SECONDS = 900
"""Source: AWS Lambda quotas."""


class FunctionArgs(TypedDict):
    """A function of yours."""

    code: Code
    """`code(folder, handler)`."""

    timeout_seconds: NotRequired[int]
    """1 to 900. Default 30."""

    memory_mb: NotRequired[int]
    """128 to 10,240. Default 256."""

    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Further environment variables. None of those that the pattern sets itself."""

    uses: NotRequired[Sequence[Access]]
    """What it uses: their variables and permissions. Default: nothing."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""


def timeout_of(args: FunctionArgs) -> int:
    """Return a function's timeout in seconds.

    Raises:
        ComponentError: when it is out of AWS's range.

    """
    return ranges.whole(
        "timeout_seconds",
        args.get("timeout_seconds"),
        (1, LONGEST_TIMEOUT_SECONDS),
        default=DEFAULT_TIMEOUT_SECONDS,
    )


def pattern_function(
    name: str,
    args: FunctionArgs,
    access: Access,
    *,
    arns: Arns,
    security: Security,
    parent: pulumi.Resource,
    publish: bool = False,
) -> aws.lambda_.Function:
    """Register a function that may do what it uses, and what its pattern needs.

    Args:
        name: Logical name.
        args: What its user says.
        access: What the pattern adds.
        arns: Builds ARNs.
        security: Key of its environment and logs, and boundary of its role.
        parent: The pattern's component.
        publish: Whether to publish a version with each change.

    Raises:
        ComponentError: when the timeout or the retention is not allowed, or a variable is set twice.

    """
    environment: dict[str, pulumi.Input[str]] = {}
    for each in (args.get("environment", {}), *(used.environment for used in args.get("uses", ()))):
        environment |= each
    if taken := sorted(environment.keys() & access.environment.keys()):
        raise ComponentError(
            f"{name}: the environment must not set {', '.join(taken)}, which the component sets. Use other "
            "names."
        )
    used = [statement for each in args.get("uses", ()) for statement in each.statements]
    return lambda_function(
        name,
        args["code"],
        environment | dict(access.environment),
        [*used, *access.statements],
        arns=arns,
        parent=parent,
        timeout=timeout_of(args),
        memory=args.get("memory_mb", DEFAULT_MEMORY_MB),
        log_retention_days=args.get("log_retention_days", DEFAULT_RETENTION_DAYS),
        publish=publish,
        security=security,
        layers=[layer for each in (*args.get("uses", ()), access) for layer in each.layers],
    )


def live_alias(
    name: str, function: aws.lambda_.Function, description: str, parent: pulumi.Resource
) -> aws.lambda_.Alias:
    """Register the alias `live` of a function's newest version, which a healer can roll back.

    Args:
        name: Logical name of the function, and prefix of the alias's.
        function: It publishes a version with each change.
        description: Who calls the alias.
        parent: The pattern's component.

    """
    return aws.lambda_.Alias(
        f"{name}-live",
        name="live",
        description=description,
        function_name=function.name,
        function_version=function.version,
        opts=pulumi.ResourceOptions(parent=parent),
    )
