"""An `up` that is interrupted, doubled or killed, and how Pulumi goes on from there."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.held import Held, holding
from tests.engine.live import BASELINE, rate, tables
from tests.support.stacks import FAILED, SECONDS, Account, Stack


@pytest.fixture(scope="module")
def begun(cloud: Account) -> Stack:
    """A stack whose first `up` is interrupted by one test, and finished by the next."""
    return recorded(cloud, "begun")


def recorded(cloud: Account, name: str) -> Stack:
    """Make a stack as outside of tests: its state is written around every step, and its plugin a process."""
    return replace(cloud, providers=None).stack(name).within(PULUMI_SKIP_CHECKPOINTS="false")


def until(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    """Wait until something is so; fails with what is instead."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


@contextmanager
def midway(stack: Stack, *actions: str) -> Generator[tuple[subprocess.Popen[str], Held]]:
    """Start an `up`, and yield it when AWS has carried out these actions and has not answered yet."""
    with holding(stack.account, *actions) as held:
        process = replace(stack, account=held.account).start("up", "--skip-preview")
        try:
            until(lambda: held.made or process.poll() is not None, lambda: actions)
            assert process.poll() is None, finished(process)
            yield process, held
        finally:
            held.release()
            if process.poll() is None:
                process.kill()


def finished(process: subprocess.Popen[str]) -> str:
    """Wait for a command that was started, and return what it printed."""
    told, _ = process.communicate(timeout=SECONDS)
    return told


def processes(account: Account) -> list[str]:
    """Return what runs with this account's backend in its environment: the CLI and all that it started."""
    backend = account.environment["PULUMI_BACKEND_URL"].encode()
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and backend in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found


def none_left(account: Account) -> None:
    """Wait until all processes of the CLI have ended."""
    until(lambda: not processes(account), lambda: processes(account))


def pending(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the resources whose creation has begun and is not known to have ended, by their name.

    None as well where the state cannot be read, because an `up` writes it at this moment.
    """
    code, told = stack.tried("stack export")
    if code:
        assert "failed to load checkpoint" in told, told
        return {}
    operations = json.loads(told)["deployment"].get("pending_operations", [])
    assert {each["type"] for each in operations} <= {"creating"}
    return {each["resource"]["urn"].rpartition("::")[2]: each["resource"] for each in operations}


def test_an_interrupted_up_ends_what_it_has_begun_and_records_it(begun: Stack) -> None:
    with midway(begun, "CreateTable") as (process, held):
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to the CLI and all that it started
        held.release()
        told = finished(process)
    assert process.returncode == FAILED, told
    assert "update canceled" in told
    assert "Traceback" not in told, told
    none_left(begun.account)
    assert pending(begun) == {}
    assert begun.urn("Table", "healer-ledger")


def test_the_next_up_finishes_it_a_second_meanwhile_is_refused_and_a_preview_is_not(begun: Stack) -> None:
    with midway(begun, "PutRule") as (process, held):
        refused = begun.up(code=FAILED)
        assert "the stack is currently locked by 1 lock(s)" in refused
        begun.preview()
        assert process.poll() is None
        held.release()
        told = finished(process)
    assert process.returncode == 0, told
    assert rate(begun) == BASELINE
    begun.preview("--expect-no-changes")


def test_a_killed_up_leaves_no_process_and_is_repaired_as_the_docs_say(cloud: Account) -> None:
    """The steps are those of docs/operations.md, "A deployment that was killed"."""
    stack = recorded(cloud, "killed")
    with midway(stack, "CreateTable", "CreateQueue") as (process, _):
        # By now nothing else is under way: the rest is recorded, or waits for one of the two.
        until(lambda: pending(stack).keys() == {"healer-ledger", "healer-failures"}, lambda: pending(stack))
        process.kill()
        finished(process)
        none_left(cloud)

    # 1. The lock, and whose it is.
    assert f"(pid {process.pid})" in stack.up(code=FAILED)
    stack.run("cancel", "--yes")

    # 2. What was being created.
    left = pending(stack)
    assert left.keys() == {"healer-ledger", "healer-failures"}

    # 3. The ledger is imported, and the queue deleted.
    ledger = left["healer-ledger"]
    assert ledger["inputs"]["name"] in tables(stack)
    named = (
        ledger["type"],
        "healer-ledger",
        ledger["inputs"]["name"],
        "--parent",
        f"healer={ledger['parent']}",
    )
    stack.run("import", *named, "--protect=false", "--generate-code=false", "--skip-preview")
    queues = cloud.clients.get("sqs")
    url = queues.get_queue_url(QueueName=left["healer-failures"]["inputs"]["name"])["QueueUrl"]
    queues.delete_queue(QueueUrl=url)

    # 4. No longer pending.
    stack.run("refresh", "--clear-pending-creates", "--skip-preview")
    assert pending(stack) == {}

    # 5. The rest, and of the ledger what is set after its creation.
    assert "~ 1 updated" in stack.up()
    assert rate(stack) == BASELINE
    stack.preview("--expect-no-changes")
