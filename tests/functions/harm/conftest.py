"""Tests that run the healer a hundred thousand times."""

from collections.abc import Mapping
from typing import Any

import pytest

from selfheal.functions.healer import ledger
from selfheal.functions.healer.incident import Incident


@pytest.fixture(autouse=True)
def unchanged_items_are_converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert an item again only if it has changed since it was read last: an eighth of all the time.

    Incidents are immutable, and what is made of an item depends on nothing else.
    """
    convert = ledger.from_item
    last: dict[tuple[str, str], tuple[Mapping[str, Any], Incident]] = {}

    def from_item(item: Mapping[str, Any]) -> Incident:
        key = item["pk"]["S"], item["sk"]["S"]
        if key not in last or last[key][0] != item:
            last[key] = item, convert(item)
        return last[key][1]

    monkeypatch.setattr(ledger, "from_item", from_item)
