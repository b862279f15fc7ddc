"""The plugin in process, over gRPC as the engine calls it; and the real CLI on programs of a test's own."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.pulumi import cli as pulumi_cli
from selfheal.sandbox.pulumi.plugin.service import Service

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as the engine sends them: nothing is converted."""
    result = struct_pb2.Struct()
    result.update(dict(properties))
    return result


def urn(type_: str, name: str = "thing") -> str:
    return f"urn:pulumi:dev::project::{type_}::{name}"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def clients(emulator: Emulator) -> Clients:
    return Clients(emulator.endpoint, emulator.region, emulator.credentials)


Served = Callable[[Mapping[str, str], Path], Any]


@pytest.fixture
def served() -> Iterator[Served]:
    """A stub of a plugin that is served with an environment, for a program's folder."""
    ended: list[Callable[[], object]] = []

    def serve(environment: Mapping[str, str], folder: Path) -> Any:
        server = grpc.server(ThreadPoolExecutor(4))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(
            Service("7.0.0", environment, folder), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)])
        ended.extend((channel.close, lambda: server.stop(None).wait()))
        return provider_pb2_grpc.ResourceProviderStub(channel)

    yield serve
    for end in ended:
        end()


@dataclass
class Project:
    """A Pulumi project in a folder of its own, with a stack `dev` in a backend of its own."""

    folder: Path
    environment: dict[str, str]

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(f"import pulumi\nimport pulumi_aws as aws\n{text}\n")

    def run(self, *arguments: str, refused: bool = False, **environment: str) -> str:
        """Run the CLI; return what it said. Fails if its exit code is not what `refused` says."""
        done = subprocess.run(
            [str(pulumi_cli.executable()), "--non-interactive", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode != 0) is refused, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, *arguments: str, refused: bool = False, **environment: str) -> str:
        return self.run("up", "--yes", "--skip-preview", *arguments, refused=refused, **environment)

    def state(self) -> list[dict[str, Any]]:
        """Resources as Pulumi keeps them."""
        return json.loads(self.run("stack", "export"))["deployment"].get("resources", [])

    def resource(self, name: str) -> dict[str, Any]:
        return next(found for found in self.state() if found["urn"].endswith(f"::{name}"))


@pytest.fixture
def project(tmp_path: Path, emulator: Emulator) -> Callable[[str], Project]:
    """Make a project by name; projects of one test share a backend, and its checkout's plugin read-only."""
    home, backend = tmp_path / "home", tmp_path / "backend"
    for folder in (home, backend):
        folder.mkdir()
    (home / "plugins").symlink_to(pulumi_cli.HOME / "plugins")
    environment = pulumi_cli.merged(
        os.environ,
        pulumi_cli.environment(emulator.endpoint, emulator.region, emulator.credentials, backend, home=home),
    )

    def make(name: str) -> Project:
        made = Project(tmp_path / name, environment)
        made.folder.mkdir()
        (made.folder / "Pulumi.yaml").write_text(
            f"name: {name}\nruntime: python\noptions: {{refresh: always}}\n"
        )
        made.run("stack", "init", "dev")
        return made

    return make
