"""Pulumi's protocol, as generated for Python, without the SDK that contains it.

The provider plugin and the language host speak nothing but the protocol, and the CLI starts several of them
for each command. The SDK would double the time that they take to start.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def _sdk_left_out() -> Generator[None]:
    """Import submodules of `pulumi.runtime` without running the code of the packages around them.

    Empty packages stand in for these meanwhile. Who imports the SDK later gets the real one.
    """
    if "pulumi" in sys.modules:
        yield
        return
    spec = find_spec("pulumi")  # finds a top-level package without importing it
    folders = list(spec.submodule_search_locations or ()) if spec else []
    standing_in = {
        "pulumi": folders,
        "pulumi.runtime": [f"{folder}/runtime" for folder in folders],
    }
    for name, path in standing_in.items():
        package = ModuleType(name)
        package.__path__ = path
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in standing_in:
            del sys.modules[name]


with _sdk_left_out():
    from pulumi.runtime.proto import (
        language_pb2,
        language_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        status_pb2,
    )

__all__ = [
    "language_pb2",
    "language_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "status_pb2",
]
