"""A run that is killed leaves nothing broken: its fault ends by itself, and the next command undoes it."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.chaos.stack import ChaosStack, deployed
from selfheal.cli.chaos.record import Records, RunItem
from selfheal.functions.downstream.core import Setting, parse_switch
from selfheal.functions.downstream.store import Store
from tests.cli.chaos.scenarios import write
from tests.support.processes import until

pytestmark = [pytest.mark.slow, pytest.mark.drill]

SEED = 20261126
BASELINE = Setting()
PATIENCE_SECONDS = 240
"""A limit for what hangs: on a busy machine it takes a while until the first orders are fulfilled."""


class Watched:
    """What others see of a run."""

    def __init__(self, stack: ChaosStack) -> None:
        self.stack = stack
        dynamodb = stack.emulator.clients.get("dynamodb")
        self.records = Records(dynamodb, stack.outputs["ledgerTable"])
        self.downstream = Store(dynamodb, stack.outputs["downstreamTable"])

    def recorded(self) -> bool:
        return self.records.read() is not None

    def broken(self) -> bool:
        return bool(self.downstream.setting())

    def record(self) -> RunItem:
        found = self.records.read()
        assert found is not None
        return found


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder: Path = tmp_path_factory.mktemp("killed")
    write(folder)
    with deployed(folder) as stack:
        stack.redeliver_soon(30)
        yield Watched(stack)


def once(seen: Callable[[Watched], bool], seconds: float = 0) -> Callable[[Watched], None]:
    """Wait until something is seen, and then a while."""

    def wait(watched: Watched) -> None:
        until(lambda: seen(watched), PATIENCE_SECONDS)
        time.sleep(seconds)

    return wait


def when_mended(watched: Watched) -> None:
    once(Watched.broken)(watched)
    once(lambda each: not each.broken())(watched)


MOMENTS: dict[str, Callable[[Watched], None]] = {
    "recorded": once(Watched.recorded),
    "before": once(Watched.recorded, random.Random(SEED).uniform(1, 4)),
    "broken": once(Watched.broken),
    "fault": once(Watched.broken, random.Random(SEED + 1).uniform(1, 4)),
    "mended": when_mended,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_stays_broken(moment: str, watched: Watched) -> None:
    stack = watched.stack
    command = stack.command("run", str(stack.folder / "holds.yaml"), "--out", str(stack.folder / "out"))
    printed = stack.folder / f"{moment}.txt"
    with printed.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=stack.environment)
    try:
        MOMENTS[moment](watched)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL, printed.read_text()
    record = watched.record()
    assert watched.broken() is (moment in ("broken", "fault"))
    # By itself: from its end on the downstream's own code takes the baseline, though the item is there.
    switch = parse_switch(watched.downstream.setting(), BASELINE)
    assert switch.at(record.ends, BASELINE) == BASELINE
    assert record.ends < time.time() + 25
    # By the next command, which knows from the record alone.
    ended = stack.run("stop")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Nothing is broken any more" in ended.stdout
    assert (watched.broken(), watched.recorded()) == (False, False)
