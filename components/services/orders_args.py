"""What `Orders` is told, what its API takes, and what is refused."""

from collections.abc import Mapping, Sequence
from typing import NotRequired

import pulumi

from selfheal.components.errors import ComponentError
from selfheal.components.security import SecurityArgs

RATE = 20.0
"""Calls a second that the downstream states, by default."""

ORDER_SCHEMA: Mapping[str, object] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Order",
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "article", "quantity", "cents"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "maxLength": 64},
        "article": {"type": "string", "minLength": 1, "maxLength": 64},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
        "cents": {"type": "integer", "minimum": 1, "maximum": 100000000},
        "note": {"type": "string", "maxLength": 1000},
    },
}
"""What the API takes. A body has a bound, so that what is stored can always be published."""


class OrdersArgs(SecurityArgs):
    """How orders are worked off."""

    people: pulumi.Input[str]
    """ARN of the topic that alarms notify."""

    callers: NotRequired[pulumi.Input[Mapping[str, str]]]
    """Tokens by caller's name, a secret. Default: none, so that nobody gets in."""

    rate: NotRequired[float]
    """Calls a second that the downstream states, for both consumers together, 0.5 to 1,000. Default 20."""

    articles: NotRequired[Sequence[str]]
    """What can be ordered. Default: book, lamp and chair."""

    catalogue_seconds: NotRequired[int]
    """How long consumers cache the list of articles, 1 to 3,600. Default 60."""

    analytics: NotRequired[bool]
    """Whether there is a stream for reports, which costs money also when idle. Default false."""

    circuit: NotRequired[Mapping[str, float]]
    """Settings of the circuit breaker. Default: a window of 20 s, and for the others those of `Circuit`."""

    ledger: NotRequired[str]
    """Name of the ledger's table of the healer that looks after it. There is GET of /status/now then, which
    tells the callers of the API how everything is. Default: none, and no status."""

    site: NotRequired[str]
    """Folder of a page that is served with the API under one address. Default: no site."""

    chaos: NotRequired[bool]
    """Whether the functions of intake, fulfilment and billing can be made to fail, and there is an experiment
    for each scenario that ships and that AWS can make. Default false."""

    chaos_percent: NotRequired[int]
    """The most that experiments break of invocations or calls, 1 to 100. Below 100 there is none for a fault
    that hits every call. Default 100."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""


def check(rate: float, articles: Sequence[str]) -> None:
    """Refuse a rate or articles that cannot be.

    Raises:
        ComponentError: when the rate is out of its range, or there is no article, or a wrong one.

    """
    if isinstance(rate, bool) or not 0.5 <= rate <= 1000:  # noqa: PLR2004 - said in the text
        raise ComponentError(
            f"rate must be from 0.5 to 1000 calls a second, got {rate}: it is what the downstream states, "
            "and each consumer takes half of it. Leave it out for 20."
        )
    wrong = [each for each in articles if not each.strip() or "," in each]
    if wrong or not articles:
        raise ComponentError(
            f"articles must name at least one, without commas, got {wrong or 'none'}: consumers read them as "
            "a list that commas separate."
        )
