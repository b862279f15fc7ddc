"""What `remedies.json` says of each kind of remedy: whom its change belongs to, and what it calls.

Plain data, without boto3: pure code asks here. Components make the healer's permissions from the same file.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

# By resource, not by path: a package may be imported from its archive.
CATALOGUE: Mapping[str, Mapping[str, Any]] = json.loads(
    files("selfheal.functions.healer").joinpath("remedies.json").read_text(encoding="utf-8")
)


def owner(kind: str) -> str:
    """Return who owns what a kind changes.

    "pulumi": `up` puts the baseline back, so a change that stands blocks `up` during an incident.
    "runtime": `up` leaves it alone.

    Raises:
        ValueError: when the kind is unknown.

    """
    return str(known(kind)["owner"])


def known(kind: str) -> Mapping[str, Any]:
    """Return what the file says of a kind.

    Raises:
        ValueError: when the kind is unknown.

    """
    if kind not in CATALOGUE:
        raise ValueError(f"there is no remedy of kind {kind!r}: known are {', '.join(CATALOGUE)}")
    return CATALOGUE[kind]
