"""Child processes: one that must answer in time, and one that gets the terminal and our signals."""

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
class Completed:
    """How a child process ended."""

    code: int
    """Its exit code."""
    output: str
    """What it wrote to standard output."""
    errors: str = ""
    """What it wrote to standard error."""

    @property
    def reason(self) -> str:
        """The last line of its errors, which says why it failed, without `error: `; empty without one."""
        lines = self.errors.split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "").removeprefix("error: ")


def run_quietly(
    command: Sequence[str], seconds: float, *, environment: Mapping[str, str], folder: Path
) -> Completed | None:
    """Run a command without input and return its output; None if it cannot be started or takes too long.

    At the end its whole process group is killed, so that nothing it started stays behind; also where this
    process is killed meanwhile. Nothing but `environment` is in its environment.
    """
    # Files: a pipe could be kept open by a grandchild for ever.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            with _killed_with_us(child.pid):
                code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter: macOS, all zombies
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        output.seek(0)
        errors.seek(0)
        written, complaints = (each.read().decode("utf-8", "replace") for each in (output, errors))
        return Completed(code, written, complaints)


@contextmanager
def _killed_with_us(group: int) -> Generator[None]:
    """Have a process group killed if this process ends before the block does, whatever ends it."""
    # Nobody but us can write to the shell: it reads the end of its input when we are gone.
    script = 'read -r _; kill -KILL "-$0"'
    with subprocess.Popen(
        ["/bin/sh", "-c", script, str(group)], stdin=subprocess.PIPE, start_new_session=True
    ) as watcher:
        try:
            yield
        finally:
            watcher.kill()


def run_attached(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> int:
    """Run a command on our terminal until it ends by itself, and return its exit code as shells count it.

    The command handles Ctrl-C and SIGTERM, and gets each once: a second one would make Pulumi leave resources
    behind. The terminal sends Ctrl-C to the child as well as to us; a SIGINT sent by `kill` is passed on.
    """
    with _signals_passed_on() as children:
        child = subprocess.Popen(command, cwd=folder, env=environment)
        children.append(child)
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_passed_on() -> Generator[list["subprocess.Popen[bytes]"]]:
    """Pass our signals on to the child in the list; while it is empty they end us as usual."""
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
    # A shell makes its background jobs ignore SIGINT: that stays so.
    ours = {number: act for number, act in wanted.items() if signal.getsignal(number) is not signal.SIG_IGN}
    before = {number: signal.signal(number, act) for number, act in ours.items()}
    try:
        yield children
    finally:
        for number, act in before.items():
            signal.signal(number, act)


def _in_foreground() -> bool:
    """Return whether our process group has the terminal: then Ctrl-C reaches the child as well."""
    try:
        with Path(os.ctermid()).open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:  # no terminal
        return False
