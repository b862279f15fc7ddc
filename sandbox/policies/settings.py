"""Which level and which configuration each policy of a pack has. Pure, but for reading the file.

In the order of the real engine: the policy's own default, then the pack's initial configuration, then the
file of `--policy-pack-config`; in each, `all` first and the policy's own name after it.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import PolicyPackError
from sandbox.policies import schema

LEVELS = ("advisory", "mandatory", "disabled", "remediate")
"""In the order of Pulumi's own numbers for them."""

_ALL = "all"


@dataclass(frozen=True)
class Policy:
    """What a pack says of one of its policies."""

    name: str
    level: str
    """One of LEVELS; by default, before any configuration."""
    whole_stack: bool
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Schema of its configuration."""
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """How one policy runs."""

    level: str
    properties: dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    """Return the content of a `--policy-pack-config` file. Raises PolicyPackError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyPackError(f"The policy configuration {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise PolicyPackError(f"The policy configuration {path} is no JSON: {error}.") from error
    if not isinstance(content, dict):
        raise PolicyPackError(
            f"The policy configuration {path} must be an object, policy name to its level or configuration; "
            f"it is {type(content).__name__}."
        )
    return content


def settle(
    policies: Mapping[str, Policy], initial: Mapping[str, Setting], given: Mapping[str, Any]
) -> dict[str, Setting]:
    """Return the setting of every policy, schema defaults filled in.

    `initial` is the pack's own, `given` a file's content. Raises PolicyPackError for a policy, level or
    property that there is not, and for a value that the schema does not allow.
    """
    for name in given.keys() - policies.keys() - {_ALL}:
        close = difflib.get_close_matches(name, policies, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(policies))}."
        raise PolicyPackError(f"The policy configuration names {name}, which the pack does not have. {hint}")
    parsed = {name: _parse(name, value) for name, value in given.items()}
    general = parsed.get(_ALL, (None, {}))
    if general[1]:
        raise PolicyPackError("`all` sets a level for every policy, and can hold nothing else.")
    result: dict[str, Setting] = {}
    for name, policy in policies.items():
        defaults = {key: item["default"] for key, item in policy.properties.items() if "default" in item}
        setting = Setting(policy.level, defaults)
        for source in (initial.get(_ALL), initial.get(name)):
            if source is not None:
                setting = Setting(source.level, {**setting.properties, **source.properties})
        level, properties = parsed.get(name, (None, {}))
        setting = Setting(level or general[0] or setting.level, {**setting.properties, **properties})
        _check(policy, setting)
        result[name] = setting
    return result


def _parse(name: str, value: Any) -> tuple[str | None, dict[str, Any]]:
    if isinstance(value, Mapping):
        properties = dict(value)
        level = properties.pop("enforcementLevel", None)
    else:
        properties, level = {}, value
    if level not in {None, *LEVELS} or (level is None and not isinstance(value, Mapping)):
        raise PolicyPackError(
            f"The level of policy {name} must be one of {', '.join(LEVELS)}, and is {level!r}."
        )
    return level, properties


def _check(policy: Policy, setting: Setting) -> None:
    if setting.level == "disabled":
        return
    whole = {
        "type": "object",
        "properties": policy.properties,
        "required": policy.required,
        "additionalProperties": False,
    }
    wrong = schema.problem(whole, setting.properties, f"The configuration of policy {policy.name}")
    if wrong:
        raise PolicyPackError(f"{wrong}.")
