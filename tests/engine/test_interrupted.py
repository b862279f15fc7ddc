"""An `up` that is interrupted, killed or doubled, and how Pulumi goes on from there."""

import os
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.engine.live import BASELINE, rate, tables
from tests.engine.stack import FAILED, Account, Stack

BEGIN_SECONDS = 60.0
"""Within which the first table is there."""

END_SECONDS = 30.0
"""Within which every process of a CLI that was killed has ended."""


@pytest.fixture
def fresh(cloud: Account, request: pytest.FixtureRequest) -> Generator[Stack]:
    """A stack of the test's own, taken down afterwards."""
    stack = cloud.stack(request.node.name.removeprefix("test_")[:16].strip("_"))
    yield stack
    stack.run("destroy")


def midway(stack: Stack) -> subprocess.Popen[str]:
    """Start an `up`, and return it once the ledger's table exists."""
    process = stack.start("up", "--skip-preview")
    deadline = time.monotonic() + BEGIN_SECONDS
    while f"selfheal-{stack.name}-ledger" not in tables(stack):
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def finished(process: subprocess.Popen[str]) -> str:
    """Wait for a command that was started, and return what it printed."""
    told, _ = process.communicate(timeout=120)
    return told


def with_backend(stack: Stack) -> list[str]:
    """Return the processes with this account's backend in their environment: the CLI and all it started."""
    backend = stack.account.environment["PULUMI_BACKEND_URL"].encode()
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and backend in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found


def test_an_interrupted_up_ends_cleanly_and_the_next_finishes_it(fresh: Stack) -> None:
    process = midway(fresh)
    os.killpg(process.pid, signal.SIGINT)
    told = finished(process)
    assert process.returncode != 0, told
    assert "Traceback" not in told, told
    assert with_backend(fresh) == []
    fresh.up()
    assert rate(fresh) == BASELINE
    fresh.preview("--expect-no-changes")


def test_a_killed_up_leaves_no_process_and_is_repaired_as_the_docs_say(fresh: Stack) -> None:
    """What was being created when the CLI died is not in its state: Pulumi asks people to look, we do."""
    process = midway(fresh)
    process.kill()
    finished(process)
    deadline = time.monotonic() + END_SECONDS
    while left := with_backend(fresh):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
    locked = fresh.up(code=FAILED)
    assert "locked" in locked
    fresh.run("cancel", "--yes")
    repair(fresh)
    fresh.up()
    assert rate(fresh) == BASELINE
    fresh.preview("--expect-no-changes")


def repair(stack: Stack) -> None:
    """Take over what a killed `up` was creating: import what exists, forget what does not (docs/sandbox)."""
    pending = stack.exported()["deployment"].get("pending_operations", [])
    raise AssertionError(f"to be written once seen: {pending}")


def test_two_ups_at_once_the_second_is_refused_by_the_lock_and_a_preview_is_not(fresh: Stack) -> None:
    process = midway(fresh)
    refused = fresh.up(code=FAILED)
    assert "locked" in refused
    fresh.preview()
    told = finished(process)
    assert process.returncode == 0, told
