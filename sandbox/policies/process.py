"""The pack's process, started as the Pulumi CLI starts it, and ended by its own pid."""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import sandbox
from sandbox.errors import PolicyPackError

_START_SECONDS = 60.0
"""Importing the SDK takes under a second; a laptop that compiles it for the first time takes longer."""
_END_SECONDS = 5.0
_KEPT_LINES = 40


@dataclass(frozen=True)
class Stack:
    """Of what stack the pack is told: it cannot be told otherwise while it runs."""

    project: str
    name: str
    dry_run: bool = True
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    organization: str = "organization"


class PackProcess:
    """A running pack."""

    def __init__(self, folder: Path, engine_address: str, stack: Stack) -> None:
        """Start it and wait until it serves. Raises PolicyPackError with what it printed if it does not."""
        self._folder = folder.resolve()
        if not (self._folder / "PulumiPolicy.yaml").is_file():
            raise PolicyPackError(
                f"{folder} is no policy pack: it has no PulumiPolicy.yaml. Name the folder of a pack with "
                "--policy-pack, or leave policies out with --no-policies."
            )
        self._printed: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", engine_address, str(self._folder)],
            cwd=self._folder,
            env=environment(os.environ, stack),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._first = ""
        self._ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._read_first, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._keep, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.port = self._await_port()
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def printed(self) -> str:
        """Return the end of what it printed beside its port."""
        return "\n".join(self._printed).strip()

    def end(self) -> None:
        """End it and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(_END_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _await_port(self) -> int:
        in_time = self._ready.wait(_START_SECONDS)
        if self._first.strip().isdigit():
            return int(self._first)
        if not in_time:
            reason = f"did not say its port within {_START_SECONDS:g} s"
        elif self._first:
            reason = f"printed {self._first.strip()!r} where its port was expected: a pack must print nothing"
        else:
            self._process.wait(_END_SECONDS)
            self._readers[1].join(_END_SECONDS)
            reason = "ended instead of serving"
        raise PolicyPackError(f"The policy pack {self._folder} {reason}.\n{self.printed()}".rstrip())

    def _read_first(self, stream: IO[str] | None) -> None:
        if stream is not None:
            self._first = stream.readline()
            self._ready.set()
            self._keep(stream)

    def _keep(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            self._printed.append(line.rstrip("\n"))


def environment(user: Mapping[str, str], stack: Stack) -> dict[str, str]:
    """Return the pack's environment: the user's without AWS_* and PULUMI_*, plus what Pulumi tells a pack.

    This project's own folder is taken off the import path: a pack must stand alone.
    """
    ours = Path(sandbox.__file__).parents[1]
    paths = [item for item in user.get("PYTHONPATH", "").split(os.pathsep) if item]
    kept = {key: value for key, value in user.items() if not key.startswith(("AWS_", "PULUMI_"))}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(item for item in paths if Path(item).resolve() != ours),
        "PULUMI_CONFIG": json.dumps(dict(stack.config)),
        "PULUMI_ORGANIZATION": stack.organization,
        "PULUMI_PROJECT": stack.project,
        "PULUMI_STACK": stack.name,
        "PULUMI_DRY_RUN": "true" if stack.dry_run else "false",
        "no_grpc_proxy": "127.0.0.1",
    }
