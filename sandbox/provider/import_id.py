"""How an existing resource is named to be imported, in the AWS provider's own forms.

Source of every form in the table: section "Import" of the type's page in the Pulumi registry, AWS provider 7.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FIELD = re.compile(r"\\{(\w+)\\}")


@dataclass(frozen=True)
class ImportId:
    """Forms of an import id, and the resource's id that follows from it."""

    forms: tuple[str, ...] = ("{id}",)
    """Each with properties in braces; the longest first. `{id}` is the id that AWS gave the resource."""

    id: str = "{id}"
    """What the AWS provider keeps as the id: made of properties and outputs."""

    def parse(self, given: str) -> dict[str, str] | None:
        """Return the properties that an import id says, `id` among them; None if it has none of the forms."""
        for form in self.forms:
            match = _pattern(form).fullmatch(given)
            if match:
                return {"id": given, **match.groupdict()}
        return None

    def among(self, known: Mapping[str, Any], id_: str) -> dict[str, str] | None:
        """Return what `parse` does for the resource's own id, if `known` says the rest; else None."""
        fields = set(_FIELD.findall(re.escape(self.forms[-1]))) - {"id"}
        return {"id": id_} if all(known.get(key) for key in fields) else None

    def resolve(self, properties: Mapping[str, Any]) -> str:
        """Return the resource's id, from its properties and outputs."""
        return self.id.format(**properties)


def _pattern(form: str) -> re.Pattern[str]:
    """Return the pattern of a form: its last field may hold any character, the others no separator."""
    fields = _FIELD.split(re.escape(form))
    last = len(fields) - 2
    parts = [
        text if index % 2 == 0 else f"(?P<{text}>{'.+' if index == last else '[^/:]+'})"
        for index, text in enumerate(fields)
    ]
    return re.compile("".join(parts))
