"""Which failures of AWS calls pass by themselves, and which mean that a resource is gone."""

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.provider.calls import code_of, gone_is_fine, or_none, retried


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "Operation")


class Failing:
    """Fails with each of the codes in turn, then succeeds."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.codes:
            raise _error(self.codes.pop(0))
        return "done"


def _busy(error: ClientError) -> bool:
    return code_of(error) == "Busy"


def test_what_passes_is_tried_again() -> None:
    act = Failing("Busy", "Busy")
    retried(act, _busy, pause=0)
    assert act.calls == 3


def test_what_does_not_pass_is_raised_at_once() -> None:
    act = Failing("Busy", "Denied", "Busy")
    with pytest.raises(ClientError, match="Denied"):
        retried(act, _busy, pause=0)
    assert act.calls == 2


def test_patience_ends() -> None:
    act = Failing(*["Busy"] * 1000)
    with pytest.raises(ClientError, match="Busy"):
        retried(act, _busy, seconds=0.05, pause=0.01)
    assert 1 < act.calls < 10


def test_gone_is_none_and_fine_and_nothing_else_is() -> None:
    assert or_none("Gone", Failing("Gone")) is None
    assert or_none(("Gone", "Lost"), Failing("Lost")) is None
    assert or_none("Gone", Failing()) == "done"
    with pytest.raises(ClientError, match="Denied"):
        or_none("Gone", Failing("Denied"))
    with pytest.raises(ClientError, match="Denied"), gone_is_fine("Gone"):
        Failing("Denied")()
