"""Experiments on the deployed orders service: verdicts that repeat, one that fails, and a signal."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.chaos.stack import ChaosStack, deployed
from selfheal.cli.chaos.record import Records
from selfheal.functions.downstream.store import Store
from tests.cli.chaos.scenarios import run, write
from tests.support.processes import until

pytestmark = [pytest.mark.slow, pytest.mark.drill]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosStack]:
    folder: Path = tmp_path_factory.mktemp("chaos")
    write(folder)
    with deployed(folder) as stack:
        stack.redeliver_soon(30)
        yield stack


def broken(stack: ChaosStack) -> dict[str, str]:
    return Store(stack.emulator.clients.get("dynamodb"), stack.outputs["downstreamTable"]).setting()


def test_a_scenario_gives_the_same_verdict_twice(stack: ChaosStack) -> None:
    for _ in range(2):
        done = run(stack, "holds")
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert [each["answer"] for each in report["hypothesis"]] == ["holds"] * 4
        assert report["measures"]["fulfilled_share"] == 1
        # Five a second until the fault ended, but for what the start and the end take.
        assert report["orders"]["accepted"] == pytest.approx(5 * report["fault_ended"], abs=10)
        assert 5 <= report["fault_ended"] - report["fault_began"] < 15
        assert report["how"].startswith("by the downstream's switch")
        assert broken(stack) == {}


def test_a_hypothesis_that_fails_says_so_and_ends_with_3(stack: ChaosStack) -> None:
    done = run(stack, "fails")
    assert done.returncode == 3, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "fails"
    assert report["why"].startswith("Seen otherwise: calls_during_fault at most 0, seen ")
    assert broken(stack) == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_fault_lasts_undoes_it_also_sent_twice(number: int, stack: ChaosStack) -> None:
    command = stack.command("run", str(stack.folder / "holds.yaml"), "--out", str(stack.folder / "out"))
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=stack.environment
    )
    try:
        until(lambda: broken(stack) != {}, 240)
        process.send_signal(number)
        process.send_signal(number)
        until(lambda: broken(stack) == {}, 60)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143, printed
    assert "is gone" in printed
    records = Records(stack.emulator.clients.get("dynamodb"), stack.outputs["ledgerTable"])
    assert (broken(stack), records.read()) == ({}, None)
