"""Signals of a run: the first ends it, and none comes between something that is broken and its undoing."""

import os
import signal
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from selfheal.cli.errors import Terminated

ENDS: Mapping[int, type[KeyboardInterrupt]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    signal.SIGHUP: Terminated,
}
"""What each raises. SIGHUP is a terminal that was closed, or a connection that was lost."""

WAIT = b"The fault is being undone; that is waited for.\n"


@dataclass
class Signals:
    """Raises the first signal that arrives, where it does no harm, and no other."""

    _first: int = 0
    """The first that arrived; 0 while none has."""
    _raised: bool = False
    _held: bool = False
    _before: dict[int, Any] = field(default_factory=dict[int, Any])

    @contextmanager
    def handled(self) -> Generator[None]:
        """Handle the signals that arrive meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        try:
            for number in ENDS:
                # Those that are ignored stay so: by nohup, or in a shell's background.
                if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._before[number] = signal.signal(number, self._arrived)
            yield
        finally:
            for number, act in self._before.items():
                signal.signal(number, act)

    @contextmanager
    def held(self) -> Generator[None]:
        """Let a signal wait until what is done inside is done."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._first and not self._raised:
            self._raise()

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if not self._first:
            self._first = number
            if not self._held:
                self._raise()
        # Not by what people are told otherwise: this may have arrived in the middle of that.
        with suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), WAIT)

    def _raise(self) -> None:
        self._raised = True
        raise ENDS[self._first]
