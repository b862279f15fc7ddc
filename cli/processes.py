"""Children that we start: one that must answer in time, and one that gets the terminal and our signals."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from selfheal.cli.errors import Terminated


@dataclass(frozen=True)
class Answer:
    """How a child ended in time."""

    code: int
    """Its exit code."""
    text: str
    """What it wrote to standard output."""


def answer_of(
    command: Sequence[str], seconds: float, *, environment: Mapping[str, str], folder: Path
) -> Answer | None:
    """Run a command that asks nothing, and return its answer; None if it cannot be started or is too slow.

    It is killed with its whole process group, so that what it started does not stay behind either.

    Args:
        command: The program and its arguments.
        seconds: How long it may take.
        environment: Its whole environment.
        folder: Where it runs.

    """
    with tempfile.TemporaryFile() as output:  # a pipe could be kept open by a grandchild for ever
        try:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter: macOS, all zombies
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        output.seek(0)
        return Answer(code, output.read().decode("utf-8", "replace"))


def run_attached(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> int:
    """Run a command with our terminal until it ends by itself, and return its exit code as shells count it.

    Ctrl-C and SIGTERM are its to answer, once each: a second one would make Pulumi leave resources behind.
    The terminal sends Ctrl-C to both of us; one that came otherwise, by `kill`, is passed on.
    """
    with _passing_on() as children:
        child = subprocess.Popen(command, cwd=folder, env=environment)
        children.append(child)
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _passing_on() -> Generator[list["subprocess.Popen[bytes]"]]:
    """Pass our signals to the child in the list; before there is one they end us as usual."""
    children: list[subprocess.Popen[bytes]] = []

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if not children:
            raise KeyboardInterrupt
        if not _in_foreground():
            children[0].send_signal(signal.SIGINT)

    def terminated(_signal: int, _frame: FrameType | None) -> None:
        if not children:
            raise Terminated
        children[0].send_signal(signal.SIGTERM)

    wanted = {signal.SIGINT: interrupted, signal.SIGTERM: terminated}
    # What a shell told its background jobs to ignore stays ignored.
    ours = {number: act for number, act in wanted.items() if signal.getsignal(number) is not signal.SIG_IGN}
    before = {number: signal.signal(number, act) for number, act in ours.items()}
    try:
        yield children
    finally:
        for number, act in before.items():
            signal.signal(number, act)


def _in_foreground() -> bool:
    """Return whether our process group has the terminal: then its keyboard reaches the child as well."""
    try:
        with Path(os.ctermid()).open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:  # no terminal
        return False
