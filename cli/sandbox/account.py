"""Where the sandbox keeps its files: one emulator a checkout, as one AWS account that its stacks share."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selfheal import SOURCE
from selfheal.cli.errors import BusyError
from selfheal.cli.sandbox.serve_record import alive

VARIABLE = "SELFHEAL_HOME"
"""Names another folder than the checkout's, and so another account."""


@dataclass(frozen=True)
class Workspace:
    """The files of the sandbox."""

    folder: Path
    """Absolute. Everything is in it."""

    @classmethod
    def here(cls) -> "Workspace":
        """Return that of SELFHEAL_HOME, or .selfheal/ of the checkout, wherever the command was started."""
        return cls(Path(os.environ.get(VARIABLE) or SOURCE / ".selfheal").resolve())

    @property
    def emulator(self) -> Path:
        """The emulator's data."""
        return self.folder / "emulator"

    @property
    def serve(self) -> Path:
        """What a running `selfheal serve` says of itself."""
        return self.folder / "serve.json"

    def backend(self) -> Path:
        """Return the folder of the stacks' state, which is made: Pulumi wants it to exist."""
        folder = self.folder / "backend"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def port(self) -> int | None:
        """Return the port that the emulator used last: exported URLs stay valid with it."""
        try:
            return int((self.folder / "port").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        """Keep the port for the next start."""
        (self.folder / "port").write_text(f"{port}\n", encoding="ascii")

    def busy(self) -> bool:
        """Return whether a command runs the emulator, or is starting it; the lock itself is not touched."""
        try:
            return alive(int((self.folder / "emulator.lock").read_bytes()))
        except (OSError, ValueError):  # nobody's
            return False

    @contextmanager
    def own_emulator(self) -> Generator[None]:
        """Hold the right to run the emulator: its data cannot serve two.

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
                    f"Another selfheal command (process {owner}) runs this checkout's emulator. Wait for it "
                    "to end; or start `selfheal serve` first, which several commands can share."
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()).encode("ascii"))
            lock.flush()
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    lock.truncate(0)
