"""A language host in this process, and the engine that it and its programs talk to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import engine_pb2_grpc, language_pb2_grpc, resource_pb2_grpc

from selfheal.sandbox.pulumi.cli import EXECUTABLE
from selfheal.sandbox.pulumi.language.children import Children
from selfheal.sandbox.pulumi.language.host import LanguageHost
from tests.sandbox.pulumi.language.engine import Engine, Project


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(8))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(grace=None).wait()


@pytest.fixture
def host(address: str) -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    children = Children()
    executor = EXECUTABLE.resolve().parent / "pulumi-language-python-exec"
    server = grpc.server(ThreadPoolExecutor(8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(executor, address, children), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)
    children.end()
    server.stop(grace=None).wait()


@pytest.fixture
def project(tmp_path: Path, address: str) -> Project:
    return Project(tmp_path, address)
