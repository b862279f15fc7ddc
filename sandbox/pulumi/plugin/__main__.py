"""Entry of the plugin's process: serves until the engine that started it ends."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from selfheal.sandbox.pulumi.plugin.install import provider_version
from selfheal.sandbox.pulumi.plugin.service import Service
from selfheal.sandbox.pulumi.protocol import provider_pb2_grpc

_WORKERS = 64  # calls at once: as many as the engine's --parallel, 4 a processor by default
_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 0.5


def main() -> None:
    """Serve on a free port of 127.0.0.1, which the first line tells, until the parent process ends."""
    parent = os.getppid()
    interrupted = threading.Event()  # by the engine, at the end of every operation
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
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
    # If the engine is killed, this process gets another parent.
    while os.getppid() == parent and not interrupted.wait(_POLL_SECONDS):
        pass
    server.stop(_GRACE_SECONDS).wait()
    os._exit(0)  # without waiting for calls to the emulator


if __name__ == "__main__":
    main()
