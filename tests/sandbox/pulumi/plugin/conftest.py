"""The plugin in process, over gRPC as the engine calls it."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2_grpc

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
