"""Waiting for what other processes do, and looking at the processes themselves, as Linux lists them."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition is true; fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def written(path: Path) -> str:
    """Return the text of a file that another process writes soon."""
    until(lambda: path.exists() and path.read_text() != "", 10)
    return path.read_text()


def children(pid: int) -> list[int]:
    """Return the processes that a process started; none where there is no such list."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):  # any of its threads may have started one
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended by now
            found += map(int, listed.read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Return every process below one."""
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def gone(pid: int) -> bool:
    """Return whether a process has ended, whether or not its parent has taken note of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def ended(pid: int) -> bool:
    """Return whether a process ends within three seconds."""
    deadline = time.monotonic() + 3
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return gone(pid)
