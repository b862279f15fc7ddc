"""What a running `selfheal serve` says of itself, so that other commands find it."""

import contextlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

ANSWER_SECONDS = 2.0
"""How long the endpoint may take to accept a connection before the record counts as stale."""


@dataclass(frozen=True)
class ServeRecord:
    """The content of serve.json."""

    endpoint: str
    """Where it answers: `http://127.0.0.1:<port>`."""
    pid: int
    """Its process."""
    region: str
    """Of its resources."""


def write(path: Path, record: ServeRecord) -> None:
    """Write the record, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{record.pid}")
    fresh.write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    fresh.replace(path)


def remove(path: Path, pid: int) -> None:
    """Remove the record if it is this process's own."""
    record = read(path)
    if record and record.pid == pid:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def running(path: Path) -> ServeRecord | None:
    """Return the record of a `serve` that runs, or None: no file, a dead process, or nobody at its endpoint.

    A process number alone proves little, as the system uses it again; so the endpoint has to answer as well.
    """
    record = read(path)
    if record is None or not alive(record.pid) or not listens(record.endpoint):
        return None
    return record


def read(path: Path) -> ServeRecord | None:
    """Return what the file says, whether that `serve` runs or not; None for no file, or one of no use."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return ServeRecord(str(raw["endpoint"]), int(raw["pid"]), str(raw["region"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alive(pid: int) -> bool:
    """Return whether there is a process of this number."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)  # signal 0 only asks whether the process exists
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def listens(endpoint: str) -> bool:
    """Return whether somebody accepts connections at an endpoint."""
    parts = urlsplit(endpoint)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), ANSWER_SECONDS):
            return True
    except (OSError, ValueError):
        return False
