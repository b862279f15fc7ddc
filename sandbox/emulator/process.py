"""The laptop's AWS: ministack as a child process, with its files in one folder and nothing left behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from selfheal import SOURCE
from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.errors import SandboxError

REGION = "us-east-1"
"""The emulator's region."""

ROOT = Credentials("test", "test")
"""The emulator's root key: never subject to a policy."""

READY_SECONDS = 30.0
"""How long a start may take. Usual is 1 s on an idle machine."""

_STOP_SECONDS = 15.0
_USER = "selfheal-deployer"
_ENTRY = "selfheal.sandbox.emulator"


class EmulatorError(SandboxError):
    """The emulator did not start or could not be prepared."""


@dataclass
class Emulator:
    """A running emulator. Make one with `Emulator.start`; use it as a context manager or call `stop`."""

    endpoint: str
    """Where every AWS service answers: `http://127.0.0.1:<port>`."""

    folder: Path
    """Holds `emulator.log`, `tmp/` and, if asked for, `state/`."""

    credentials: Credentials
    """The root key, or with `iam` the key of a user whose every call is checked against policies."""

    process: subprocess.Popen[bytes]
    """The child, leader of its own process group."""

    region: str = REGION
    """The region of its resources."""

    _stopped: bool = field(default=False, init=False, repr=False)

    @classmethod
    def start(
        cls, folder: Path, *, iam: bool = False, persist: bool = False, port: int | None = None
    ) -> "Emulator":
        """Start an emulator and return when it answers.

        `folder` is created if absent and belongs to the emulator. `iam` makes it enforce identity policies.
        `persist` keeps its resources in `folder` over a stop (not over a kill of the emulator itself).
        `port` is 1 to 65535; a free one is picked by default.
        Raises EmulatorError if the port is taken or, with the end of its log, if it is not ready in 30 s.
        """
        folder = folder.resolve()
        port = _free_port() if port is None else _usable(port)
        temporary = folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)  # what an emulator that was killed left behind
        temporary.mkdir(parents=True)
        log = folder / "emulator.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                # Ours by the current folder, not by PYTHONPATH: functions inherit the environment, and would
                # import what was never packaged.
                [sys.executable, "-m", _ENTRY],
                cwd=SOURCE,
                env=_environment(folder, temporary, port, iam=iam, persist=persist),
                stdin=subprocess.PIPE,  # its end tells the child that we are gone
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        emulator = cls(f"http://127.0.0.1:{port}", folder, ROOT, process)
        try:
            emulator._wait_until_ready(log)
            if iam:
                emulator.credentials = emulator._make_user()
        except BaseException:
            emulator.stop()
            raise
        return emulator

    def stop(self) -> None:
        """End the emulator and all functions it runs; state is saved first if it persists. Harmless twice."""
        if self._stopped:
            return  # its process id may be another's by now
        self._stopped = True
        if self.process.stdin:
            self.process.stdin.close()  # what the child takes for its parent's end; it then saves and leaves
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # Functions in flight outlive it otherwise. PermissionError is macOS for "all are zombies".
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self, log: Path) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while self.process.poll() is None:
            if _answers(f"{self.endpoint}/_ministack/ready"):
                return
            if time.monotonic() > deadline:
                raise EmulatorError(
                    f"the emulator was not ready within {READY_SECONDS:.0f} s. "
                    f"The end of {log}:\n{_tail(log)}\n"
                    "Try again with fewer programs running."
                )
            time.sleep(0.05)
        raise EmulatorError(
            f"the emulator ended with exit code {self.process.returncode} before it was ready. "
            f"The end of {log}:\n{_tail(log)}\n"
            "If a module is missing, install requirements-dev.txt again; if the port is taken, pick another."
        )

    def _make_user(self) -> Credentials:
        """Make the user that deploys, allowed everything: only the root key is exempt from being checked."""
        iam = Clients(self.endpoint, self.region, ROOT).get("iam")
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):  # persisted by an earlier run
            iam.create_user(UserName=_USER)
        iam.put_user_policy(
            UserName=_USER,
            PolicyName="deploy",
            PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
        )
        for key in iam.list_access_keys(UserName=_USER)["AccessKeyMetadata"]:  # at most two are allowed
            iam.delete_access_key(UserName=_USER, AccessKeyId=key["AccessKeyId"])
        key = iam.create_access_key(UserName=_USER)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _environment(folder: Path, temporary: Path, port: int, *, iam: bool, persist: bool) -> dict[str, str]:
    """Return the child's whole environment. Functions would see ours, secrets included."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(temporary),  # keeps ~/.aws out of reach of functions
        "TMPDIR": str(temporary),  # its temporary folders leak
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",  # otherwise an MQTT port opens on all interfaces
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{temporary}/no-docker",  # it removes the containers it finds
        "LOG_LEVEL": "WARNING",
        "AUTH": "true" if iam else "false",
        "PERSIST_STATE": "1" if persist else "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "S3_PERSIST": "1" if persist else "0",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _usable(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise EmulatorError(
                f"port {port} of 127.0.0.1 cannot be used ({error}). Allowed is a free port from 1 to 65535: "
                "choose another, or none to have one picked."
            ) from error
    return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  (our own http URL)
            return response.status == 200  # noqa: PLR2004
    except OSError:  # includes URLError and HTTPError
        return False


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"
