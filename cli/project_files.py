"""What a project's files say, read line by line: whatever else is in them must not stop a command."""

import re
from pathlib import Path

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
