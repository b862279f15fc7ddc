"""Installing the plugin: where, what it runs, and that it does so from anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from selfheal import SOURCE
from selfheal.sandbox.pulumi.plugin.install import install, is_of_this_checkout, provider_version


def test_it_is_put_where_the_engine_looks_and_twice_is_once(tmp_path: Path) -> None:
    executable = install(tmp_path / "home")
    version = provider_version()
    assert executable == tmp_path / "home" / "plugins" / f"resource-aws-v{version}" / "pulumi-resource-aws"
    assert os.access(executable, os.X_OK)
    first = executable.stat()
    assert install(tmp_path / "home") == executable
    assert executable.stat().st_mtime_ns == first.st_mtime_ns
    assert [path.name for path in executable.parent.iterdir()] == ["pulumi-resource-aws"]


def test_one_of_an_older_checkout_is_replaced(tmp_path: Path) -> None:
    executable = install(tmp_path)
    text = executable.read_text()
    assert sys.executable in text
    executable.write_text("#!/bin/sh\nexit 1\n")
    install(tmp_path)
    assert executable.read_text() == text
    assert os.access(executable, os.X_OK)


def test_it_serves_from_a_folder_with_modules_of_our_names(tmp_path: Path) -> None:
    program = tmp_path / "a program's"
    program.mkdir()
    for name in ("sandbox", "grpc", "functions"):
        (program / f"{name}.py").write_text("raise ImportError('of the program')\n")
    process = subprocess.Popen(
        [str(install(tmp_path / "home")), "127.0.0.1:1"],
        cwd=program,
        env=dict(os.environ) | {"PYTHONPATH": str(program)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            assert stub.GetPluginInfo(empty_pb2.Empty()).version == provider_version()
    finally:
        process.terminate()  # as the engine does at the end of every operation
        assert process.wait(5) == 0


def test_a_plugin_of_another_checkout_is_told_from_our_own(tmp_path: Path) -> None:
    assert is_of_this_checkout(tmp_path), "there is none"
    executable = install(tmp_path)
    assert is_of_this_checkout(tmp_path)
    text = executable.read_text()
    executable.write_text(text.replace(str(SOURCE), "/moved/from/here"))
    assert not is_of_this_checkout(tmp_path)
    executable.write_bytes(b"\x7fELF\xff")
    assert is_of_this_checkout(tmp_path), "the real one"
