"""The rules on resilience, by the real pack: a stack that has every pattern, and each of its mutations.

They are mandatory where the stack's configuration demands them, and advice elsewhere.
"""

from collections.abc import Generator

import pytest

from tests.conftest import ROOT
from tests.policies.mutations import resilience
from tests.policies.mutations.table import Mutation
from tests.policies.support.client import Level, Pack, PackError, Violation
from tests.policies.support.recording import record
from tests.policies.support.references import Spelling
from tests.policies.support.resilience import recorded, resilient
from tests.policies.support.scene import RULES, Scene

pytestmark = pytest.mark.slow

PREVIEWS = [(each, spelling) for each in resilience.TABLE for spelling in each.spellings]
UPS = [each for each in resilience.TABLE if "up" in each.flags]


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    """The pack in a stack that demands resilience."""
    with Pack(ROOT / "policies", config={"resilience": "required"}) as running:
        yield running


@pytest.fixture(scope="module")
def advising() -> Generator[Pack]:
    """The pack in a stack that says nothing of it."""
    with Pack(ROOT / "policies") as running:
        yield running


def levels(found: list[Violation]) -> dict[str, Level]:
    return {each.policy: each.level for each in found}


def refused(mutation: Mutation, spelling: Spelling, pack: Pack, *, up: bool) -> dict[str, Level]:
    scene = mutation.scene(recorded(mutation.stack, up=up), spelling, up=up)
    return levels(scene.judge(pack))


@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_resilient_stack_raises_nothing(pack: Pack, stack: str, up: bool) -> None:
    assert resilient(stack, up=up).judge(pack) == []


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_small_stack_raises_nothing_even_if_it_demands_resilience(pack: Pack, stack: str) -> None:
    assert Scene(record(stack)).judge(pack) == []


@pytest.mark.parametrize(
    ("mutation", "spelling"), PREVIEWS, ids=[f"{each.name}-{spelling}" for each, spelling in PREVIEWS]
)
def test_refused_at_preview(pack: Pack, mutation: Mutation, spelling: Spelling) -> None:
    assert refused(mutation, spelling, pack, up=False) == {mutation.rule: Level.MANDATORY}


@pytest.mark.parametrize("mutation", UPS, ids=[each.name for each in UPS])
def test_refused_at_up(pack: Pack, mutation: Mutation) -> None:
    assert refused(mutation, Spelling.RESOURCE, pack, up=True) == {mutation.rule: Level.MANDATORY}


@pytest.mark.parametrize("mutation", UPS, ids=[each.name for each in UPS])
def test_advice_where_the_stack_demands_nothing(advising: Pack, mutation: Mutation) -> None:
    assert refused(mutation, Spelling.RESOURCE, advising, up=False) == {mutation.rule: Level.ADVISORY}


def test_the_table_has_every_rule_on_resilience() -> None:
    assert {each.rule for each in resilience.TABLE} == {
        name for name, rule in RULES.items() if rule.resilience
    }
    assert {each.rule for each in UPS} == {each.rule for each in resilience.TABLE} - {
        "sqs-dead-letters-resolved"
    }


def test_configuration_of_the_pack_decides_over_the_stack(pack: Pack) -> None:
    mutation = resilience.TABLE[0]
    pack.configure({mutation.rule: "advisory"})
    try:
        assert refused(mutation, Spelling.RESOURCE, pack, up=False) == {mutation.rule: Level.ADVISORY}
    finally:
        pack.configure({})


def test_what_may_pause_every_mapping_is_no_breaker(pack: Pack) -> None:
    scene = resilient()
    resilience.pausing(resilience.MAPPINGS)(scene)
    # A stream starts it, and no clock: it is no healer that no failure wakes.
    assert set(levels(scene.judge(pack))) == {"lambda-mapping-owned"}


def test_a_demand_that_is_misspelt_is_refused() -> None:
    with pytest.raises(PackError, match="says resilience: requird, and it must be advised or required"):
        Pack(ROOT / "policies", config={"resilience": "requird"})
