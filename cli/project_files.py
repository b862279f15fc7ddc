"""What a project's files say, read line by line, so that nothing in them can stop a kill switch."""

import re
from pathlib import Path

from selfheal.cli.errors import NoProjectError

PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")

_NAME = re.compile(r"""^["']?name["']?[ \t]*:[ \t]*["']?([A-Za-z0-9_.-]+)""", re.MULTILINE)
_REGION = re.compile(r"""^[ \t]+["']?aws:region["']?[ \t]*:[ \t]*["']?([a-z0-9-]+)""", re.MULTILINE)


def project_folder(start: Path) -> Path | None:
    """Return the nearest folder at or above `start` that holds Pulumi.yaml, as the Pulumi CLI does."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in PROJECT_FILES):
            return folder
    return None


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds Pulumi.yaml.

    Raises:
        NoProjectError: when there is none.

    """
    if (found := project_folder(start)) is None:
        raise NoProjectError(
            f"No Pulumi.yaml in {start.resolve()} or any folder above it. "
            "Run selfheal inside a checkout of the project, or name one: selfheal --cwd FOLDER ..."
        )
    return found


def project_name(folder: Path) -> str | None:
    """Return the project's `name`; None where no line says it."""
    return next(filter(None, (_first(_NAME, folder / name) for name in PROJECT_FILES)), None)


def stack_region(folder: Path, stack: str) -> str | None:
    """Return `aws:region` of a stack's file; None where no line says it, or it is a secret."""
    return next(
        filter(None, (_first(_REGION, folder / f"Pulumi.{stack}.{end}") for end in ("yaml", "yml"))), None
    )


def _first(pattern: re.Pattern[str], path: Path) -> str | None:
    try:
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1] if found else None
