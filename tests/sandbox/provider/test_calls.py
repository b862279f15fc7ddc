"""Which errors of AWS calls are retried, and which mean that a resource does not exist."""

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.provider.calls import or_none, refused, retried


class Failing:
    """Fails with each of the codes in turn, then succeeds."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.codes:
            raise refused("Operation", self.codes.pop(0), "m")
        return "done"


def test_a_passing_error_is_retried_and_any_other_is_raised_at_once() -> None:
    act = Failing("Busy", "Busy")
    retried(act, "Busy", pause=0)
    assert act.calls == 3
    act = Failing("Busy", "Denied", "Busy")
    with pytest.raises(ClientError, match="Denied"):
        retried(act, "Busy", pause=0)
    assert act.calls == 2


def test_retries_end() -> None:
    act = Failing(*["Busy"] * 1000)
    with pytest.raises(ClientError, match="Busy"):
        retried(act, "Busy", seconds=0.05, pause=0.01)
    assert 1 < act.calls < 10


def test_only_an_error_that_says_so_means_that_there_is_none() -> None:
    assert or_none(Failing("ResourceNotFoundException")) is None
    assert or_none(Failing("NoSuchEntity")) is None
    assert or_none(Failing()) == "done"
    with pytest.raises(ClientError, match="AccessDenied"):
        or_none(Failing("AccessDenied"))
