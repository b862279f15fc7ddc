"""The sandbox's plugin for previews of any type that AWS has: it takes every property, and calls nothing.

The sandbox itself refuses what it does not implement. A guard must see that as well, and at preview a
provider has only to say which outputs are unknown.
"""

import shlex
import sys
from pathlib import Path
from typing import Any

import grpc

from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN, decode, encode
from selfheal.sandbox.pulumi.plugin import __main__ as plugin
from selfheal.sandbox.pulumi.plugin.install import provider_version
from selfheal.sandbox.pulumi.plugin.service import Service
from selfheal.sandbox.pulumi.protocol import provider_pb2
from tests.conftest import ROOT
from tests.policies.support.recording import answered


class Anything(Service):
    """Answers checks and previews of creations; everything else is the sandbox's."""

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        assert request.preview
        type_ = request.urn.split("::")[2].rsplit("$", 1)[-1]
        inputs, _ = decode(request.properties, Path())
        computed = TABLE[type_].computed if type_ in TABLE else frozenset[str]()
        outputs = dict.fromkeys({*computed, "arn", "id"}, UNKNOWN) | inputs
        return provider_pb2.CreateResponse(properties=encode(answered(type_, outputs)))


def install(home: Path) -> None:
    """Write the plugin into a PULUMI_HOME."""
    folder = home / "plugins" / f"resource-aws-v{provider_version()}"
    folder.mkdir(parents=True)
    entry = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'policies')!r}]; "
    entry += f"from {__name__} import serve; serve()"
    executable = folder / "pulumi-resource-aws"
    executable.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(entry)}\n")
    executable.chmod(0o755)


def serve() -> None:
    """Serve until the engine ends."""
    plugin.Service = Anything
    plugin.main()
