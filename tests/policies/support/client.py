"""A running policy pack, asked as Pulumi asks it, but strictly: a policy that could not run has not passed.

What is Pulumi's own work, as the schema of a pack's configuration, is not done here.
"""

import copy
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Self

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, engine_pb2_grpc

from selfheal.sandbox.provider import assets, wire
from tests.conftest import ROOT

_BYTES = [(f"grpc.max_{way}_message_length", 400 * 1024 * 1024) for way in ("send", "receive")]
_CALL_SECONDS = 300.0
_LEVELS = ("advisory", "mandatory", "disabled")  # in the order of Pulumi's own numbers for them


class Level(StrEnum):
    ADVISORY = "advisory"
    MANDATORY = "mandatory"


@dataclass(frozen=True)
class Analyzed:
    """A resource as a pack is told of it."""

    urn: str
    type: str
    name: str
    properties: wire.Properties
    """Checked inputs for `analyze`, outputs for `analyze_stack`."""
    secrets: frozenset[str] = frozenset()
    """Top-level properties that are secret."""
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    ignores: tuple[str, ...] = ()
    """The option `ignore_changes`, as the engine knows it."""
    provider: "Analyzed | None" = None
    """Its provider, by its inputs. A component has none."""


@dataclass(frozen=True)
class Violation:
    """One finding of one policy."""

    policy: str
    level: Level
    message: str
    urn: str
    severity: int
    """0 is none, 1 low, 4 critical."""


@dataclass(frozen=True)
class Policy:
    """What a pack says of one of its policies."""

    level: str
    whole_stack: bool
    defaults: Mapping[str, Any]
    """Of its configuration."""


class PackError(AssertionError):
    """A pack did not start, or a policy could not judge."""


class Judge:
    """A pack, however it is called. What it has not been configured for, it judges by its own defaults."""

    def __init__(self, call: Callable[[str, Any], Any]) -> None:
        """Ask for its policies; `call` passes a request of the protocol on to a method."""
        self._call = call
        info = call("GetAnalyzerInfo", empty_pb2.Empty())
        assert not info.initialConfig, "this client knows nothing of initial configuration"
        self.policies = {item.name: _policy(item) for item in info.policies}
        self._judged: dict[bytes, list[Violation]] = {}
        self._last: dict[str, bytes] = {}
        self._configured: Mapping[str, Any] | None = None

    def configure(self, config: Mapping[str, Any]) -> None:
        """Configure every policy anew: name to level, or to properties and `enforcementLevel`.

        What it is configured for already it is not told again: many scenes are judged by one rule.
        """
        if config == self._configured:
            return
        assert config.keys() <= self.policies.keys(), config.keys() - self.policies.keys()
        request: Any = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, policy in self.policies.items():
            given = config.get(name, {})
            properties = {"enforcementLevel": given} if isinstance(given, str) else dict(given)
            level = properties.pop("enforcementLevel", policy.level)
            request.policyConfig[name].enforcementLevel = _LEVELS.index(level)
            request.policyConfig[name].properties.update({**policy.defaults, **properties})
        self._call("Configure", request)
        self._configured = copy.deepcopy(config)
        self._judged.clear()

    def analyze(self, resource: Analyzed) -> list[Violation]:
        """Judge one resource by its inputs."""
        return self._analyze(analyzer_pb2.AnalyzeRequest(**_said(resource)))

    def analyze_once(self, resource: Analyzed) -> list[Violation]:
        """Judge one resource; not again if one that is told alike was judged in the same configuration.

        It is judged again if its URN has stood for something else since: the pack keeps its inputs.

        Most resources of a scene are those of the scene before, and all that a policy may judge a resource by
        is in the request. Whether calls influence each other is tested with `analyze`.
        """
        request = analyzer_pb2.AnalyzeRequest(**_said(resource))
        key = request.SerializeToString(deterministic=True)
        if key not in self._judged or self._last.get(resource.urn) != key:
            self._judged[key] = self._analyze(request)
        self._last[resource.urn] = key
        return self._judged[key]

    def _analyze(self, request: Any) -> list[Violation]:
        return [_violation(item) for item in self._call("Analyze", request).diagnostics]

    def analyze_stack(self, resources: Collection[Analyzed]) -> list[Violation]:
        """Judge a stack by the outputs of its resources."""
        of_each = [
            analyzer_pb2.AnalyzerResource(
                **_said(item),
                parent=item.parent,
                dependencies=item.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in item.property_dependencies.items()
                    if urns  # as the engine does
                },
            )
            for item in resources
        ]
        answer = self._call("AnalyzeStack", analyzer_pb2.AnalyzeStackRequest(resources=of_each))
        return [_violation(item) for item in answer.diagnostics]


