"""What tests of the language host share: an engine for it, a project, and what its processes do."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, language_pb2, resource_pb2, resource_pb2_grpc

SECRET = "4dabf18193072939515e22adb298388d"


class Engine(engine_pb2_grpc.EngineServicer, resource_pb2_grpc.ResourceMonitorServicer):
    """As much of the engine as a program without resources needs; it remembers."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, str]] = []
        self.outputs: dict[str, Any] = {}
        self.root = ""

    @property
    def errors(self) -> str:
        return "\n".join(text for severity, text in self.logged if severity == engine_pb2.ERROR)

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self.logged.append((request.severity, request.message))
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return engine_pb2.GetRootResourceResponse(urn=self.root)

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self.root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in {"secrets", "outputValues"})

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return resource_pb2.RegisterResourceResponse(urn=f"urn:pulumi:dev::p::{request.type}::{request.name}")

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self.outputs = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()


class Health(grpc.GenericRpcHandler):
    """The engine's health service: an answer, and the call stays open until it is over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method != "/grpc.health.v1.Health/Watch":
            return None
        return grpc.unary_stream_rpc_method_handler(self._watch)

    def _watch(self, _request: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(self.over.set)
        yield b"\x08\x01"  # SERVING
        self.over.wait()


class Project:
    """A folder with a program in it, and the requests that an engine makes of it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address

    def write(self, text: str, name: str = "__main__.py") -> None:
        (self.folder / name).write_text(text)

    def info(self, **options: str) -> Any:
        info = language_pb2.ProgramInfo(
            root_directory=str(self.folder), program_directory=str(self.folder), entry_point="."
        )
        info.options.update(options)
        return info

    def run(
        self,
        config: dict[str, str] | None = None,
        secret: tuple[str, ...] = (),
        options: dict[str, str] | None = None,
    ) -> Any:
        return language_pb2.RunRequest(
            project="p",
            stack="dev",
            pwd=str(self.folder),
            info=self.info(**(options or {})),
            monitor_address=self.address,
            parallel=4,
            organization="organization",
            config=config or {},
            configSecretKeys=secret,
        )

    def plugin(self, *args: str, env: tuple[str, ...] = ()) -> Any:
        return language_pb2.RunPluginRequest(
            pwd=str(self.folder.parent), info=self.info(), args=args, env=env, kind="analyzer"
        )

    def told(self) -> Any:
        """What the program wrote with `json.dump(..., open("told", "w"))`."""
        return json.loads((self.folder / "told").read_text())


def wheel(folder: Path) -> str:
    """Make a wheel of one empty module `tiny_thing`; returns its hash."""
    path = folder / "tiny_thing-1.0-py3-none-any.whl"
    about = "tiny_thing-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_thing.py", "")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refusal(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    """Code and text of what a call was refused with."""
    assert isinstance(error, grpc.Call)
    return error.code(), error.details() or ""
