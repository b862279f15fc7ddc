"""Deploys a Pulumi program in this process, without the engine: for tests, and where there is no Pulumi CLI.

It only creates resources. There is no state, hence no preview, no second `up` and no destroy: the resources
end with their emulator. Features of Pulumi that it does not implement are refused by name.
"""

import asyncio
import contextlib
import contextvars
import runpy
import secrets
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.errors import RunError
from pulumi.runtime import configure, mocks, run_in_stack, set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import Settings

from selfheal.sandbox.errors import ProgramError, SandboxError, UnsupportedError
from selfheal.sandbox.provider import AwsProvider, wire
from selfheal.sandbox.pulumi.project import Project

STACK_TYPE = "pulumi:pulumi:Stack"
PARALLEL = 16
"""Resources that are created at the same time, as with the CLI."""

# The SDK does not send what is not offered: resources and outputs come as plain ids and values. What is
# offered here without being implemented is refused by name.
_OFFERED = [
    resource_pb2.ResourceMonitorFeature.Value(f"RESOURCE_MONITOR_FEATURE_{name}")
    for name in (
        *("SECRETS", "ALIAS_SPECS", "DELETED_WITH", "REPLACE_WITH", "REPLACEMENT_TRIGGER", "TRANSFORMS"),
        *("INVOKE_TRANSFORMS", "PARAMETERIZATION", "RESOURCE_HOOKS", "ERROR_HOOKS"),
    )
]
_REFUSED = {
    **{name: name for name in ("provider", "replace_with", "replacement_trigger", "transforms", "hooks")},
    "importId": "import_",
    "deletedWith": "deleted_with",
    "envVarMappings": "env_var_mappings",
}
"""Fields of a registration, with their resource options. Others do not affect a first creation."""


def deploy(
    folder: Path, provider: AwsProvider, *, stack: str, overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Create what a program registers, and return the outputs of its stack. One program at a time.

    Args:
        folder: Folder of Pulumi.yaml.
        provider: Creates all resources, in its own region, whatever the configuration says.
        stack: Name of the stack. Its configuration is that of Pulumi.<stack>.yaml, if any.
        overrides: Configuration that overrides the file's. Keys without a namespace are the project's.

    Raises:
        ProjectError: if the project's files cannot be used.
        ProgramError: if the program failed, or a resource of it, which the text names.

    """
    project = Project.load(folder, stack, overrides or {})
    monitor = Monitor(project, provider)
    run(project, monitor)
    return monitor.exports


class RefusedError(grpc.RpcError):
    """A failed call, as the SDK receives it from the engine."""

    def code(self) -> grpc.StatusCode:
        """Return the status code that Pulumi's engine uses."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return the reason."""
        return str(self)


def _refusing(what: str) -> Callable[["Monitor", Any], NoReturn]:
    def refuse(monitor: "Monitor", _: Any) -> NoReturn:
        text = f"The program {what}, which needs the Pulumi CLI. Remove it, or deploy with `pulumi up`."
        monitor.failure = monitor.failure or UnsupportedError(text)
        raise RefusedError(text)

    return refuse


class Monitor:
    """Implements Pulumi's resource monitor for the SDK. Its methods are called from several threads."""

    def __init__(self, project: Project, provider: AwsProvider) -> None:
        self.project = project
        self.provider = provider
        self.exports: dict[str, Any] = {}
        """The stack's outputs, once the program has ended."""
        self.failure: Exception | None = None
        """The first error of the deployment, which causes several others in the SDK."""
        self._urns: dict[str, object] = {}

    def create(self, request: Any, urn: str, inputs: wire.Properties) -> tuple[str, wire.Properties]:  # noqa: ARG002
        """Create a resource and return its id and outputs; a component has no id."""
        return self.provider.create(request.type, inputs) if request.custom else ("", inputs)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, D102
        with self._named(request):
            urn = self._claim(request)
            _refuse_options(request)
            inputs, secret = wire.decode(request.object, self.project.folder)
            if request.custom:
                seed = secrets.token_hex(16)
                inputs = self.provider.check(request.type, request.name, inputs, None, seed)
            id_, outputs = self.create(request, urn, inputs)
            hidden = secret | set(request.additionalSecretOutputs)
            return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=wire.encode(outputs, hidden))

    def ReadResource(self, request: Any) -> Any:  # noqa: N802, D102
        with self._named(request):
            urn = self._claim(request)
            _refuse_options(request)
            inputs, secret = wire.decode(request.properties, self.project.folder)
            found = self.provider.read(request.type, request.id, inputs)
            if found is None:
                raise ProgramError(f"There is none with the id '{request.id}'. Check the id and the region.")
            return resource_pb2.ReadResourceResponse(
                urn=urn, id=request.id, properties=wire.encode(found[1], secret)
            )

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802, D102
        if f"::{STACK_TYPE}::" in request.urn:
            self.exports = wire.decode(request.outputs, self.project.folder)[0]
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802, D102
        # A failed function does not fail the deployment: the program may catch the error.
        try:
            _refuse_options(request)
            answer = self.provider.invoke(request.tok, wire.decode(request.args, self.project.folder)[0])
        except Exception as error:
            raise RefusedError(f"invocation of {request.tok} returned an error: {error}") from error
        fields: dict[str, Any] = {"return": wire.encode(answer)}  # a keyword of Python
        return resource_pb2.ResourceInvokeResponse(**fields)

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802, D102, ARG002
        return resource_pb2.DeploymentInfo(supportedFeatures=_OFFERED)

    def SignalAndWaitForShutdown(self, request: Any) -> Any:  # noqa: N802, D102, ARG002
        return empty_pb2.Empty()

    Call = _refusing("calls a method of a resource")
    ExistsResource = _refusing("asks whether a resource exists")
    RegisterStackTransform = _refusing("registers a stack transform")
    RegisterStackInvokeTransform = _refusing("registers an invoke transform")
    RegisterResourceHook = _refusing("registers a resource hook")
    RegisterErrorHook = _refusing("registers an error hook")
    RegisterPackage = _refusing("registers a parameterized package")

    def _claim(self, request: Any) -> str:
        urn = make_urn(self.project.stack, self.project.name, request.parent, request.type, request.name)
        if self._urns.setdefault(urn, request) is not request:  # atomic, because of the threads
            raise ProgramError(
                f"Duplicate resource URN '{urn}'. Give each of one type and parent its own name."
            )
        return urn

    @contextlib.contextmanager
    def _named(self, request: Any) -> Generator[None]:
        """Record the first error with the resource's name; later registrations then fail at once."""
        if self.failure is not None:
            raise RefusedError("the deployment has failed")
        try:
            yield
        except Exception as error:
            reason = error if isinstance(error, SandboxError) else repr(error)
            named = ProgramError(f"{request.type} '{request.name}': {reason}")
            named.__cause__ = error
            self.failure = self.failure or named
            raise RefusedError(str(named)) from error


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """Return a URN like the engine's, which chains the types of all parents except the stack."""
    chain = parent.split("::", 3)[2] + "$" if parent and f"::{STACK_TYPE}::" not in parent else ""
    return f"urn:pulumi:{stack}::{project}::{chain}{type_}::{name}"


