"""A Lambda function of this project: its archive, log group, role and tracing."""

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
"""What CloudWatch Logs accepts. Source: API reference of PutRetentionPolicy."""

DEFAULT_RETENTION_DAYS = 14

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

_PACKED = (".py", ".json")
"""What a function is made of. Anything else in the folders (caches, tool settings) stays out."""


def package(function: str, root: Path = FUNCTIONS) -> pulumi.AssetArchive:
    """Return the archive of one function: its folder and `shared`, under the paths they are imported by.

    Files are named one by one, so that a compiled cache never changes the archive's hash, and the package
    tree is kept, so that `from selfheal.functions.shared...` means the same in Lambda as in a test.

    Args:
        function: Name of the folder under `root`, for example "healer".
        root: The `functions` package.

    Raises:
        ComponentError: when there is no such function.

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
    """Register a function whose role may write its logs and traces, do what the statements say, and no more.

    Its log group comes first: Lambda would otherwise create one that keeps its logs for ever, and a function
    that may not create its group can write into no other.

    Args:
        name: Its logical name, and the prefix of those around it.
        code: Name of its folder in `functions/`.
        environment: Its variables.
        statements: What it may do besides.
        arns: Of this account.
        parent: The component it belongs to.
        timeout: Seconds.
        memory: MB.
        log_retention_days: One of RETENTION_DAYS.
        publish: Whether each change is published as a version.
        reserved_concurrency: Invocations at a time; -1, Lambda's word for none reserved; None: not set.

    Raises:
        ComponentError: when CloudWatch Logs does not know that retention.

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
