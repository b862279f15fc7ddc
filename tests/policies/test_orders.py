"""The orders stack before the pack: nothing is found, at preview with unknown values and at up."""

import pytest

from tests.policies.support.recording import record
from tests.policies.support.scene import Scene

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize(
    "config", [{}, {"analytics": "true"}, {"chaos": "true"}, {"mode": "act"}, {"mode": "suggest"}], ids=str
)
def test_the_orders_stack_raises_nothing(up: bool, config: dict[str, str]) -> None:
    recording = record("orders", up=up, config=config)
    assert Scene(recording, up=up).findings() == {}


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
def test_its_experiments_are_refused_in_production_unless_they_are_limited(up: bool) -> None:
    """The program refuses the percentage itself: here it is told that the stack is a sandbox."""
    scene = Scene(record("orders", up=up, config={"chaos": "true"}), up=up)
    scene.sandboxes = frozenset()
    refused = scene.findings(["fis-template-production"])["fis-template-production"]
    assert len(refused) == 4
    limited = Scene(record("orders", up=up, config={"chaos": "true", "chaosPercent": "10"}), up=up)
    limited.sandboxes = frozenset()
    assert limited.findings(["fis-template-production"]) == {}
