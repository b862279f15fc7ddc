"""Entry of the emulator's own process: ministack, with the functions replaced that `patches` names.

Standard input is a pipe that the parent holds. When it closes, for whatever reason, the process saves its
state and ends, so that it does not survive a parent that was killed.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from importlib import import_module

from selfheal.sandbox.emulator.patches import PACKAGES, patch

_GRACE_SECONDS = 8.0


def main() -> None:
    """Patch ministack and serve until a signal or the parent's end."""
    from ministack import app  # noqa: PLC0415  (reads the environment when imported)

    patch({name: import_module(f"ministack{package}.{name}") for name, package in PACKAGES.items()})
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    sys.argv[1:] = []
    try:
        app.main()
    finally:
        _end_group()


def _end_with_parent() -> None:
    """Wait until the parent closes our standard input, then end this process and its function workers."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)  # saves the state if it is to persist
    time.sleep(_GRACE_SECONDS)
    _end_group()


def _end_group() -> None:
    """End this process and the function workers it started, at once."""
    if os.getpgrp() == os.getpid():  # not if someone runs this file in the process group of a shell
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
