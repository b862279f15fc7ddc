"""The table of innocents, judged by the real pack: one process of it for all."""

from collections import Counter
from collections.abc import Generator

import pytest

from tests.conftest import ROOT
from tests.policies.innocents.table import Innocent, collected
from tests.policies.support.client import Level, Pack
from tests.policies.support.references import Spelling

pytestmark = pytest.mark.slow

INNOCENTS = collected()
MODES = [(Spelling.RESOURCE, False), (Spelling.LITERAL, False), (Spelling.RESOURCE, True)]


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies") as running:
        yield running


@pytest.mark.parametrize(
    ("spelling", "up"), MODES, ids=[f"{spelling}-{'up' if up else 'preview'}" for spelling, up in MODES]
)
@pytest.mark.parametrize("innocent", INNOCENTS, ids=[each.name for each in INNOCENTS])
def test_it_is_left_alone(pack: Pack, innocent: Innocent, spelling: Spelling, up: bool) -> None:
    found = innocent.scene(spelling, up=up).judge(pack)
    assert [each for each in found if each.level is Level.MANDATORY] == []


def test_the_table_is_long_enough() -> None:
    names = Counter(each.name for each in INNOCENTS)
    assert len(INNOCENTS) >= 60
    assert [name for name, count in names.items() if count > 1] == []
    assert [each.name for each in INNOCENTS if not each.source] == []
