"""The state on disk: written whole, atomically, by one run at a time.

Beside `state.json` stand `state.json.lock` and, while a create or update is under way,
`state.json.blobs/<hash>`: the content that the step needs, so that a later run can finish it without the
program.
"""

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.engine import state
from sandbox.errors import LockedError, StateError
from sandbox.provider import assets

_OWNER_ONLY = 0o600


class StateFile:
    """The state of one stack at `path` (its folder is made when first needed)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._blobs = path.with_name(path.name + ".blobs")
        self._lock = path.with_name(path.name + ".lock")

    def load(self, project: str, stack: str) -> state.State:
        """Return the recorded state, or a new one with a fresh seed if there is no file.

        Raises StateError if it is unreadable or another stack's.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return state.State(project, stack)
        except OSError as error:
            raise StateError(f"The state {self.path} cannot be read: {error.strerror}.") from error
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise StateError(
                f"The state {self.path} is no JSON ({error}). It is only ever replaced whole, so something "
                "else wrote it: restore it, or remove it together with the emulator's data."
            ) from error
        if not isinstance(raw, dict):
            raise StateError(f"The state {self.path} holds no JSON object. Restore or remove it.")
        loaded = state.from_json(raw, self._contents())
        if (loaded.project, loaded.stack) != (project, stack):
            raise StateError(
                f"The state {self.path} belongs to project {loaded.project}, stack {loaded.stack}; "
                f"this run is for project {project}, stack {stack}. Give each stack a state of its own."
            )
        return loaded

    def save(self, current: state.State) -> None:
        """Replace the file by `current`: all of it or nothing. Raises StateError if the disk refuses."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            wanted = _blobs_of(current)
            for sha256, content in wanted.items():
                target = self._blobs / sha256
                if not target.exists():
                    self._blobs.mkdir(mode=0o700, exist_ok=True)
                    write_atomically(target, content)
            write_atomically(self.path, json.dumps(state.to_json(current), indent=1).encode())
            if self._blobs.is_dir():
                for leftover in self._blobs.iterdir():
                    if leftover.name not in wanted:
                        leftover.unlink()
        except OSError as error:
            raise StateError(f"The state {self.path} cannot be written: {error.strerror}.") from error

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the stack for this run; raises LockedError if another process holds it.

        The kernel ends the lock with its process, so one left by a dead process is simply taken over.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise LockedError(
                    f"Another run (process {holder}) works on this stack: it holds {self._lock}. "
                    "Wait until it ends, or end it; its next run finishes what it began."
                ) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(handle)

    def _contents(self) -> dict[str, bytes]:
        if not self._blobs.is_dir():
            return {}
        return {
            item.name: item.read_bytes() for item in self._blobs.iterdir() if not item.name.endswith(".tmp")
        }


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds the old bytes or the new ones, never a mixture; mode 0600."""
    temporary = path.with_name(path.name + ".tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut, too
    finally:
        os.close(folder)


def _blobs_of(current: state.State) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for pending in current.pending:
        if pending.op != "delete":
            _collect(pending.resource.inputs, found)
    return found


def _collect(value: Any, found: dict[str, bytes]) -> None:
    if isinstance(value, assets.Blob) and value.content is not None:
        found[value.sha256] = value.read()
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, found)
