"""A Lambda function with its archive, log group, role and tracing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

import selfheal
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import Statement, function_role, write_logs, write_traces

RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Values that CloudWatch Logs supports. Source: API reference of PutRetentionPolicy."""

DEFAULT_RETENTION_DAYS = 14

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

_PACKED = (".py", ".json")
"""Suffixes of packaged files. Anything else, such as caches and tool settings, is left out."""


def package(function: str, root: Path = FUNCTIONS) -> pulumi.AssetArchive:
    """Return the archive of one function: its folder and `shared`, at their import paths.

    Files are listed one by one, so that a compiled cache never changes the archive's hash. The package tree
    is kept, so that imports are the same in Lambda and in tests.

    Args:
        function: Name of the folder under `root`, for example "healer".
        root: The `functions` package.

    Raises:
        ComponentError: when there is no function of that name.

    """
    if not (root / function / "handler.py").is_file():
        known = sorted(path.parent.name for path in root.glob("*/handler.py"))
        raise ComponentError(
            f"there is no function {function!r}: a function is a folder of {root.name}/ with a handler.py. "
            f"Known: {', '.join(known) or 'none'}."
        )
    files = [root / "__init__.py"]
    for folder in (function, "shared"):
        files += sorted(
            path for path in (root / folder).rglob("*") if path.suffix in _PACKED and path.is_file()
        )
    archive = {f"selfheal/{path.relative_to(root.parent).as_posix()}": path for path in files}
    archive["selfheal/__init__.py"] = Path(selfheal.__file__)
    return pulumi.AssetArchive({name: pulumi.FileAsset(path) for name, path in archive.items()})


def lambda_function(
    name: str,
    code: str,
    environment: Mapping[str, pulumi.Input[str]],
    statements: Sequence[Statement],
    *,
    arns: Arns,
    parent: pulumi.Resource,
    timeout: int,
    memory: int,
    log_retention_days: int,
    publish: bool = False,
    reserved_concurrency: int | None = None,
) -> aws.lambda_.Function:
    """Register a function whose role may write logs and traces, do what the statements allow, and no more.

    Its log group is created first. Lambda would otherwise create one without a retention, and the function's
    role may not create any.

    Args:
        name: Logical name, and prefix of the other logical names.
        code: Name of the folder in `functions/`.
        environment: Environment variables.
        statements: Further permissions.
        arns: Builds ARNs.
        parent: The parent component.
        timeout: Seconds.
        memory: MB.
        log_retention_days: One of RETENTION_DAYS.
        publish: Whether to publish a version with each change.
        reserved_concurrency: Maximum concurrent invocations. -1 reserves none; None leaves it unset.

    Raises:
        ComponentError: when CloudWatch Logs does not support the retention.

    """
    if log_retention_days not in RETENTION_DAYS:
        raise ComponentError(
            f"log_retention_days must be one of {', '.join(map(str, RETENTION_DAYS))}, got "
            f"{log_retention_days}. Leave it out for {DEFAULT_RETENTION_DAYS}."
        )
    group = aws.cloudwatch.LogGroup(
        f"{name}-logs", retention_in_days=log_retention_days, opts=pulumi.ResourceOptions(parent=parent)
    )
    role, policy = function_role(name, [write_logs(arns, group.name), write_traces(), *statements], parent)
    return aws.lambda_.Function(
        name,
        runtime="python3.13",
        architectures=["arm64"],
        handler=f"selfheal.functions.{code}.handler.handle",
        code=package(code),
        role=role.arn,
        timeout=timeout,
        memory_size=memory,
        publish=publish,
        reserved_concurrent_executions=reserved_concurrency,
        environment=aws.lambda_.FunctionEnvironmentArgs(variables=environment),
        logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=group.name),
        tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy]),
    )
