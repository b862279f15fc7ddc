"""Selects the Python, and its environment, for a program, policy pack or component package."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class OptionsError(ValueError):
    """`runtime: options:` in Pulumi.yaml has an option that this host does not support."""


@dataclass(frozen=True)
class Interpreter:
    """A virtual environment, or this checkout's Python if none is named or it does not exist yet."""

    option: str
    """The option `virtualenv` of Pulumi.yaml, or an empty string."""
    folder: Path | None
    """Its folder, which may not exist yet."""

    @property
    def made(self) -> bool:
        """Whether the virtual environment exists."""
        return self.folder is not None and (self.folder / "bin" / "python").is_file()

    @property
    def executable(self) -> str:
        """Path of the Python to run."""
        return str(self.folder / "bin" / "python") if self.folder and self.made else sys.executable

    def environment(self, user: Mapping[str, str]) -> dict[str, str]:
        """Return the user's whole environment with the virtual environment activated in it."""
        folder = Path(self.executable).parent.parent
        kept = {key: value for key, value in user.items() if key != "PYTHONHOME"}
        return {
            **kept,
            "VIRTUAL_ENV": str(folder),
            "PATH": os.pathsep.join(filter(None, [str(folder / "bin"), user.get("PATH", "")])),
            "PYTHONUNBUFFERED": "1",  # show output while the program runs
        }


def interpreter(info: Any, *, plugin: bool = False) -> Interpreter:
    """Return the interpreter for a ProgramInfo. The default `virtualenv` of a plugin is `venv`.

    Raises OptionsError for options that only the official host supports.
    """
    options = dict(info.options)
    for key, value in sorted(options.items()):
        if key not in {"virtualenv", "toolchain"} or not isinstance(value, str):
            raise OptionsError(_unknown(f"{key}: {value}"))
    if options.get("toolchain", "pip") != "pip":
        raise OptionsError(_unknown(f"toolchain: {options['toolchain']}"))
    option = str(options.get("virtualenv") or ("venv" if plugin else ""))
    return Interpreter(option, Path(info.root_directory, option) if option else None)


def _unknown(option: str) -> str:
    return (
        f"runtime option `{option}` is not known to this language host. It knows `toolchain: pip` and "
        "`virtualenv: FOLDER`; for others put the official Pulumi CLI on PATH and run `make setup` again."
    )
