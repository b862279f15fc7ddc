"""Each code of a reason is said in a sentence."""

import pytest

from selfheal.functions.healer.reasons import MEANS
from selfheal.functions.healer.states import Reason


def test_every_reason_has_a_meaning_of_its_own() -> None:
    assert set(MEANS) == set(Reason)
    assert len(set(MEANS.values())) == len(MEANS)


@pytest.mark.parametrize("reason", Reason)
def test_it_is_one_sentence_that_fits_a_line(reason: Reason) -> None:
    said = MEANS[reason]
    assert said[0].isupper()
    assert said.endswith(".")
    assert said.count(".") == 1
    assert len(said) <= 100