def run(project: Project, monitor: Monitor, *, preview: bool = False) -> None:
    """Run a project's program with a monitor. Raises ProgramError, or the failure of the monitor."""

    def program() -> None:
        runpy.run_path(str(project.folder), run_name="__main__")

    settings = Settings(
        project=project.name,
        stack=project.stack,
        monitor=monitor,
        engine=mocks.MockEngine(None),
        parallel=PARALLEL,
        dry_run=preview,
        root_directory=str(project.folder),
        organization="organization",
    )
    try:
        with project.entered():
            run_sdk(settings, project.config, program)
    except (Exception, SystemExit) as error:
        ended = isinstance(error, SystemExit) and not error.code
        if monitor.failure is None and not ended:
            text = str(error) if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
            raise ProgramError(f"The program in {project.folder} failed: {text}") from error
    if monitor.failure is not None:
        raise monitor.failure


def run_sdk(
    settings: Settings, config: Mapping[str, str], program: Callable[[], Awaitable[None] | None]
) -> None:
    """Run a program inside a stack, with its own event loop and settings."""

    def in_context() -> None:
        configure(settings)
        set_all_config(dict(config), [])
        with asyncio.Runner() as runner:
            runner.get_loop().set_default_executor(ThreadPoolExecutor(PARALLEL))
            # Only the first failure is reported; the SDK would print those that follow from it.
            runner.get_loop().set_exception_handler(lambda *_: None)
            runner.run(run_in_stack(program))

    contextvars.copy_context().run(in_context)


def _refuse_options(request: Any) -> None:
    given = {
        field.name for field, value in request.ListFields() if field.name != "hooks" or value.ListFields()
    }
    refused = [option for field, option in _REFUSED.items() if field in given]
    if refused:
        raise UnsupportedError(f"the resource option {', '.join(refused)} needs the Pulumi CLI")
    if "remote" in given:
        raise UnsupportedError("a component written in another language needs the Pulumi CLI")
    if getattr(request, "type", "").startswith("pulumi:providers:"):
        raise UnsupportedError(
            "an explicit provider needs the Pulumi CLI: here all is of one endpoint and region"
        )
