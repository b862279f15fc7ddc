"""Entry of the plugin's process: serves until the engine that started it goes away."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.plugin.service import Service
from sandbox.plugin.version import provider_version

_WORKERS = (
    64  # the engine calls for as many resources at once as its --parallel says, 4 a processor by default
)
_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_POLL_SECONDS = 0.5


def main() -> None:
    """Serve on a free port of 127.0.0.1, told on the first line; end with the process that started us."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to answer: it lets us finish
    limits = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(_WORKERS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Service(provider_version()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while os.getppid() == parent:  # whoever is killed cannot tell us; its children get another parent
        time.sleep(_POLL_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()
