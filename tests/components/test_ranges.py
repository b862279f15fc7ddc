"""What is no number, or out of range, is refused by a text that says what is allowed."""

import math
from typing import Any

import pytest

from selfheal.components import ranges
from selfheal.components.errors import ComponentError


@pytest.mark.parametrize("given", [1, 10])
def test_what_is_in_range_is_returned(given: int) -> None:
    assert ranges.whole("size", given, (1, 10)) == given
    assert ranges.number("rate", given, (1, 10)) == given


def test_what_is_left_out_is_the_default() -> None:
    assert ranges.whole("size", None, (1, 10), default=5) == 5
    assert ranges.number("rate", None, (0.5, 10), default=2.5) == 2.5


@pytest.mark.parametrize("given", [0, 11, 2.5, 2.0, "5", True, None, [5], math.nan])
def test_no_whole_number_in_range_is_refused(given: Any) -> None:
    with pytest.raises(ComponentError) as refused:
        ranges.whole("size", given, (1, 10), unit="messages")
    assert str(refused.value) == f"size must be a whole number from 1 to 10 messages, got {given!r}."


@pytest.mark.parametrize("given", [0.4, 1000.5, "5", True, None, math.nan, math.inf, -math.inf])
def test_no_number_in_range_is_refused(given: Any) -> None:
    with pytest.raises(ComponentError) as refused:
        ranges.number("rate", given, (0.5, 1000))
    assert str(refused.value) == f"rate must be a number from 0.5 to 1,000, got {given!r}."


def test_the_default_is_offered() -> None:
    with pytest.raises(ComponentError, match=r"from 60 to 86,400, got 59\. Leave it out for 21,600\."):
        ranges.whole("age", 59, (60, 86_400), default=21_600)


def test_a_range_without_an_end_has_no_infinite_number() -> None:
    assert ranges.number("factor", 1e9, (1, math.inf)) == 1e9
    with pytest.raises(ComponentError, match=r"factor must be a number of at least 1, got inf\."):
        ranges.number("factor", math.inf, (1, math.inf))
