"""The sandbox's AWS provider in the tests' own process, for a Pulumi CLI to attach to.

The CLI starts a provider for each command, and two where it refreshes: here it finds one that runs. That it
starts the plugin itself, that each has settings of its own and that it ends is shown by tests/sandbox/pulumi/
and tests/engine/test_interrupted.py, which do without this.
"""

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.plugin.install import provider_version
from selfheal.sandbox.pulumi.plugin.service import Service
from selfheal.sandbox.pulumi.protocol import provider_pb2_grpc

PortOf = Callable[[Path], int]
"""Returns where the provider of a program in this folder listens."""


class _Attachable(Service):
    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        return empty_pb2.Empty()


class _Connections:
    """One provider a connection, as each would be a process: it is configured for itself."""

    def __init__(self, make: Callable[[], Service]) -> None:
        self._make = make
        self._services: dict[str, Service] = {}

    def __getattr__(self, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            service = self._services.setdefault(context.peer(), self._make())
            return getattr(service, method)(request, context)

        return call


@contextmanager
def attachable(environment: Mapping[str, str]) -> Generator[PortOf]:
    """Serve providers with this environment, one for each folder that is asked for."""
    servers: list[grpc.Server] = []
    providers: dict[str, AwsProvider] = {}

    def provider(clients: Clients) -> AwsProvider:
        """Return one with the same settings that has its connections already."""
        return providers.setdefault(repr(clients), AwsProvider(clients))

    @cache
    def port_of(folder: Path) -> int:
        server = grpc.server(ThreadPoolExecutor(64))
        served: Any = _Connections(lambda: _Attachable(provider_version(), environment, folder, provider))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(served, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return port

    try:
        yield port_of
    finally:
        for server in servers:
            server.stop(None).wait()
