"""Output: text for people, or one JSON document on standard output with the text on standard error."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console


@dataclass(frozen=True)
class Output:
    """Where a command prints."""

    json: bool
    """Whether standard output is for one JSON document only."""
    people: Console
    """For people: standard output, or standard error if `json`."""

    @classmethod
    def make(cls, *, json: bool) -> "Output":
        """Build the output of a command."""
        return cls(json, Console(stderr=json, highlight=False, soft_wrap=True))

    @property
    def interactive(self) -> bool:
        """Whether it is a terminal, where progress is redrawn; otherwise it is printed line by line."""
        return self.people.is_terminal and not self.people.is_dumb_terminal

    def say(self, text: str, *, style: str | None = None) -> None:
        """Print a line for people; the text is not markup."""
        self.people.print(text, style=style, markup=False)

    def print_json(self, content: Any) -> None:
        """Print a JSON document on standard output."""
        sys.stdout.write(json.dumps(content, indent=2, default=str, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def complain(text: str) -> None:
    """Print an error for people on standard error."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error:", style="bold red", end=" ")
    console.print(text, markup=False)


def remark(text: str, *, style: str = "dim") -> None:
    """Print a remark for people on standard error: scripts read standard output."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, style=style, markup=False)
