"""The files of a static site: which there are, and with which headers each is served."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfheal.components.errors import ComponentError

INDEX = "index.html"
"""What is served at `/`."""

CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
}
"""By suffix. A list of its own: what Python knows of content types differs from machine to machine."""

FRESH_SECONDS = 60
"""How long a file other than index.html is used without asking whether it changed."""

_PATH = re.compile(r"/[A-Za-z0-9_-]{1,64}/\*")


def files_of(folder: str) -> dict[str, Path]:
    """Return the files of a folder by their keys, such as `app/page.js`, in order.

    Raises:
        ComponentError: when there is no such folder, no index.html in it, or a file that is not to be served.

    """
    root = Path(folder)
    if not root.is_dir():
        raise ComponentError(
            f"folder must be one that holds {INDEX}, got {folder!r}, which is no folder. Give its path, "
            "absolute or from the program's folder."
        )
    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if not path.is_dir()}
    if INDEX not in files:
        raise ComponentError(f"folder must hold {INDEX}, got {folder!r}, which does not. Add it.")
    for key, path in files.items():
        hidden = any(part.startswith(".") for part in key.split("/"))
        if hidden or path.is_symlink() or path.suffix not in CONTENT_TYPES:
            raise ComponentError(
                f"folder must hold what is served and nothing else: files with suffix "
                f"{', '.join(CONTENT_TYPES)}, not hidden and no links, got {key} in {folder!r}. Everything "
                "there becomes public: move the file elsewhere."
            )
    return files


def content_type(path: Path) -> str:
    """Return the content type of one of `files_of`."""
    return CONTENT_TYPES[path.suffix]


def cache_control(key: str) -> str:
    """Return for how long browsers and CloudFront may keep a file."""
    return "no-cache" if key == INDEX else f"max-age={FRESH_SECONDS}, must-revalidate"


def check_paths(paths: Sequence[str], keys: Sequence[str]) -> None:
    """Check the path patterns that an API answers.

    Raises:
        ComponentError: when one has another form, or would hide one of the files.

    """
    for path in paths:
        if not _PATH.fullmatch(path):
            raise ComponentError(
                "paths must be of the form /orders/*: one part of letters, digits, hyphens and underscores, "
                f"and all below it, got {path!r}."
            )
        if hidden := [key for key in keys if f"/{key}".startswith(path.removesuffix("*"))]:
            raise ComponentError(
                f"paths must not hide files of the site, got {path!r}, below which is {hidden[0]}. Rename it."
            )
