"""A Pulumi project for the in-process deployer: its configuration, and the environment of its program.

Configuration is not checked against the schema, as the CLI does. The program has to refuse wrong values.
"""

import contextlib
import importlib
import json
import sys
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from selfheal.sandbox.errors import ProjectError

_ONE_AT_A_TIME = threading.Lock()  # working directory, import path and modules are the process's


@dataclass(frozen=True)
class Project:
    """One stack of a project whose program is written in Python."""

    name: str
    stack: str
    folder: Path
    """Absolute path of the folder of `__main__.py`."""
    config: Mapping[str, str]
    """Full keys with the text that `pulumi.Config` reads; structured values are JSON."""

    @classmethod
    def load(cls, root: Path, stack: str, overrides: Mapping[str, Any]) -> "Project":
        """Read Pulumi.yaml and, if there is one, Pulumi.<stack>.yaml in `root`.

        `overrides` win over both; a key without a namespace is the project's own. Raises ProjectError.
        """
        path = root.resolve() / "Pulumi.yaml"
        texts, typed = _read(path)
        name, runtime = texts.get("name"), texts.get("runtime")
        if not isinstance(name, str) or not name:
            raise ProjectError(f"{path} has no `name`. Give the project one.")
        language = runtime.get("name") if isinstance(runtime, dict) else runtime
        if language != "python":
            raise ProjectError(
                f"{path}: the program's runtime is {language!r}. In process only python can be deployed: "
                "use the Pulumi CLI."
            )
        folder = path.parent / str(texts.get("main") or ".")
        if not (folder / "__main__.py").is_file():
            raise ProjectError(
                f"{path}: there is no program {folder / '__main__.py'}. Write it, or set `main`."
            )
        given = _values(path, texts, typed, schema=True)
        file = path.parent / str(texts.get("stackConfigDir") or ".") / f"Pulumi.{stack}.yaml"
        if file.is_file():
            given |= _values(file, *_read(file))
        full = {
            key if ":" in key else f"{name}:{key}": value
            for values in (given, overrides)
            for key, value in values.items()
        }
        secure = sorted(key for key, value in full.items() if _is_secure(value))
        if secure:
            raise ProjectError(
                f"{file}: {', '.join(secure)} holds a `secure:` value, which only the Pulumi CLI with the "
                "stack's secrets provider can decrypt. Override it with a plain value of your own."
            )
        config = {key: _text(value) for key, value in full.items() if value is not None}
        return cls(name, stack, folder.resolve(), config)

    @contextlib.contextmanager
    def entered(self) -> Generator[None]:
        """Change to the program's folder and import from it; afterwards remove its modules again.

        Programs run one at a time.
        """
        own = {path.stem for path in self.folder.iterdir() if path.suffix == ".py" or path.is_dir()}
        own.discard("__main__")
        with _ONE_AT_A_TIME, contextlib.chdir(self.folder):
            # Modules of the same names, for example of this repository.
            others = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] in own}
            path, writes_no_caches = [*sys.path], sys.dont_write_bytecode
            sys.path.insert(0, str(self.folder))
            sys.dont_write_bytecode = True
            importlib.invalidate_caches()
            try:
                yield
            finally:
                sys.path[:], sys.dont_write_bytecode = path, writes_no_caches
                for name in [*sys.modules]:
                    if name.partition(".")[0] in own:
                        del sys.modules[name]
                sys.modules.update(others)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the mapping in a file twice: with scalars as text, and with the types of YAML.

    Like Pulumi, programs are given the text of a scalar: 0.30 stays 0.30, and yes is not a boolean.
    """
    try:
        content = path.read_text(encoding="utf-8")
        texts, typed = (yaml.load(content, loader) for loader in (yaml.BaseLoader, yaml.SafeLoader))  # noqa: S506  (both are safe)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProjectError(f"{path} cannot be read: {error}.") from error
    if not isinstance(typed, dict):
        raise ProjectError(f"{path} must hold a mapping, and holds {typed!r}.")
    return texts, typed


def _values(
    path: Path, texts: Mapping[str, Any], typed: Mapping[str, Any], *, schema: bool = False
) -> dict[str, Any]:
    """Return the section `config`, with scalars as text and None for a missing value.

    In a schema, the value is that of `default` or `value`, unless it is given directly.
    """
    section = typed.get("config") or {}
    if not isinstance(section, dict):
        raise ProjectError(f"{path}: `config` must be a mapping of keys to values, and is {section!r}.")
    found: dict[str, Any] = {}
    for (key, value), text in zip(
        section.items(), (texts["config"] or {}).values() if section else (), strict=True
    ):
        if schema and isinstance(value, dict):
            field = "default" if "default" in value else "value"
            value, text = value.get(field), text.get(field)  # noqa: PLW2901
        found[str(key)] = value if value is None or isinstance(value, dict | list) else text
    return found


def _is_secure(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(map(_is_secure, value.values()))
    return isinstance(value, list) and any(map(_is_secure, value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
