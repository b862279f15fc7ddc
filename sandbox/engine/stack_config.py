"""Pulumi.<stack>.yaml: the configuration of one stack, checked against the project's schema.

A key of the project's own namespace that the schema does not declare is passed on, as the real CLI does:
the program is the one to refuse it.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine import yaml_file
from sandbox.engine.project import ConfigKey, ConfigType, Project
from sandbox.errors import ConfigError, ProjectError

_STACK_FIELDS = {"config", "secretsprovider", "encryptedkey", "encryptionsalt"}
_INTEGER = re.compile(r"[+-]?\d+")
_LARGEST_PLAIN_FLOAT = 1e6


@dataclass(frozen=True)
class StackConfig:
    """What the program reads through `pulumi.Config`."""

    name: str
    """The stack: dev, staging, prod."""
    values: dict[str, str]
    """Namespaced key to text; arrays, objects as JSON text, booleans as true or false."""

    @classmethod
    def load(cls, folder: Path, stack: str, overrides: Mapping[str, Any] | None = None) -> "StackConfig":
        """Read and check the configuration of `stack` of the project in `folder`.

        `overrides` win over the file; a key without namespace is the project's own. Raises ProjectError for
        an unknown stack, ConfigError for a value that the schema does not allow, naming the key, what is
        allowed and what was given.
        """
        project = Project.load(folder)
        path = _stack_file(project, stack)
        raw = yaml_file.read(path)
        unknown = sorted(str(key) for key in set(raw) - _STACK_FIELDS)
        if unknown:
            raise ProjectError(
                f"{path} has {', '.join(unknown)}, which the sandbox does not read. Allowed is `config:` "
                "(and the fields of the secrets provider)."
            )
        section = raw.get("config") or {}
        if not isinstance(section, dict):
            raise ProjectError(f"{path}: `config` must be a mapping of keys to values, and is {section!r}.")
        given = _namespaced(project, section) | _namespaced(project, overrides or {})
        _refuse_secure(given, path)
        return cls(stack, _values(project, stack, given))


def stacks(project: Project) -> list[str]:
    """Return the names of the stacks that have a file, sorted."""
    found = (path.name for path in project.stack_folder.glob("Pulumi.*.yaml"))
    return sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found)


def _stack_file(project: Project, stack: str) -> Path:
    known = stacks(project)
    if stack not in known:
        raise ProjectError(
            f"There is no stack '{stack}'. There are: {', '.join(known) or 'none'}. Choose one, or create "
            f"{project.stack_folder / f'Pulumi.{stack}.yaml'}."
        )
    return project.stack_folder / f"Pulumi.{stack}.yaml"


def _namespaced(project: Project, section: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        (str(key) if ":" in str(key) else f"{project.name}:{key}"): value for key, value in section.items()
    }


def _refuse_secure(given: Mapping[str, Any], path: Path) -> None:
    secure = sorted(key for key, value in given.items() if _holds_secure(value))
    if secure:
        raise ConfigError(
            f"{path}: {', '.join(secure)} holds a `secure:` value, which only "
            "the Pulumi CLI with the stack's secrets provider can decrypt. "
            "For the sandbox, override it with a plain value made up for it."
        )


def _holds_secure(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(_holds_secure(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secure(item) for item in value)


def _values(project: Project, stack: str, given: Mapping[str, Any]) -> dict[str, str]:
    values = {
        key: _text(value) for key, value in given.items() if value is not None and key not in project.config
    }
    for key, schema in project.config.items():
        value = given.get(key)
        if value is None:
            value = schema.default
        if value is None:
            if schema.type is None:
                continue
            raise ConfigError(
                f"Stack '{stack}' has no value for {key}, which is required ({schema.type.value}"
                f"{': ' + schema.description if schema.description else ''}). "
                f"Set it in {project.stack_folder / f'Pulumi.{stack}.yaml'}."
            )
        if schema.type is not None:
            problem = _problem(schema.type, schema.items, value)
            if problem:
                raise ConfigError(
                    f"Stack '{stack}': {key} must be {problem}, and is {value!r}. Correct the stack file."
                )
        values[key] = _canonical(schema, value)
    return values


def _problem(kind: ConfigType, items: Mapping[str, Any] | None, value: Any) -> str:
    """Return what the value should be, or "" if it is that."""
    scalar = isinstance(value, str | bool | int | float)
    match kind:
        case ConfigType.STRING:
            return "" if scalar else "a string"
        case ConfigType.BOOLEAN:
            return (
                "" if isinstance(value, bool) or value in ("true", "false") else "a boolean (true or false)"
            )
        case ConfigType.INTEGER:
            whole = isinstance(value, int) and not isinstance(value, bool)
            return "" if whole or (isinstance(value, str) and _INTEGER.fullmatch(value)) else "an integer"
        case ConfigType.OBJECT:
            return "" if isinstance(value, dict) else "an object (a mapping)"
        case ConfigType.ARRAY:
            element = ConfigType((items or {}).get("type", ConfigType.STRING))
            inner = (items or {}).get("items")
            good = isinstance(value, list) and not any(
                _element_problem(element, inner, item) for item in value
            )
            return "" if good else f"an array of {element.value}"


def _element_problem(kind: ConfigType, items: Mapping[str, Any] | None, value: Any) -> str:
    # Inside an array the JSON keeps its types: a number there is no string any more.
    if kind is ConfigType.STRING:
        return "" if isinstance(value, str) else "a string"
    return _problem(kind, items, value)


def _canonical(schema: ConfigKey, value: Any) -> str:
    return str(value) if schema.type is ConfigType.STRING and isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _float_text(value)
    return json.dumps(value, separators=(",", ":"))


def _float_text(value: float) -> str:
    """Return a float as the CLI's YAML writes it back: 0.3, 1 (not 1.0), .nan, .inf."""
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return str(int(value)) if value.is_integer() and abs(value) < _LARGEST_PLAIN_FLOAT else repr(value)
