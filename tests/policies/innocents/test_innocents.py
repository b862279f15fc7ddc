"""The table of innocents, judged by the real pack: one process of it for all."""

import inspect
from collections import Counter
from collections.abc import Generator
from importlib import import_module

import pytest
from selfheal_policies import types

from tests.conftest import ROOT
from tests.policies.innocents.table import Innocent, collected
from tests.policies.support.changes import document
from tests.policies.support.client import Level, Pack
from tests.policies.support.references import Ref, Spelling
from tests.policies.support.scene import MANDATORY, Item

pytestmark = pytest.mark.slow

INNOCENTS = collected()
SUSPECTS = collected("SUSPECTS")
MODES = [(Spelling.LITERAL, False), (Spelling.RESOURCE, True)]


@pytest.fixture(scope="module")
def pack() -> Generator[Pack]:
    with Pack(ROOT / "policies") as running:
        yield running


@pytest.mark.parametrize("innocent", INNOCENTS, ids=[each.name for each in INNOCENTS])
def test_it_is_left_alone(pack: Pack, innocent: Innocent) -> None:
    found = innocent.scene().judge(pack)
    assert [each for each in found if each.level is Level.MANDATORY] == []


@pytest.mark.parametrize(
    ("spelling", "up"), MODES, ids=[f"{spelling}-{'up' if up else 'preview'}" for spelling, up in MODES]
)
@pytest.mark.parametrize("innocent", INNOCENTS, ids=[each.name for each in INNOCENTS])
def test_it_is_left_alone_in_any_spelling_and_at_up(innocent: Innocent, spelling: Spelling, up: bool) -> None:
    """In this process: these are nothing that the protocol changes."""
    assert innocent.scene(spelling, up=up).findings(MANDATORY) == {}


@pytest.mark.parametrize("innocent", INNOCENTS, ids=[each.name for each in INNOCENTS])
def test_whatever_its_alarms_reach_is_a_healer_once_it_may_stop_a_task(innocent: Innocent) -> None:
    """It is left alone for what it does, and not because nobody looks."""
    for actor in innocent.scene().graph().notifiers:
        scene = innocent.scene()
        role = scene.find(actor.name).get("role" if actor.type == types.FUNCTION else "roleArn")
        may = document({"Action": "ecs:StopTask", "Resource": "*"})
        scene.add("iam.RolePolicy", "more", role=Ref(role.target, "name"), policy=may)
        assert actor.name in {each.name for each in scene.graph().healers}


@pytest.mark.parametrize("suspect", SUSPECTS, ids=[each.name for each in SUSPECTS])
def test_what_cannot_be_read_is_one_finding_until_it_is_known(pack: Pack, suspect: Innocent) -> None:
    found = suspect.scene().judge(pack)
    assert [each.policy for each in found if each.level is Level.MANDATORY] == ["iam-policy-readable"], found
    found = suspect.scene(up=True).judge(pack)
    assert [each for each in found if each.level is Level.MANDATORY] == []


def test_the_table_is_long_enough() -> None:
    names = Counter(each.name for each in (*INNOCENTS, *SUSPECTS))
    assert len(INNOCENTS) >= 60
    assert len([each for each in INNOCENTS if each.scene().graph().notifiers]) >= 60
    assert [name for name, count in names.items() if count > 1] == []
    assert [each.name for each in INNOCENTS if not each.source] == []


def inputs_of(type_: str) -> set[str]:
    """Return the names of all inputs that a type of the provider has."""
    _, module, name = type_.split(":")
    module = module.split("/")[0]
    held = import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    words = (
        each.strip("_").split("_")
        for each in inspect.signature(getattr(held, name)._internal_init).parameters
    )
    return {first + "".join(each.capitalize() for each in more) for first, *more in words}


def test_the_provider_has_every_type_and_input_of_theirs() -> None:
    all_of_them = (item for each in INNOCENTS for item in each.scene().items)
    items: list[Item] = [item for item in all_of_them if item.type.startswith("aws:")]
    used: dict[str, set[str]] = {}
    for item in (each for each in items if each.type.startswith("aws:")):
        used.setdefault(item.type, set()).update(item.inputs.properties)
    # A scene gives everything a name, and a key by what it is known.
    wrong = {type_: names - inputs_of(type_) - {"name", "keyId"} for type_, names in used.items()}
    assert {type_: names for type_, names in wrong.items() if names} == {}
    assert len(used) >= 50
