"""The processes that a language host starts. They end with the call, and with the host."""

import queue
import subprocess
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal

Line = tuple[Literal["stdout", "stderr"], bytes]


class Children:
    """The running processes of the host. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, context: Any, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
        """Run a command that inherits the host's output, which the engine shows.

        Returns the exit code, negative for a signal. Kills the process when the call `context` is cancelled.
        """
        return self._start(context, command, cwd, environment, None).wait()

    def stream(
        self, context: Any, command: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> Generator[Line, None, int]:
        """Run a command and yield its output; the generator returns the exit code."""
        process = self._start(context, command, cwd, environment, subprocess.PIPE)
        lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        outputs: tuple[tuple[Literal["stdout", "stderr"], IO[bytes] | None], ...] = (
            ("stdout", process.stdout),
            ("stderr", process.stderr),
        )
        for name, stream in outputs:
            threading.Thread(target=_read, args=(name, stream, lines), daemon=True).start()
        for _ in outputs:
            while (line := lines.get()) is not None:
                yield line
        return process.wait()

    def end(self) -> None:
        """Kill all processes, and refuse to start others."""
        with self._guard:
            self._ended = True
            running = list(self._running)
        for process in running:
            process.kill()

    def _start(
        self,
        context: Any,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        output: int | None,
    ) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._ended:
                raise RuntimeError("the language host is ending")
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            self._running.add(process)
        if not context.add_callback(lambda: self._call_ended(process)):
            self._call_ended(process)  # the call has ended already
        return process

    def _call_ended(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()  # no effect if it has ended
        with self._guard:
            self._running.discard(process)


def _read(
    name: Literal["stdout", "stderr"], stream: IO[bytes] | None, lines: queue.SimpleQueue[Line | None]
) -> None:
    for line in stream or ():
        lines.put((name, line))
    lines.put(None)
