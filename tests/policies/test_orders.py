"""The orders stack before the pack: nothing is found, at preview with unknown values and at up."""

import pytest

from tests.policies.support.recording import record
from tests.policies.support.scene import Scene


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("analytics", ["false", "true"])
def test_the_orders_stack_raises_nothing(up: bool, analytics: str) -> None:
    recording = record("orders", up=up, config={"analytics": analytics})
    assert Scene(recording, up=up).findings() == {}
