"""Reading YAML as the Pulumi CLI does: `yes` and `2026-11-21` are text, a repeated key is an error."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from sandbox.errors import ProjectError


class _Loader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's extra booleans and its dates, which Go's YAML does not have."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a repeated key, which PyYAML would let win silently."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and not (tag.endswith(":bool") and first not in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file ({} for an empty one). Raises ProjectError naming the file."""
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  (a SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is not valid YAML: {error}.") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ProjectError(
            f"{path} must hold a mapping of keys to values, and holds a {type(loaded).__name__}."
        )
    return loaded
