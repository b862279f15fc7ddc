"""The `selfheal` command as a process of its own, as a shell runs it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selfheal.sandbox.pulumi import cli
from tests.conftest import ROOT

RUNNER = """
import sys
from pathlib import Path
from selfheal.sandbox.pulumi import cli
cli.EXECUTABLE, cli.HOME = Path(sys.argv[1]), Path(sys.argv[2])
from selfheal.cli.main import run
run(sys.argv[3:])
"""
"""The command line with another Pulumi CLI, or another PULUMI_HOME, than the checkout's."""


def command(*arguments: str, executable: Path = cli.EXECUTABLE, home: Path = cli.HOME) -> list[str]:
    return [sys.executable, "-c", RUNNER, str(executable), str(home), *arguments]


def selfheal(
    *arguments: str, code: int = 0, environment: Mapping[str, str] | None = None, home: Path = cli.HOME
) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout to its end; fails unless it ends with `code`."""
    done = subprocess.run(
        command("--cwd", str(ROOT), *arguments, home=home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def asked(*arguments: str, code: int = 0, home: Path = cli.HOME) -> Any:
    """Run a command with --json, and return its answer."""
    return json.loads(selfheal(*arguments, "--json", code=code, home=home).stdout)


@contextmanager
def serving(*arguments: str) -> Generator[dict[str, Any]]:
    """Run `selfheal serve` and end it with SIGTERM, which must leave nothing."""
    process = subprocess.Popen(
        command("--cwd", str(ROOT), "serve", "--json", *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["pid"] == process.pid
        yield told
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