class Pack(Judge):
    """One process of a pack, a context manager. `configure` may be called again and again."""

    def __init__(
        self,
        folder: Path,
        stack: str = "dev",
        project: str = "selfheal",
        config: Mapping[str, str] | None = None,
    ) -> None:
        """Start it with the defaults of its policies. Raises PackError with what it printed.

        `config` is the stack's own configuration, by the project's keys. It is declared a sandbox.
        """
        with ExitStack() as started:
            self._log = started.enter_context(tempfile.TemporaryFile("a+"))
            engine = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
            engine_pb2_grpc.add_EngineServicer_to_server(_Engine(self._log), engine)
            address = f"127.0.0.1:{engine.add_insecure_port('127.0.0.1:0')}"
            engine.start()
            started.callback(engine.stop, None)
            self._process = _started(folder, address, stack, project, self._log)
            started.callback(self._end)
            port = self._process.stdout.readline().strip() if self._process.stdout else ""
            if not port.isdigit():
                self._process.wait(5)
                raise PackError(f"{folder} does not start, its first line is {port!r}\n{self._printed()}")
            channel = grpc.insecure_channel(f"127.0.0.1:{port}", [*_BYTES, ("grpc.enable_http_proxy", 0)])
            started.callback(channel.close)
            self._stub = analyzer_pb2_grpc.AnalyzerStub(channel)
            own = {"sandbox": "true", **(config or {})}
            held = {f"{project}:{key}": value for key, value in own.items()}
            told = analyzer_pb2.AnalyzerStackConfigureRequest(
                stack=stack, project=project, dry_run=True, config=held
            )
            self._asked("ConfigureStack", told)
            super().__init__(self._asked)
            self.configure({})
            self._running = started.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _asked(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=_CALL_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            raise PackError(f"{method} failed: {error}\n{self._printed()}") from error

    def _printed(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _end(self) -> None:
        self._process.terminate()
        self._process.communicate()


class _Engine(engine_pb2_grpc.EngineServicer):
    """Where a pack logs to."""

    def __init__(self, log: IO[str]) -> None:
        self.log = log

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self.log.write(f"{request.message}\n")
        return empty_pb2.Empty()


def _started(folder: Path, engine: str, stack: str, project: str, log: IO[str]) -> subprocess.Popen[str]:
    """Start a pack as Pulumi does, without this project on its import path: it must stand alone."""
    paths = [item for item in os.environ.get("PYTHONPATH", "").split(os.pathsep) if item != str(ROOT)]
    told = {"CONFIG": "{}", "ORGANIZATION": "organization", "PROJECT": project, "STACK": stack}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", engine, str(folder)],
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))},
            **{f"PULUMI_{key}": value for key, value in told.items()},
            "PYTHONPATH": os.pathsep.join(paths),
            "PULUMI_DRY_RUN": "true",
            "no_grpc_proxy": "127.0.0.1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )


def _said(resource: Analyzed) -> dict[str, Any]:
    by = resource.provider
    return {
        "type": resource.type,
        "urn": resource.urn,
        "name": resource.name,
        "properties": _struct(resource),
        "options": analyzer_pb2.AnalyzerResourceOptions(
            parent=resource.parent, ignoreChanges=resource.ignores
        ),
        "provider": by
        and analyzer_pb2.AnalyzerProviderResource(
            type=by.type, urn=by.urn, name=by.name, properties=_struct(by)
        ),
    }


def _struct(resource: Analyzed) -> struct_pb2.Struct:
    properties = struct_pb2.Struct()
    for key, value in resource.properties.items():
        sent = _plain(value)
        if key in resource.secrets:
            sent = {assets.SIGNATURE_KEY: wire.SECRET_SIGNATURE, "value": sent}
        properties.update({key: sent})
    return properties


def _plain(value: Any) -> Any:
    """Return a value as it is sent: of assets not the content, but the hash stands where the path would."""
    if isinstance(value, assets.Blob):
        signature = assets.ARCHIVE_SIGNATURE if isinstance(value, assets.Archive) else assets.ASSET_SIGNATURE
        return {assets.SIGNATURE_KEY: signature, "path": value.sha256, "hash": value.sha256}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _violation(item: Any) -> Violation:
    # The SDK makes an advisory note of a policy that met an unknown value it cannot do without.
    unrun = item.message.startswith("can't run policy")
    mandatory = unrun or item.enforcementLevel == analyzer_pb2.MANDATORY
    level = Level.MANDATORY if mandatory else Level.ADVISORY
    message = item.message.removeprefix(item.description).strip() or item.description
    return Violation(item.policyName, level, message, item.urn, item.severity)


def _policy(item: Any) -> Policy:
    schema: Mapping[str, Any] = json_format.MessageToDict(item.configSchema.properties)
    return Policy(
        level=_LEVELS[item.enforcementLevel],
        whole_stack=item.policy_type == analyzer_pb2.POLICY_TYPE_STACK,
        defaults={key: value["default"] for key, value in schema.items() if "default" in value},
    )
