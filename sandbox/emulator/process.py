"""Runs the emulator as a child process: its start, its environment, its end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from selfheal import SOURCE
from selfheal.sandbox.clients import DIRECT, Clients, Credentials
from selfheal.sandbox.errors import SandboxError

REGION = "us-east-1"
"""The emulator's region."""

ROOT = Credentials("test", "test")
"""The emulator's root key. Identity policies are never checked for it."""

READY_SECONDS = 30.0
"""How long a start may take. Usual is 1 s on an idle machine."""

_STOP_SECONDS = 15.0
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

    process: subprocess.Popen[bytes]
    """The child, leader of its own process group."""

    credentials: Credentials = ROOT
    """Of the account's root user."""

    region: str = REGION
    """The region of its resources."""

    persists: bool = False
    """Whether its resources are kept when it is stopped."""

    _stopped: bool = field(default=False, init=False, repr=False)

    @classmethod
    def start(
        cls, folder: Path, *, iam: bool = False, persist: bool = False, port: int | None = None
    ) -> "Emulator":
        """Start an emulator and return once it answers.

        Args:
            folder: Where it keeps its files; created if absent.
            iam: Whether identity policies are enforced: for functions by their roles, and for users. The root
                key remains exempt, as on AWS.
            persist: Keep the resources in `folder` when it is stopped. Resources are lost if it is killed.
            port: 1 to 65535. Default: a free one.

        Raises:
            EmulatorError: if the port is in use, or if the emulator is not ready within 30 s; the message
                then ends with the last lines of its log.

        """
        folder = folder.resolve()
        port = _bindable(port or 0)
        temporary = folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)  # left behind if an emulator was killed
        temporary.mkdir(parents=True)
        log = folder / "emulator.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                # Our code is found by the working directory, not by PYTHONPATH: functions inherit the
                # environment, and could then import modules that were never packaged.
                [sys.executable, "-m", _ENTRY],
                cwd=SOURCE,
                env=_environment(folder, temporary, port, iam=iam, persist=persist),
                stdin=subprocess.PIPE,  # the child ends when this is closed, even if we are killed
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        emulator = cls(f"http://127.0.0.1:{port}", folder, process, persists=persist)
        try:
            emulator._wait_until_ready(log)
        except BaseException:
            emulator.stop()
            raise
        return emulator

    @property
    def clients(self) -> Clients:
        """boto3 clients with the root key."""
        return Clients(self.endpoint, self.region, self.credentials)

    def stop(self) -> None:
        """End the emulator and all functions it runs; persistent state is saved first. Idempotent."""
        if self._stopped:
            return  # by now its process id may belong to another process
        self._stopped = True
        if self.process.stdin:
            self.process.stdin.close()  # the child then saves its state and ends
        if self.persists:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # Otherwise running functions would outlive it. macOS raises PermissionError if all are zombies.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self, log: Path) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while self.process.poll() is None:
            if answers(f"{self.endpoint}/_ministack/ready"):
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


def _environment(folder: Path, temporary: Path, port: int, *, iam: bool, persist: bool) -> dict[str, str]:
    """Return the child's whole environment. Ours would expose our secrets to functions."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(temporary),  # so that functions cannot read ~/.aws
        "TMPDIR": str(temporary),  # it does not delete its temporary folders
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",  # would open an MQTT port on all interfaces
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{temporary}/no-docker",  # with Docker, it would remove containers
        "LOG_LEVEL": "WARNING",
        "AUTH": "true" if iam else "false",
        "PERSIST_STATE": "1" if persist else "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "S3_PERSIST": "1" if persist else "0",
    }


def _bindable(port: int) -> int:
    """Return a port that can be bound: this one, or a free one for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise EmulatorError(
                f"port {port} of 127.0.0.1 cannot be used ({error}). Allowed is a free port from 1 to 65535: "
                "choose another, or none to have one picked."
            ) from error
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether a URL answers with 200."""
    try:
        with DIRECT.open(url, timeout=2) as response:
            return response.status == 200  # noqa: PLR2004
    except OSError:  # includes URLError and HTTPError
        return False


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"
