"""Steps that scenarios on the live fleet share."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.e2e.support.live_fleet import Fleet

QUIET = 20.0
"""Seconds for which nothing more must happen: a new alarm period and its evaluation, and five runs."""


def acts_on(fleet: Fleet, target: str, poison: str = "weak") -> float:
    """Let a service fail, wait for the first act and return when that was seen (time.time)."""
    fleet.callers[target].poison = poison
    fleet.wait_for(target, "an act", lambda: fleet.is_in(target, "VERIFYING"))
    return time.time()


@contextmanager
def acting_slowly(fleet: Fleet, healer: str, target: str, pause: int) -> Generator[None]:
    """Let a service fail and a run act on it that takes some seconds; meanwhile the healer runs as ever."""
    lambda_, deployed = fleet.clients.get("lambda"), fleet.outputs[f"healer-{healer}"]
    slow = fleet.copy_healer(healer, pause=pause)
    fleet.wake(slow)  # so that its start, of a second or more, is over
    lambda_.put_function_concurrency(FunctionName=deployed, ReservedConcurrentExecutions=0)
    fleet.callers[target].poison = "weak"
    fleet.wait_for(target, "alarm", lambda: fleet.alarm(target)["StateValue"] == "ALARM")
    with ThreadPoolExecutor() as beside:
        beside.submit(fleet.wake, slow)
        fleet.wait_for(target, "an intent", lambda: fleet.is_in(target, "ACTING"))
        lambda_.put_function_concurrency(FunctionName=deployed, ReservedConcurrentExecutions=1)
        yield
    fleet.wait_for(target, "verifying", lambda: fleet.is_in(target, "VERIFYING"))


def overrides(fleet: Fleet, target: str) -> tuple[tuple[str | None, int], tuple[str | None, int]]:
    """Return value and number of writes of FEATURE and of CACHE."""
    return fleet.override(target, "FEATURE"), fleet.override(target, "CACHE")


def nothing_more(fleet: Fleet, target: str, seconds: float = QUIET) -> None:
    """Fail if within that time anything is written about a target, or to it, or told to people."""
    fleet.wait_for(target, "notice", lambda: "effect" not in fleet.incident(target))
    time.sleep(2)  # for what was sent to arrive

    def state() -> list[object]:
        return [fleet.incident(target), overrides(fleet, target), fleet.ear.subjects(target)]

    before = state()
    time.sleep(seconds)
    assert state() == before, f"{target}: something more happened\n{fleet.story(target)}"


def sleep_until(moment: float) -> None:
    """Sleep until a moment (time.time), if it is not over yet."""
    time.sleep(max(0.0, moment - time.time()))
