"""Where a picture is read from: of a function's environment, or of a stack's outputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

LEDGER = "LEDGER_TABLE"
"""Variable with the name of the ledger's table."""

PLACES: Mapping[str, tuple[str, str]] = {
    "circuits": ("CIRCUITS", "circuits"),
    "queues": ("QUEUES", "queues"),
    "dead_letters": ("DEAD_LETTERS", "deadLetters"),
}
"""By field: the variable, which holds a JSON object, and the stack's output."""

Places = Mapping[str, str]


@dataclass(frozen=True)
class Sources:
    """Where each part of a picture is. Every part may be empty."""

    ledger: str = ""
    """Name of the ledger's table."""
    circuits: Places = field(default_factory=dict[str, str])
    """Tables by name of the circuit."""
    queues: Places = field(default_factory=dict[str, str])
    """URLs by name."""
    dead_letters: Places = field(default_factory=dict[str, str])
    """By name, URLs of queues, or s3://BUCKET."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return what the variables of the status function say.

        Raises:
            ValueError: when one is no JSON object of texts. A part that is missing is empty.

        """
        return cls(
            environment.get(LEDGER, ""),
            **{
                name: _places(variable, json.loads(environment.get(variable, "{}")))
                for name, (variable, _) in PLACES.items()
            },
        )

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any]) -> Self:
        """Return what a stack's outputs say.

        Raises:
            ValueError: when one is no object of texts. A part that is missing is empty.

        """
        ledger = outputs.get("ledgerTable", "")
        return cls(
            ledger if isinstance(ledger, str) else "",
            **{
                name: _places(f"the output {output}", outputs.get(output, {}))
                for name, (_, output) in PLACES.items()
            },
        )


def _places(source: str, value: object) -> Places:
    entries = cast("dict[object, object]", value) if isinstance(value, dict) else {0: 0}
    if not all(isinstance(each, str) for pair in entries.items() for each in pair):
        raise ValueError(f"{source} must be an object of texts by name, got {value!r}")
    return cast("Places", entries)
