"""The policy pack as users run it: by `--policy-pack`, with configuration, levels, waivers, and beside another."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.live import everything
from tests.engine.stack import Account, Stack
from tests.support.policy_pack import write_pack

RULE = "lambda-function-failure-rate"
"""A resource rule; by default it allows any rate outside production, and in production none above 0."""


def config(folder: Path, content: dict[str, Any]) -> str:
    """Write a file for `--policy-pack-config`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"rules-{len(list(folder.iterdir()))}.json"
    file.write_text(json.dumps(content))
    return str(file)
