"""The gRPC services that the Pulumi SDK talks to: the resource monitor and the engine.

Served on 127.0.0.1 only. The SDK asks which features there are: those that it would otherwise complain
about as "update the Pulumi CLI" are offered, and refused by name when a program uses them; resource
references and output values are not offered, so the SDK sends plain ids and values.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from sandbox.engine import goal as goals
from sandbox.engine import urn as urns
from sandbox.engine.deployment import Deployment
from sandbox.engine.events import Severity
from sandbox.engine.run import Run, StoppedError, name_error
from sandbox.errors import SandboxError, UnsupportedError
from sandbox.provider import wire

# The SDK's executor has four threads per unit of `parallel`; each may wait in one call.
_SERVER_THREADS = 80
_MAX_MESSAGE = 400 * 1024 * 1024  # pulumi.runtime._grpc_settings
_NOT_OFFERED = {
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_BYTE_STRING,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_PARENT,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_OUTPUT_VALUES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_CALL_OUTPUT_VALUES,
}
_OFFERED = [number for number in resource_pb2.ResourceMonitorFeature.values() if number not in _NOT_OFFERED]


@dataclass(frozen=True)
class Site:
    """Where and as what the program runs."""

    project: str
    stack: str
    folder: Path
    """The program's working directory, for asset paths."""
    config: dict[str, str]


@contextmanager
def serve(site: Site, run: Run, deployment: Deployment) -> Generator[str]:
    """Serve both services on a free port of 127.0.0.1 and give their address."""
    server = grpc.server(
        ThreadPoolExecutor(_SERVER_THREADS),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.so_reuseport", 0)],
    )
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(site, run, deployment), server)
    engine_pb2_grpc.add_EngineServicer_to_server(EngineLog(run), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    except BaseException as error:
        run.fail(
            SandboxError(f"The run was interrupted: {type(error).__name__}.")
        )  # queued steps must not begin
        raise
    finally:
        run.drain()
        server.stop(grace=1).wait()


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Registrations, reads and function calls of one program."""

    def __init__(self, site: Site, run: Run, deployment: Deployment) -> None:
        self._site = site
        self._run = run
        self._deployment = deployment

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return resource_pb2.DeploymentInfo(
            project=self._site.project,
            stack=self._site.stack,
            config=self._site.config,
            dryRun=self._run.dry_run,
            supportedFeatures=_OFFERED,
        )

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return resource_pb2.SupportsFeatureResponse(
            hasSupport=request.id not in {"resourceReferences", "outputValues"}
        )

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        label = urns.label(request.type, request.name)
        with self._guarded(context, label):
            goal = goals.from_request(
                request, stack=self._site.stack, project=self._site.project, folder=self._site.folder
            )
            outcome = self._deployment.register(goal)
            return resource_pb2.RegisterResourceResponse(
                urn=goal.urn, id=outcome.id, object=wire.encode(outcome.outputs, outcome.secrets)
            )

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        label = urns.label(request.type, request.name)
        with self._guarded(context, label):
            wanted, secrets = goals.from_read(
                request, stack=self._site.stack, project=self._site.project, folder=self._site.folder
            )
            outcome = self._deployment.read(wanted)
            properties = wire.encode(outcome.outputs, secrets)
            return resource_pb2.ReadResourceResponse(urn=wanted.urn, id=outcome.id, properties=properties)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        with self._guarded(context, f"The outputs of {request.urn}"):
            outputs, secrets = wire.decode(request.outputs, self._site.folder)
            root = urns.qualified_type(request.urn) == urns.STACK_TYPE
            self._deployment.register_outputs(request.urn, outputs, secrets, root=root)
            return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        # A failed function call is not a failed run: the program may catch it, as it may with the real
        # engine.
        if request.provider:
            self._refuse(context, f"The program calls {request.tok} with an explicit provider")
        try:
            args, _ = wire.decode(request.args, self._site.folder)
            with self._run.slot():
                answer = self._run.provider.invoke(request.tok, args)
        except StoppedError:
            _abort(context, grpc.StatusCode.UNAVAILABLE, "the run is ending")
        except Exception as error:  # noqa: BLE001  (the program is told whatever it was)
            _abort(
                context, grpc.StatusCode.UNKNOWN, f"invocation of {request.tok} returned an error: {error}"
            )
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(wire.encode(answer))  # the field's name is a keyword of Python
        return response

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return empty_pb2.Empty()  # there are no hooks for which the program would have to stay

    def Call(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        return self._refuse(context, f"The program calls the method {request.tok} of a resource")

    def ExistsResource(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        return self._refuse(context, f"The program asks whether {request.type} '{request.id}' exists")

    def RegisterStackTransform(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return self._refuse(context, "The program registers a stack transform")

    def RegisterStackInvokeTransform(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return self._refuse(context, "The program registers an invoke transform")

    def RegisterResourceHook(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        return self._refuse(context, f"The program registers the resource hook '{request.name}'")

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        return self._refuse(context, f"The program registers the error hook '{request.name}'")

    def RegisterPackage(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        return self._refuse(context, f"The program registers the parameterized package '{request.name}'")

    def _refuse(self, context: Any, what: str) -> NoReturn:
        error = UnsupportedError(
            f"{what}, which the sandbox leaves out. Remove it, or deploy with the Pulumi CLI."
        )
        self._run.fail(error)
        _abort(context, grpc.StatusCode.UNKNOWN, str(error))

    @contextmanager
    def _guarded(self, context: Any, label: str) -> Generator[None]:
        """Make an error the run's failure and the call's, named; calls after it end as the run does."""
        try:
            yield
        except StoppedError:
            _abort(context, grpc.StatusCode.UNAVAILABLE, "the run is ending")
        except BaseException as error:  # noqa: BLE001  (lost in this thread, it would leave the program waiting)
            named = name_error(error, label)
            self._run.fail(named)
            _abort(context, grpc.StatusCode.UNKNOWN, str(named))


class EngineLog(engine_pb2_grpc.EngineServicer):
    """What the program logs becomes diagnostics; the root resource is kept for the SDK."""

    _SEVERITIES: ClassVar[dict[int, Severity]] = {
        engine_pb2.DEBUG: Severity.DEBUG,
        engine_pb2.INFO: Severity.INFO,
        engine_pb2.WARNING: Severity.WARNING,
        engine_pb2.ERROR: Severity.ERROR,
    }

    def __init__(self, run: Run) -> None:
        self._run = run
        self._root = ""

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        severity = self._SEVERITIES[request.severity]
        # The SDK traces every call at DEBUG; and a failure already told is not told again as the program's.
        echo = severity is Severity.ERROR and self._run.failure is not None
        if severity is not Severity.DEBUG and not echo:
            self._run.say(severity, request.message, request.urn)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def StartDebugging(self, request: Any, context: Any) -> Any:  # noqa: N802, D102, ARG002
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:  # noqa: N802, D102
        _abort(
            context,
            grpc.StatusCode.UNKNOWN,
            f"The program requires a Pulumi CLI {request.pulumi_version_range}; the sandbox is none.",
        )


def _abort(context: Any, code: grpc.StatusCode, text: str) -> NoReturn:
    context.abort(code, text)
    raise SandboxError(text)  # never reached: abort raises
