"""Configuration of the orders service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, Self, TypedDict

import pulumi

from settings.reader import Reader

PAGE = Path(__file__).resolve().parents[1] / "web"
"""Folder of the page."""


class Given(TypedDict):
    """Arguments of the component `Orders` that configuration decides."""

    rate: float
    articles: Sequence[str]
    callers: pulumi.Output[Mapping[str, str]]
    analytics: bool
    site: NotRequired[str]


@dataclass(frozen=True)
class OrdersSettings:
    """Keys that only the orders service has."""

    downstream_rate: float
    """Calls a second that the downstream states, 0.5 to 1,000."""
    articles: tuple[str, ...]
    """What can be ordered."""
    callers: pulumi.Output[Mapping[str, str]]
    """Tokens by caller's name; a secret."""
    analytics: bool
    """Whether there is a stream for reports."""
    site: bool
    """Whether there is a page in front of the API."""

    @property
    def args(self) -> Given:
        """What the component is given."""
        given: Given = {
            "rate": self.downstream_rate,
            "articles": self.articles,
            "callers": self.callers,
            "analytics": self.analytics,
        }
        return {**given, "site": str(PAGE)} if self.site else given

    @classmethod
    def load(cls, reader: Reader) -> Self:
        """Read them.

        Raises:
            SettingsError: for a value of the wrong kind or out of range.

        """
        return cls(
            downstream_rate=reader.number("downstreamRate", "20", 0.5, 1000, "20"),
            articles=reader.entries("articles", ("book", "lamp", "chair"), "book"),
            callers=reader.secrets("callers", "callers.ann TOKEN"),
            analytics=reader.boolean("analytics", default=False),
            site=reader.boolean("site", default=False),
        )
