"""Pulumi.yaml: the project's name, its program, its options and the schema of its configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sandbox.engine import yaml_file
from sandbox.errors import ProjectError

# https://www.pulumi.com/docs/iac/concepts/projects/project-file/
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_KEY_FIELDS = {"type", "description", "secret", "default", "value", "items"}


class ConfigType(StrEnum):
    """The types that a configuration key can have; there is none for fractions, which are strings."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True)
class ConfigKey:
    """One key of the `config:` section."""

    key: str
    """With its namespace: `selfheal:mode`."""
    type: ConfigType | None
    """None for a key of another namespace, whose type is that provider's business."""
    default: Any = None
    """The value of `default` or `value`; None if the key is required in every stack."""
    items: Mapping[str, Any] | None = None
    """For arrays: the schema of an element."""
    description: str = ""


@dataclass(frozen=True)
class Project:
    """A Pulumi project whose program is written in Python."""

    root: Path
    """The folder of Pulumi.yaml and the stack files."""
    name: str
    folder: Path
    """The folder of `__main__.py`, which is the program's working directory."""
    refresh_always: bool = False
    """`options: {refresh: always}`: every operation looks at the live resources first."""
    config: Mapping[str, ConfigKey] = field(default_factory=dict[str, ConfigKey])
    stack_folder: Path = Path()
    """The folder of the stack files (`stackConfigDir`, by default `root`)."""

    @classmethod
    def load(cls, folder: Path) -> "Project":
        """Read `folder`/Pulumi.yaml; ProjectError names the key, what is allowed and what was given."""
        root = folder.resolve()
        path = root / "Pulumi.yaml"
        if not path.is_file():
            raise ProjectError(
                f"There is no Pulumi.yaml in {root}. Run this in the folder of a Pulumi project."
            )
        raw = yaml_file.read(path)
        name = raw.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ProjectError(
                f"{path}: `name` must be 1 to 100 letters, digits or characters of `-_.`, and is {name!r}."
            )
        _require_python(path, raw.get("runtime"))
        program = (root / str(raw.get("main") or ".")).resolve()
        if not (program / "__main__.py").is_file():
            raise ProjectError(
                f"{path}: the program {program / '__main__.py'} does not exist. Create it, or set `main`."
            )
        return cls(
            root=root,
            name=name,
            folder=program,
            refresh_always=_refresh_always(path, raw.get("options")),
            config=_schema(path, name, raw.get("config")),
            stack_folder=root / str(raw.get("stackConfigDir") or "."),
        )


def _require_python(path: Path, runtime: Any) -> None:
    name = runtime.get("name") if isinstance(runtime, dict) else runtime
    if name != "python":
        raise ProjectError(
            f"{path}: the sandbox runs programs whose `runtime` is python, and this one is {name!r}."
        )


def _refresh_always(path: Path, options: Any) -> bool:
    if options is None:
        return False
    chosen = options.get("refresh") if isinstance(options, dict) else options
    if not isinstance(options, dict) or chosen not in {None, "always"}:
        raise ProjectError(
            f"{path}: `options: refresh` can only be `always`, and is {chosen!r}. Correct or remove it."
        )
    return chosen == "always"


def _schema(path: Path, project: str, section: Any) -> dict[str, ConfigKey]:
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise ProjectError(f"{path}: `config` must be a mapping of keys to their schema, and is {section!r}.")
    keys = [_key(path, project, str(name), body) for name, body in section.items()]
    return {item.key: item for item in keys}


def _key(path: Path, project: str, name: str, body: Any) -> ConfigKey:
    where = f"{path}: config key `{name}`"
    own = ":" not in name or name.startswith(f"{project}:")
    key = name if ":" in name else f"{project}:{name}"
    if not isinstance(body, dict):
        return ConfigKey(key, ConfigType.STRING if own else None, default=body)  # short for `value:`
    unknown = sorted(set(body) - _KEY_FIELDS)
    if unknown:
        raise ProjectError(
            f"{where} has the unknown field {', '.join(unknown)}. Known are {', '.join(sorted(_KEY_FIELDS))}."
        )
    if "default" in body and "value" in body:
        raise ProjectError(
            f"{where} has both `default` and `value`. Keep one: `default` is what a stack may override."
        )
    given = body.get("default", body.get("value"))
    if not own:
        if "type" in body or "default" in body:
            raise ProjectError(
                f"{where} is of another namespace: it may have a `value`, but no `type` and no `default`."
            )
        return ConfigKey(key, None, default=given, description=str(body.get("description", "")))
    kind = _type(where, body)
    return ConfigKey(key, kind, given, body.get("items"), str(body.get("description", "")))


def _type(where: str, body: Mapping[str, Any]) -> ConfigType:
    allowed = ", ".join(ConfigType)
    try:
        kind = ConfigType(body["type"])
    except KeyError as error:
        raise ProjectError(f"{where} has no `type`. Give it one of {allowed}.") from error
    except ValueError as error:
        hint = (
            " A fraction is a string that the program parses." if body["type"] in {"number", "float"} else ""
        )
        raise ProjectError(f"{where} has the type {body['type']!r}; allowed are {allowed}.{hint}") from error
    items = body.get("items")
    if kind is ConfigType.ARRAY and not isinstance(items, dict):
        raise ProjectError(f"{where} is an array and needs `items: {{type: ...}}`.")
    if kind is ConfigType.ARRAY and isinstance(items, dict):
        _type(f"{where}, `items`", items)
    if kind is not ConfigType.ARRAY and items is not None:
        raise ProjectError(f"{where} has `items`, which only an array has; its type is {kind.value}.")
    return kind
