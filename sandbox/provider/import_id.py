"""The import ids of existing resources, in the forms of the AWS provider.

Source: section "Import" of each type's page in the Pulumi registry, AWS provider 7.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_FIELD = re.compile(r"\\{(\w+)\\}")


@dataclass(frozen=True)
class ImportId:
    """The forms of an import id, and of the resource's id."""

    forms: tuple[str, ...] = ("{id}",)
    """Each has properties in braces; the longest comes first. `{id}` is an id that AWS assigned."""

    id: str | Callable[[Mapping[str, Any]], str] = "{id}"
    """The id in the AWS provider's state, made of properties and outputs."""

    def parse(self, given: str) -> dict[str, str] | None:
        """Return the properties in an import id, including `id`; None if it has none of the forms."""
        for form in self.forms:
            match = _pattern(form).fullmatch(given)
            if match:
                return {"id": given, **match.groupdict()}
        return None

    def among(self, known: Mapping[str, Any], id_: str) -> dict[str, str] | None:
        """Return the same for the resource's id, if the other properties are `known`; otherwise None."""
        fields = set(_FIELD.findall(re.escape(self.forms[-1]))) - {"id"}
        return {"id": id_} if all(known.get(key) for key in fields) else None

    def resolve(self, properties: Mapping[str, Any]) -> str:
        """Return the resource's id, from its properties and outputs."""
        return self.id.format(**properties) if isinstance(self.id, str) else self.id(properties)


def _pattern(form: str) -> re.Pattern[str]:
    """Return the pattern of a form. Only its last field may contain separators."""
    fields = _FIELD.split(re.escape(form))
    last = len(fields) - 2
    parts = [
        text if index % 2 == 0 else f"(?P<{text}>{'.+' if index == last else '[^/:]+'})"
        for index, text in enumerate(fields)
    ]
    return re.compile("".join(parts))
