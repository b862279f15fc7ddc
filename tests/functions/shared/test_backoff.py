import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.functions.shared.backoff import full_jitter, longest_pause

ATTEMPTS = st.integers(1, 100_000)
ROLLS = st.floats(0, 1, exclude_max=True)
FACTORS = st.floats(1, 1000)
BASES_AND_CAPS = st.tuples(st.floats(1e-3, 1e5), st.floats(1e-3, 1e5)).map(sorted)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 20)])
def test_the_longest_pause_doubles_up_to_its_cap(attempt: int, seconds: float) -> None:
    assert longest_pause(attempt) == seconds
    assert full_jitter(attempt, lambda: 0.25) == seconds / 4


@given(ATTEMPTS, ROLLS, FACTORS, BASES_AND_CAPS)
def test_a_pause_is_random_between_0_and_the_longest_which_never_passes_the_cap(
    attempt: int, roll: float, factor: float, limits: list[float]
) -> None:
    base, cap = limits
    longest = longest_pause(attempt, base=base, factor=factor, cap=cap)
    assert 0 <= longest <= cap
    assert full_jitter(attempt, lambda: roll, base=base, factor=factor, cap=cap) == roll * longest


@given(st.integers(2, 100_000), FACTORS, BASES_AND_CAPS)
def test_the_longest_pause_grows_by_the_factor_until_the_cap_and_never_shrinks(
    attempt: int, factor: float, limits: list[float]
) -> None:
    base, cap = limits
    this, following = (
        longest_pause(number, base=base, factor=factor, cap=cap) for number in (attempt, attempt + 1)
    )
    assert this >= base
    # Relative: at the cap, logarithms and powers round differently.
    assert math.isclose(following, min(cap, this * factor), rel_tol=1e-9)


@given(BASES_AND_CAPS)
def test_there_is_no_pause_before_the_first_attempt(limits: list[float]) -> None:
    assert full_jitter(1, lambda: 0.9, base=limits[0], cap=limits[1]) == 0


@pytest.mark.parametrize(
    ("attempt", "change", "says"),
    [
        (0, {}, "counted from 1, got 0"),
        (2, {"base": 0.0}, "got base 0.0"),
        (2, {"cap": 0.5}, "cap 0.5"),
        (2, {"cap": math.inf}, "cap inf"),
        (2, {"factor": 0.5}, "factor 0.5"),
        (2, {"factor": math.nan}, "factor nan"),
    ],
)
def test_values_out_of_range_are_refused(attempt: int, change: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        full_jitter(attempt, lambda: 0.5, **change)
