"""What is not declared a sandbox is production, whatever it is called: by the real pack."""

import pytest
from selfheal_policies.stacks import NO, YES, chosen, problem

from tests.conftest import ROOT
from tests.policies.mutations.identity import without
from tests.policies.support.client import Pack, PackError
from tests.policies.support.healers import healer
from tests.policies.support.scene import Scene

RULE = "lambda-healer-production"


def test_the_stack_says_it_in_its_own_configuration() -> None:
    assert chosen("shop", {"shop:sandbox": "true"}) == YES
    assert chosen("shop", {"other:sandbox": "true"}) == chosen("shop", {}) == NO
    assert problem(YES) == problem(NO) == ""
    assert "sandbox: yes, and it must be true or false" in problem("yes")


@pytest.mark.slow
def test_a_stack_that_says_nothing_is_production() -> None:
    scene = healer(Scene())
    without("BUDGET")(scene)
    with Pack(ROOT / "policies", config={"sandbox": "false"}) as pack:
        assert [each.policy for each in scene.judge(pack)] == [RULE]
    with Pack(ROOT / "policies", stack="another") as pack:
        assert [each.policy for each in scene.judge(pack)] == [RULE]
    with Pack(ROOT / "policies") as pack:
        assert scene.judge(pack) == []


@pytest.mark.slow
def test_what_is_neither_is_refused() -> None:
    with (
        pytest.raises(PackError, match="sandbox: maybe"),
        Pack(ROOT / "policies", config={"sandbox": "maybe"}),
    ):
        pass
