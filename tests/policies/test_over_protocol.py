"""The points of every rule once more, through the real pack over its own protocol: one process for all.

What the pure tests say of a rule must hold when a proxy, a schema and a level stand between.
"""

from collections.abc import Generator

import pytest

from tests.conftest import ROOT
from tests.policies.rules.cases import CASES
from tests.policies.rules.points import Case
from tests.policies.support.client import Pack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies", project="other") as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.point}")
def test_scope_behaviour_and_advice(pack: Pack, case: Case) -> None:
    scene = case.scene()
    # The SDK reads the whole stack anew for each policy: that of the case is enough.
    pack.configure({**dict.fromkeys(pack.policies, "disabled"), case.rule: case.config or {}})
    told = [each for each in scene.judge(pack) if each.policy == case.rule]
    assert len(told) == bool(case.part), told
    # The pack makes a sentence of a finding, which begins with a capital.
    assert all(case.part.lower() in each.message.lower() for each in told), told
