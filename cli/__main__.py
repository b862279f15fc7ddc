"""Entry of the command `selfheal`, also where only the components were installed."""

import os
import signal
import sys
from types import FrameType


def run() -> None:
    """Run the command line and exit; says what to install if a package of the command is missing."""
    # Loading takes a second. Until then nothing has been started that would have to be ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        from selfheal.cli.main import run as command  # noqa: PLC0415 - its packages may be missing
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("selfheal"):
            raise
        sys.exit(
            f"selfheal: the command needs the package {error.name}, which is not installed; the components "
            'work without it. Install what the command needs with: pip install "selfheal[cli]"'
        )
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _end(number: int, _frame: FrameType | None) -> None:
    """End at once, with the exit code that shells expect: Ctrl-C in an import would print a traceback."""
    os._exit(128 + number)


if __name__ == "__main__":
    run()
