"""A Lambda function with its archive, log group, role and tracing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

import selfheal
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import Statement, function_role, write_logs, write_traces
from selfheal.components.security import Security

RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Values that CloudWatch Logs supports. Source: API reference of PutRetentionPolicy."""

DEFAULT_RETENTION_DAYS = 14

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

_PACKED = (".py", ".json")
"""Suffixes of packaged files. Anything else, such as caches and tool settings, is left out."""


@dataclass(frozen=True)
class Code:
    """What a function runs."""

    archive: pulumi.AssetArchive
    handler: str
    """Import path of the function that Lambda calls, for example `consumer.handle`."""


def own_code(function: str, module: str = "handler", *, also: Sequence[str] = ()) -> Code:
    """Return the code of a function of this project.

    Args:
        function: Name of a folder of `functions/`.
        module: Its module with the function `handle`.
        also: Other folders that it imports from, besides `shared`.

    Raises:
        ComponentError: when there is no such module.

    """
    return Code(package(function, module=module, also=also), f"selfheal.functions.{function}.{module}.handle")


def code(folder: Path, handler: str) -> Code:
    """Return the code of a function of yours, which may import `selfheal.functions.shared`.

    Args:
        folder: What is in it is at the archive's root.
        handler: Import path of the function that Lambda calls: module and function.

    Raises:
        ComponentError: when the folder has no such module.

    """
    module = handler.rpartition(".")[0].replace(".", "/")
    if not module or not (folder / f"{module}.py").is_file():
        raise ComponentError(
            f"handler must name a module of {folder} and a function in it, such as consumer.handle, got "
            f"{handler!r}."
        )
    shared = _files(FUNCTIONS, ("shared",))
    yours = {path.relative_to(folder).as_posix(): path for path in _packed(folder)}
    return Code(_archive(shared | yours), handler)


def package(
    function: str, root: Path = FUNCTIONS, *, module: str = "handler", also: Sequence[str] = ()
) -> pulumi.AssetArchive:
    """Return the archive of one function: its folder, `shared` and what it names, at their import paths.

    Files are listed one by one, so that a compiled cache never changes the archive's hash. The package tree
    is kept, so that imports are the same in Lambda and in tests.

    Args:
        function: Name of the folder under `root`, for example "healer".
        root: The `functions` package.
        module: The module of the folder that Lambda calls.
        also: Other folders that it imports from.

    Raises:
        ComponentError: when there is no function of that name.

    """
    if not (root / function / f"{module}.py").is_file():
        known = sorted(path.parent.name for path in root.glob(f"*/{module}.py"))
        raise ComponentError(
            f"there is no function {function!r}: a function is a folder of {root.name}/ with a {module}.py. "
            f"Known: {', '.join(known) or 'none'}."
        )
    return _archive(_files(root, (function, "shared", *also)))


def _files(root: Path, folders: Sequence[str]) -> dict[str, Path]:
    """Return the files of folders of the `functions` package by their place in the archive."""
    files = [root / "__init__.py", *(path for folder in folders for path in _packed(root / folder))]
    found = {f"selfheal/{path.relative_to(root.parent).as_posix()}": path for path in files}
    return found | {"selfheal/__init__.py": Path(selfheal.__file__)}


def _packed(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _PACKED and path.is_file())


def _archive(files: Mapping[str, Path]) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({name: pulumi.FileAsset(path) for name, path in files.items()})


def lambda_function(
    name: str,
    runs: Code,
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
    layers: Sequence[pulumi.Input[str]] = (),
    security: Security,
) -> aws.lambda_.Function:
    """Register a function whose role may write logs and traces, do what the statements allow, and no more.

    Its log group is created first. Lambda would otherwise create one without a retention, and the function's
    role may not create any.

    Args:
        name: Logical name, and prefix of the other logical names.
        runs: Its code.
        environment: Environment variables.
        statements: Further permissions.
        arns: Builds ARNs.
        parent: The parent component.
        timeout: Seconds.
        memory: MB.
        log_retention_days: One of RETENTION_DAYS.
        publish: Whether to publish a version with each change.
        reserved_concurrency: Maximum concurrent invocations. -1 reserves none; None leaves it unset.
        layers: ARNs of versions of layers.
        security: Key of its environment and logs, and boundary of its role.

    Raises:
        ComponentError: when CloudWatch Logs does not support the retention.

    """
    if log_retention_days not in RETENTION_DAYS:
        raise ComponentError(
            f"log_retention_days must be one of {', '.join(map(str, RETENTION_DAYS))}, got "
            f"{log_retention_days}. Leave it out for {DEFAULT_RETENTION_DAYS}."
        )
    group = aws.cloudwatch.LogGroup(
        f"{name}-logs",
        retention_in_days=log_retention_days,
        kms_key_id=security.key,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    own = [write_logs(arns, group.name), write_traces(), *security.environment]
    role, policy = function_role(name, [*own, *statements], parent, security.boundary)
    return aws.lambda_.Function(
        name,
        runtime="python3.13",
        architectures=["arm64"],
        handler=runs.handler,
        code=runs.archive,
        layers=list(layers) or None,
        role=role.arn,
        timeout=timeout,
        memory_size=memory,
        publish=publish,
        reserved_concurrent_executions=reserved_concurrency,
        environment=aws.lambda_.FunctionEnvironmentArgs(variables=environment),
        kms_key_arn=security.key,
        logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=group.name),
        tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy]),
    )
