"""Where a stack's files are: everything of one stack is under .selfheal/<stack>/ of the project's folder."""

import contextlib
import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli.errors import BusyError, NoProjectError

STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What Pulumi allows in a stack's name, and at most how long."""


@dataclass(frozen=True)
class Workspace:
    """The files of one stack."""

    root: Path
    """The folder of Pulumi.yaml."""
    stack: str
    """The stack's name, matching STACK_NAME: it becomes a folder's name."""

    @property
    def folder(self) -> Path:
        """Everything of this stack."""
        return self.root / ".selfheal" / self.stack

    @property
    def emulator(self) -> Path:
        """The emulator's data."""
        return self.folder / "emulator"

    @property
    def serve(self) -> Path:
        """What a running `selfheal serve` says of itself."""
        return self.folder / "serve.json"

    def state(self, endpoint: str | None) -> Path:
        """Return the state's file.

        Args:
            endpoint: An endpoint given by --endpoint, which has resources, and so a state, of its own;
                None for the stack's emulator.

        """
        if endpoint is None:
            return self.folder / "state.json"
        place = re.sub(r"[^A-Za-z0-9.-]", "_", urlsplit(endpoint).netloc)
        return self.folder / f"endpoint-{place}" / "state.json"

    def port(self) -> int | None:
        """Return the port that the stack's emulator used last: exported URLs stay valid with it."""
        try:
            return int((self.folder / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        """Keep the port for the next start."""
        (self.folder / "port").write_text(f"{port}\n", encoding="ascii")

    @contextmanager
    def own_emulator(self) -> Generator[None]:
        """Hold the right to run the stack's emulator: its data cannot serve two.

        The kernel ends the lock with its process, so one left by a dead process is simply taken over.

        Raises:
            BusyError: when another process has it.

        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "emulator.lock").open("a+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                owner = lock.read().decode("ascii", "replace").strip() or "unknown"
                raise BusyError(
                    f"Another selfheal command (process {owner}) runs the emulator of stack {self.stack}. "
                    "Wait for it to end; or start `selfheal serve` first, which several commands can share."
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()).encode("ascii"))
            lock.flush()
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    lock.truncate(0)


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds Pulumi.yaml, as the Pulumi CLI does.

    Raises:
        NoProjectError: when there is none.

    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise NoProjectError(
        f"No Pulumi.yaml in {start} or any folder above it. "
        "Run selfheal inside a checkout of the project, or name one: selfheal --cwd FOLDER ..."
    )
