"""With which Python a program, a policy pack or a component package runs, and in what environment."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class OptionsError(ValueError):
    """`runtime: options:` of Pulumi.yaml asks for what this host does not do; the text says what."""


@dataclass(frozen=True)
class Interpreter:
    """A virtual environment, or this checkout's Python where none is named or made yet."""

    option: str
    """`virtualenv` as Pulumi.yaml has it; empty if it has none."""
    folder: Path | None
    """Where that is, made or not."""

    @property
    def made(self) -> bool:
        """Whether the virtual environment is there."""
        return self.folder is not None and (self.folder / "bin" / "python").is_file()

    @property
    def executable(self) -> str:
        """The Python to run."""
        return str(self.folder / "bin" / "python") if self.folder and self.made else sys.executable

    def environment(self, user: Mapping[str, str]) -> dict[str, str]:
        """Return the user's whole environment with the virtual environment activated in it."""
        folder = Path(self.executable).parent.parent
        kept = {key: value for key, value in user.items() if key != "PYTHONHOME"}
        return {
            **kept,
            "VIRTUAL_ENV": str(folder),
            "PATH": os.pathsep.join(filter(None, [str(folder / "bin"), user.get("PATH", "")])),
            "PYTHONUNBUFFERED": "1",  # what a program prints is shown while it runs
        }


def interpreter(info: Any, *, plugin: bool = False) -> Interpreter:
    """Return what a ProgramInfo asks for. A `plugin` without the option has its environment in `venv`.

    Raises OptionsError for options that only the official host knows.
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
