"""Configuration of the orders service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, Self, TypedDict

import pulumi

from settings.reader import Reader

PAGE = Path(__file__).resolve().parents[1] / "web"
"""Folder of the page."""

ALL = 100
"""Percent."""

MOST_IN_PRODUCTION = 10
"""Percent that an experiment breaks there at most. The policy pack refuses more."""


class Given(TypedDict):
    """Arguments of the component `Orders` that configuration decides."""

    rate: float
    articles: Sequence[str]
    callers: pulumi.Output[Mapping[str, str]]
    analytics: bool
    site: NotRequired[str]
    chaos: bool
    chaos_percent: int


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
    chaos: bool
    """Whether it can be broken on purpose."""
    chaos_percent: int
    """The most that an experiment breaks, 1 to 100; in production 10."""

    @property
    def args(self) -> Given:
        """What the component is given."""
        given: Given = {
            "rate": self.downstream_rate,
            "articles": self.articles,
            "callers": self.callers,
            "analytics": self.analytics,
            "chaos": self.chaos,
            "chaos_percent": self.chaos_percent,
        }
        return {**given, "site": str(PAGE)} if self.site else given

    @classmethod
    def load(cls, reader: Reader, *, sandbox: bool) -> Self:
        """Read them. What is no sandbox is production.

        Raises:
            SettingsError: for a value of the wrong kind or out of range.

        """
        chaos = reader.boolean("chaos", default=False)
        # Without experiments the percentage breaks nothing, and its default is fine in production.
        most = MOST_IN_PRODUCTION if chaos and not sandbox else ALL
        return cls(
            downstream_rate=reader.number("downstreamRate", "20", 0.5, 1000, "20"),
            articles=reader.entries("articles", ("book", "lamp", "chair"), "book"),
            callers=reader.secrets("callers", "callers.ann TOKEN"),
            analytics=reader.boolean("analytics", default=False),
            site=reader.boolean("site", default=False),
            chaos=chaos,
            chaos_percent=reader.whole("chaosPercent", most, 1, most),
        )
