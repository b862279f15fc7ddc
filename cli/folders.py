"""Folders that a command writes to: checked before its work begins."""

import os
import tempfile
from pathlib import Path

from selfheal.cli.errors import CliError


def writable(folder: Path, option: str) -> Path:
    """Return a folder, which exists or can be created. Nothing is left there by the check.

    Args:
        folder: The folder.
        option: What names it, such as "--out": the text of the error says so.

    Raises:
        CliError: when it cannot be created, or nothing can be written there.

    """
    try:
        nearest = next(each for each in (folder, *folder.absolute().parents) if _exists(each))
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        why = error.strerror or os.strerror(error.errno or 0)
        raise CliError(
            f"Nothing can be written to the folder {folder} ({why}). Nothing was started. Name another one "
            f"with {option}, or make it writable."
        ) from error
    return folder


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True
