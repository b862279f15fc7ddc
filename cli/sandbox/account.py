"""The checkout's sandbox AWS account: its files, the `serve` that runs it, and connections to it.

All stacks of a checkout share it, as they would an AWS account.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from selfheal import SOURCE
from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.folders import writable
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.emulator import ROOT, Emulator, EmulatorError
from selfheal.sandbox.front import Front
from selfheal.sandbox.pulumi import cli as pulumi_cli

HOME_VARIABLE = "SELFHEAL_HOME"
"""Names another folder than the checkout's, and so another account."""

CONNECT_SECONDS = 2.0
"""How long an endpoint may take to accept a connection."""


@dataclass(frozen=True)
class Connection:
    """An AWS endpoint and the key for it."""

    endpoint: str
    region: str
    credentials: Credentials

    @property
    def clients(self) -> Clients:
        """boto3 clients for it, which read nothing from the environment."""
        return Clients(self.endpoint, self.region, self.credentials)


@dataclass(frozen=True)
class ServeRecord:
    """What a `selfheal serve` writes into serve.json for other commands to find it."""

    endpoint: str
    """Where it answers: `http://127.0.0.1:<port>`."""
    pid: int
    region: str
    site: str = ""
    """Where distributions answer: `http://127.0.0.1:<port>`. Empty in the record of an earlier version."""


@dataclass(frozen=True)
class Account:
    """The files of the account."""

    folder: Path
    """Absolute. Everything is in it."""

    @classmethod
    def of_checkout(cls) -> "Account":
        """Return the one in the folder that SELFHEAL_HOME names. Default: .selfheal/ of the checkout."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or SOURCE / ".selfheal").resolve())

    @property
    def emulator(self) -> Path:
        """The folder of the emulator's data."""
        return self.folder / "emulator"

    def backend(self) -> Path:
        """Return the folder of the stacks' state. It is created, because Pulumi wants it to exist."""
        folder = self.folder / "backend"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def environment(self, connection: Connection) -> dict[str, str]:
        """Return what the Pulumi CLI, the AWS CLI and boto3 need in their environment to work on it."""
        endpoint, region, credentials = connection.endpoint, connection.region, connection.credentials
        return pulumi_cli.environment(endpoint, region, credentials, self.backend(), home=pulumi_cli.HOME)

    def last_port(self, of: str = "port") -> int | None:
        """Return the port that the emulator, or with `site-port` the front, used last.

        On the same one exported URLs stay valid, and open pages find it again.
        """
        try:
            return int((self.folder / of).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def front(self, emulator: Emulator) -> Front:
        """Return the front of an emulator, on the port used last or a free one. It does not answer yet."""
        try:
            front = Front.of(emulator, self.last_port("site-port") or 0)
        except (OSError, OverflowError):  # something else uses it now, or it is none
            front = Front.of(emulator)
        (self.folder / "site-port").write_text(f"{front.port}\n", encoding="ascii")
        return front

    def start_emulator(self, port: int | None = None, *, iam: bool = False) -> Emulator:
        """Start the emulator on its data, on the given port, the last one used, or a free one.

        `iam` makes it enforce the roles of functions.

        Raises:
            EmulatorError: when it does not start, or the given port is taken.

        """
        try:
            chosen = port or self.last_port()
            emulator = Emulator.start(self.emulator, iam=iam, persist=True, port=chosen)
        except EmulatorError:
            if port or self.last_port() is None:
                raise
            # Something else uses the last port now. If that was not the reason, this fails in the same way.
            emulator = Emulator.start(self.emulator, iam=iam, persist=True)
        (self.folder / "port").write_text(f"{urlsplit(emulator.endpoint).port or 0}\n", encoding="ascii")
        return emulator

    def is_busy(self) -> bool:
        """Return whether a command runs the emulator or is starting it, without touching the lock."""
        try:
            return _is_alive(int((self.folder / "emulator.lock").read_bytes()))
        except (OSError, ValueError):  # nobody holds it
            return False

    @contextmanager
    def emulator_lock(self) -> Generator[None]:
        """Hold the right to run the emulator: two cannot share its data.

        The kernel ends the lock with its process, so one left by a dead process is simply taken over.

        Raises:
            CliError: when another process has it.

        """
        writable(self.folder, HOME_VARIABLE).mkdir(parents=True, exist_ok=True)
        with (self.folder / "emulator.lock").open("a+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                owner = lock.read().decode("ascii", "replace").strip() or "unknown"
                if (serve := self.running_serve()) and str(serve.pid) == owner:
                    raise CliError(
                        f"`selfheal serve` runs already (process {owner}). Use it: "
                        'eval "$(selfheal serve --env)"'
                    ) from error
                raise CliError(
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

    @property
    def _serve_file(self) -> Path:
        return self.folder / "serve.json"

    @contextmanager
    def recorded_serve(self, record: ServeRecord) -> Generator[None]:
        """Keep the record of a `serve`, whole or not at all, for as long as it runs."""
        write_whole(self._serve_file, json.dumps(asdict(record)) + "\n")
        try:
            yield
        finally:
            if (found := self.recorded()) and found.pid == record.pid:
                self._serve_file.unlink(missing_ok=True)

    def recorded(self) -> ServeRecord | None:
        """Return the record of a `serve`, running or not; None if there is none that can be read."""
        try:
            raw = json.loads(self._serve_file.read_text(encoding="utf-8"))
            own = str(raw["endpoint"]), int(raw["pid"]), str(raw["region"])
            return ServeRecord(*own, site=str(raw.get("site", "")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def running_serve(self) -> ServeRecord | None:
        """Return the record of a `serve` that runs, or None.

        Its process must exist and its endpoint answer: process numbers are used again.
        """
        record = self.recorded()
        return record if record and _is_alive(record.pid) and is_listening(record.endpoint) else None


@contextmanager
def connect(account: Account, output: Output) -> Generator[Connection]:
    """Use the running `selfheal serve`, or run emulator and alarm evaluator meanwhile, and say which.

    Raises:
        CliError: when another command runs the emulator.
        EmulatorError: when the emulator does not start.

    """
    if record := account.running_serve():
        output.say(f"Using {record.endpoint} of `selfheal serve` (process {record.pid}).")
        yield Connection(record.endpoint, record.region, ROOT)
        return
    with account.emulator_lock(), account.start_emulator() as emulator:
        output.say(f"Using an emulator of its own at {emulator.endpoint}, for as long as this command runs.")
        with AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials):
            yield Connection(emulator.endpoint, emulator.region, emulator.credentials)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def is_listening(endpoint: str) -> bool:
    """Return whether anything accepts connections at an endpoint."""
    parts = urlsplit(endpoint)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _is_alive(pid: int) -> bool:
    if pid <= 0:  # 0 and negative numbers mean groups of processes
        return False
    try:
        os.kill(pid, 0)  # signal 0 only asks whether the process exists
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
