"""Saved plans: what was previewed is what is done, or nothing."""

from pathlib import Path

import pytest

from tests.engine.live import BASELINE, everything, override, rate
from tests.engine.stack import FAILED, Account, Stack


@pytest.fixture
def stack(cloud: Account) -> Stack:
    return cloud.stack("planned")


def test_a_saved_plan_is_carried_out_as_it_was_previewed(stack: Stack, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    stack.preview("--save-plan", str(plan))
    stack.up("--plan", str(plan))
    assert rate(stack) == BASELINE

    # The world has changed since the next plan: the healer acted. The plan is not carried out over it.
    stack.configure(logRetentionDays=30)
    stack.preview("--save-plan", str(plan))
    override(stack)
    before = everything(stack)
    told = stack.up("--plan", str(plan), code=FAILED)
    assert "violates plan" in told
    assert rate(stack) == "0"
    assert everything(stack) == before
    stack.run("destroy")
