"""The rules on experiments of AWS FIS, by the real pack: a careful stack, and each of its mutations."""

from collections.abc import Generator

import pytest

from tests.conftest import ROOT
from tests.policies.mutations import chaos
from tests.policies.mutations.table import Mutation
from tests.policies.support.chaos import experiments
from tests.policies.support.client import Level, Pack, Violation
from tests.policies.support.references import Spelling
from tests.policies.support.scene import RULES

pytestmark = pytest.mark.slow

PREVIEWS = [(each, spelling) for each in chaos.TABLE for spelling in each.spellings]
UPS = [each for each in chaos.TABLE if "up" in each.flags]
PRODUCTION = "production"
"""A name of production for which the healer beside the experiments needs no more than elsewhere."""


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies") as running:
        yield running


def told(mutation: Mutation, spelling: Spelling, pack: Pack, *, up: bool) -> dict[str, Level]:
    stack = PRODUCTION if mutation.stack == "prod" else mutation.stack
    scene = experiments(stack, spelling, up=up)
    mutation.change(scene)
    found: list[Violation] = scene.judge(pack)
    return {each.policy: each.level for each in found}


@pytest.mark.parametrize("spelling", Spelling)
@pytest.mark.parametrize("up", [False, True], ids=["preview", "up"])
@pytest.mark.parametrize("stack", ["dev", PRODUCTION])
def test_careful_experiments_raise_nothing(pack: Pack, stack: str, up: bool, spelling: Spelling) -> None:
    assert experiments(stack, spelling, up=up).judge(pack) == []


@pytest.mark.parametrize(
    ("mutation", "spelling"), PREVIEWS, ids=[f"{each.name}-{spelling}" for each, spelling in PREVIEWS]
)
def test_refused_at_preview(pack: Pack, mutation: Mutation, spelling: Spelling) -> None:
    assert told(mutation, spelling, pack, up=False) == {mutation.rule: Level.MANDATORY}


@pytest.mark.parametrize("mutation", UPS, ids=[each.name for each in UPS])
def test_refused_at_up(pack: Pack, mutation: Mutation) -> None:
    assert told(mutation, Spelling.RESOURCE, pack, up=True) == {mutation.rule: Level.MANDATORY}


def test_the_table_has_every_rule_on_experiments() -> None:
    rules = {name for name in RULES if name.startswith("fis-")} | {"lambda-healer-untouched"}
    assert {each.rule for each in chaos.TABLE} == {each.rule for each in UPS} == rules
