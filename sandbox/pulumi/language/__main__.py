"""Entry of the language host's process: serves until the engine that started it ends.

Arguments: `--use-executor FILE [flags] ENGINE`. The engine passes its own address as the last one, and FILE
is `pulumi-language-python-exec` of the SDK for Go. Other flags of the official host are ignored.
"""

import argparse
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import grpc

from selfheal.sandbox.pulumi.language.children import Children
from selfheal.sandbox.pulumi.language.host import LanguageHost
from selfheal.sandbox.pulumi.protocol import language_pb2_grpc

_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_CALLS = 64
"""Concurrent calls; each policy pack or component plugin takes one until it ends."""


def main(argv: list[str]) -> NoReturn:
    """Serve until the engine interrupts this process or ends."""
    parser = argparse.ArgumentParser(prog="pulumi-language-python", allow_abbrev=False)
    parser.add_argument("--use-executor", type=Path, required=True)
    args, others = parser.parse_known_args(argv)
    engine = others[-1] if others else ""
    if not args.use_executor.is_file():
        sys.exit(f"pulumi-language-python: {args.use_executor} is missing; run `make setup` in the checkout")
    if not engine or engine.startswith("-"):
        sys.exit(
            "pulumi-language-python: the engine's address is missing; only the Pulumi CLI starts this program"
        )
    children = Children()
    server = grpc.server(
        ThreadPoolExecutor(_CALLS), options=[("grpc.max_receive_message_length", _MESSAGE_BYTES)]
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        LanguageHost(args.use_executor.resolve(), engine, children), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    ended = threading.Event()
    # The engine interrupts the process groups of its plugins at the end of every operation.
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    print(port, flush=True)  # noqa: T201  (how the engine learns it)
    threading.Thread(target=_watch, args=(engine, ended), daemon=True).start()
    ended.wait()
    _leave_nothing(children)


def _watch(engine: str, ended: threading.Event) -> None:
    """Wait until the engine ends: it answers this call once and keeps it open."""
    # The engine is on this machine: the user's http_proxy must not be used.
    with grpc.insecure_channel(engine, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            for _ in channel.unary_stream("/grpc.health.v1.Health/Watch")(b""):
                pass
        except grpc.RpcError:
            pass
    ended.set()


def _leave_nothing(children: Children) -> NoReturn:
    """End this process and all its descendants."""
    children.end()
    if os.getpgrp() == os.getpid():  # as the CLI starts it
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
