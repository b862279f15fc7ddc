"""Folders that a command writes to: checked before its work begins."""

import os
import tempfile
from pathlib import Path

from selfheal.cli.errors import CliError


def writable(folder: Path, option: str) -> Path:
    """Create a folder where it does not exist, and return it.

    Args:
        folder: The folder.
        option: What names it, such as "--out": the text of the error says so.

    Raises:
        CliError: when it cannot be created, or nothing can be written there.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = error.strerror or os.strerror(error.errno or 0)
        raise CliError(
            f"Nothing can be written to the folder {folder} ({why}). Nothing was started. Name another one "
            f"with {option}, or make it writable."
        ) from error
    return folder
