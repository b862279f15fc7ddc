"""A policy pack as an analyzer: the calls of Pulumi's protocol, strictly.

Strict: a policy that could not run has not passed. What the SDK turns into an advisory note ("can't run
policy") is a mandatory violation here, and a failed call is an error.
"""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, engine_pb2, engine_pb2_grpc

from sandbox.engine.analyzer_api import Analyzed, Level, Violation
from sandbox.errors import PolicyPackError
from sandbox.policies import wire
from sandbox.policies.process import PackProcess, Stack
from sandbox.policies.settings import LEVELS, Policy, Setting, settle
from sandbox.provider.wire import Properties

_MAX_MESSAGE = 400 * 1024 * 1024  # pulumi_policy.policy
_CALL_SECONDS = 300.0
_CANNOT_RUN = ("can't run policy", "can't run remediation")
_SEVERITIES = ("", "low", "medium", "high", "critical")


class Pack:
    """A running policy pack; implements `sandbox.engine.analyzer_api.Analyzer`. A context manager.

    One process can serve many runs: call `configure` between them. Safe to call from several threads.
    """

    def __init__(self, folder: Path, stack: Stack, config: Mapping[str, Any] | None = None) -> None:
        """Start the pack and configure it.

        Raises PolicyPackError if it does not start, or the configuration is not what its schemas allow.
        """
        self._engine = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
        self._log = _Log()
        engine_pb2_grpc.add_EngineServicer_to_server(self._log, self._engine)
        address = f"127.0.0.1:{self._engine.add_insecure_port('127.0.0.1:0')}"
        self._engine.start()
        try:
            self._process = PackProcess(folder, address, stack)
        except BaseException:
            self._engine.stop(grace=None)
            raise
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{self._process.port}",
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE),
                ("grpc.max_send_message_length", _MAX_MESSAGE),
                ("grpc.enable_http_proxy", 0),
            ],
        )
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)
        self.settings: Mapping[str, Setting] = {}
        """How each policy runs now, by its name."""
        try:
            self._tell_stack(stack)
            info = self._call("GetAnalyzerInfo", empty_pb2.Empty())
            self.name = str(info.name)
            self.policies = MappingProxyType({item.name: _policy(item) for item in info.policies})
            self._initial = {name: _setting(item) for name, item in info.initialConfig.items()}
            self.configure(config or {})
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the pack, which runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()

    @property
    def pid(self) -> int:
        """Of the pack's process."""
        return self._process.pid

    def configure(self, config: Mapping[str, Any]) -> None:
        """Configure every policy anew, by the content of a `--policy-pack-config` file. Raises as start."""
        self.settings = settle(self.policies, self._initial, config)
        request: Any = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, setting in self.settings.items():
            entry = request.policyConfig[name]
            entry.enforcementLevel = LEVELS.index(setting.level)
            entry.properties.update(setting.properties)
        self._call("Configure", request)

    def remediate(self, resource: Analyzed, /) -> Properties | None:
        """Return a resource's inputs as the pack would have them; None if no policy remediates."""
        if all(setting.level != "remediate" for setting in self.settings.values()):
            return None
        better: Properties | None = None
        answer = self._call("Remediate", wire.resource_request(resource))
        for remediation in answer.remediations:
            if remediation.diagnostic:
                raise PolicyPackError(f"{remediation.policyName}: {remediation.diagnostic}")
            if remediation.HasField("properties"):
                better = wire.remediated(remediation.properties, resource.properties)
        return better

    def analyze(self, resource: Analyzed, /) -> list[Violation]:
        """Judge one resource by its inputs. Raises PolicyPackError if a policy crashed."""
        return self._violations(self._call("Analyze", wire.resource_request(resource)))

    def analyze_stack(self, resources: list[Analyzed], /) -> list[Violation]:
        """Judge a stack by its resources' outputs. Raises PolicyPackError if a policy crashed."""
        return self._violations(self._call("AnalyzeStack", wire.stack_request(resources)))

    def close(self) -> None:
        """End the pack's process."""
        self._channel.close()
        self._process.end()
        self._engine.stop(grace=None)

    def _tell_stack(self, stack: Stack) -> None:
        self._call(
            "ConfigureStack",
            analyzer_pb2.AnalyzerStackConfigureRequest(
                stack=stack.name,
                project=stack.project,
                organization=stack.organization,
                dry_run=stack.dry_run,
                config=dict(stack.config),
            ),
        )

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=_CALL_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            details = error.details() if isinstance(error, grpc.Call) else str(error)
            said = "\n".join(filter(None, [*self._log.messages, self._process.printed()]))
            about = f" on {request.urn}" if getattr(request, "urn", "") else ""
            raise PolicyPackError(
                f"A policy could not run: {method}{about} of the pack failed: {details}\n{said}".rstrip()
            ) from error

    def _violations(self, answer: Any) -> list[Violation]:
        return [_violation(item) for item in answer.diagnostics]


class _Log(engine_pb2_grpc.EngineServicer):
    """What Pulumi's engine offers a pack: a place to log to."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        if request.severity >= engine_pb2.WARNING:
            self.messages.append(request.message)
        return empty_pb2.Empty()


def _violation(item: Any) -> Violation:
    unrun = item.message.startswith(_CANNOT_RUN)
    mandatory = unrun or item.enforcementLevel == analyzer_pb2.MANDATORY
    return Violation(
        policy=item.policyName,
        level=Level.MANDATORY if mandatory else Level.ADVISORY,
        message=item.message.removeprefix(item.description).strip() or item.description,
        urn=item.urn,
        pack=item.policyPackName,
        severity=_SEVERITIES[item.severity],
    )


def _policy(item: Any) -> Policy:
    schema: Any = json_format.MessageToDict(item.configSchema.properties)
    return Policy(
        name=item.name,
        level=LEVELS[item.enforcementLevel],
        whole_stack=item.policy_type == analyzer_pb2.POLICY_TYPE_STACK,
        properties=_whole(schema),
        required=tuple(item.configSchema.required),
    )


def _setting(item: Any) -> Setting:
    # An entry without a level reads as number 0, advisory: so it does for the real engine.
    return Setting(LEVELS[item.enforcementLevel], _whole(json_format.MessageToDict(item.properties)))


def _whole(value: Any) -> Any:
    """Return a value with whole numbers as int: a Struct has floats only, and people are shown these."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value
