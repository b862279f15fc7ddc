"""docs/orders.md and docs/patterns.md say what the code of the orders service and its downstream says."""

import re

import pytest

from selfheal.components.services.orders import CIRCUIT
from selfheal.functions.downstream.core import Mode
from selfheal.functions.orders.downstream import TIMEOUT_SECONDS
from selfheal.functions.orders.order import MOST_ATTEMPTS, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from tests.conftest import ROOT
from tests.program.test_program import run

ORDERS = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
PATTERNS = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
NUMBERS = {5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


def first_cells(text: str, heading: str) -> list[str]:
    """Return the code in the first cells of a table."""
    _, _, table = text.partition(heading)
    return re.findall(r"^\| `([\w-]+)` \|", table.partition("\n\n")[0], re.MULTILINE)


def test_each_state_of_an_order_is_explained() -> None:
    assert first_cells(ORDERS, "| State | Means | Set by |") == list(State)


def test_each_mode_of_the_downstream_is_explained() -> None:
    assert first_cells(PATTERNS, "| `mode` | What callers see |") == list(Mode)


def test_the_numbers_are_those_of_the_code() -> None:
    settings = BreakerSettings()
    window = CIRCUIT["window_seconds"]
    assert f"after {NUMBERS[MOST_ATTEMPTS]} attempts a consumer gives up" in ORDERS.lower()
    assert f'"no answer in {MOST_ATTEMPTS} attempts"' in ORDERS
    assert f"an answer after {TIMEOUT_SECONDS:.0f} s is a failure" in ORDERS
    assert f"a window of {window} s" in ORDERS
    assert f"its minimum of {settings.minimum_calls} calls" in ORDERS
    assert f"from {settings.pause_seconds} s to {settings.pause_cap_seconds} s" in ORDERS


@pytest.mark.slow
def test_names_in_the_commands_are_those_of_the_stack() -> None:
    exports = run("orders").exports
    circuits = re.findall(r"selfheal breaker (?:show|open|close|release) ([a-z][\w-]+)", ORDERS)
    assert set(circuits) == set(exports["circuits"])
    assert set(re.findall(r"selfheal dlq (?:show|redrive) ([\w-]+)", ORDERS)) <= set(exports["deadLetters"])
    for name in re.findall(r"pulumi stack output -s orders (\w+)", ORDERS):
        assert name in exports
