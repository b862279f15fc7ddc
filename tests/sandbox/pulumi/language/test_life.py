"""The host's process: it serves as long as its engine lives, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2_grpc

from tests.sandbox.pulumi.language.engine import Health, Project
from tests.support.processes import ended


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    executor = tmp_path / "executor"
    executor.touch()
    return [sys.executable, "-m", "selfheal.sandbox.pulumi.language", "--use-executor", str(executor)]


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start the host as the engine does: leader of a process group of its own."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture
def living() -> Iterator[tuple[grpc.Server, str]]:
    """An engine that says that it lives."""
    server = grpc.server(ThreadPoolExecutor(4))
    health = Health()
    server.add_generic_rpc_handlers((health,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield server, f"127.0.0.1:{port}"
    health.over.set()
    server.stop(grace=None).wait()


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_it_serves_while_the_engine_lives_and_ends_with_it(
    command: list[str],
    living: tuple[grpc.Server, str],
    project: Project,
    proxy: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_grpc_proxy", raising=False)
    engine, address = living
    host = start([*command, "--tracing=x", "-v=3", address])
    assert host.stdout is not None
    port = int(host.stdout.readline())
    project.write(
        "import os, subprocess\nprint(subprocess.Popen(['sleep', '60']).pid, flush=True)\nos.wait()"
    )
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = language_pb2_grpc.LanguageRuntimeStub(channel)
        grandchild = int(next(stub.RunPlugin(project.plugin())).stdout)
        assert stub.GetPluginInfo(empty_pb2.Empty()).version == ""
        assert host.poll() is None

        engine.stop(grace=None).wait()

        host.wait(timeout=20)
    assert ended(grandchild)
    host.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_quietly(
    command: list[str], living: tuple[grpc.Server, str], number: signal.Signals
) -> None:
    host = start([*command, living[1]])
    assert host.stdout is not None
    host.stdout.readline()

    os.killpg(host.pid, number)

    assert host.wait(timeout=20) == -signal.SIGKILL  # its whole process group
    assert host.stdout.read() == ""
    host.stdout.close()


def test_it_ends_when_the_engine_was_never_there(command: list[str]) -> None:
    host = start([*command, "127.0.0.1:1"])
    assert host.stdout is not None

    host.wait(timeout=20)

    host.stdout.close()


@pytest.mark.parametrize("arguments", [[], ["-v=3"]])
def test_without_an_engine_s_address_it_says_who_starts_it(command: list[str], arguments: list[str]) -> None:
    ran = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30, check=False)

    assert ran.returncode == 1
    assert "only the Pulumi CLI starts this program" in ran.stderr


def test_without_the_executor_it_says_how_to_have_it(command: list[str]) -> None:
    Path(command[-1]).unlink()

    ran = subprocess.run([*command, "127.0.0.1:1"], capture_output=True, text=True, timeout=30, check=False)

    assert ran.returncode == 1
    assert f"{command[-1]} is missing; run `make setup`" in ran.stderr
