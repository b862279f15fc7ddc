"""The tests' own client of a pack is strict: what could not run is a failure, never a pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from selfheal.sandbox.provider.assets import Archive
from selfheal.sandbox.provider.wire import UNKNOWN
from tests.conftest import ROOT
from tests.policies.support.client import Analyzed, Level, Pack, PackError
from tests.policies.support.packs import write_pack

THING = Analyzed("urn:pulumi:dev::demo::fake:index:Thing::a", "fake:index:Thing", "a", {"size": 11})

RULES = """
import os

def small(args, report):
    if args.props["size"] > args.get_config()["most"]:
        report(f"{args.name} is {args.props['size']:g} large")

def whole(args, report):
    for item in args.resources:
        known = sorted(set(item.props) & {"arn", "code"})
        needs = sorted(found.name for found in item.property_dependencies.get("ref", []))
        report(f"{item.name} {known} ref={needs} parent={item.parent and item.parent.name}", item.urn)

def sized(args, report):
    for item in args.resources:
        item.props["size"]

def broken(args, report):
    if args.name == "broken":
        raise RuntimeError("lost my glasses in " + os.environ.get("PYTHONPATH", ""))

p.PolicyPack("small", [
    resource("thing-small", small, config_schema=p.PolicyConfigSchema({
        "most": {"type": "integer", "default": 10},
    })),
    stack("stack-complete", whole, p.EnforcementLevel.ADVISORY),
    stack("stack-sized", sized, p.EnforcementLevel.ADVISORY),
    resource("broken", broken, p.EnforcementLevel.ADVISORY),
])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("pack"), RULES)


def test_levels_configuration_and_dependencies_arrive(folder: Path) -> None:
    box = replace(THING, urn="urn:box", name="box", properties={"arn": "arn:box", "size": 1})
    ref = {"ref": (box.urn,)}
    code = {"arn": UNKNOWN, "code": Archive("ab" * 32), "size": 1}
    thing = replace(THING, properties=code, parent=box.urn, property_dependencies=ref)
    with Pack(folder) as pack:
        [found] = pack.analyze(THING)
        assert (found.policy, found.level, found.message) == ("thing-small", Level.MANDATORY, "a is 11 large")
        pack.configure({"thing-small": {"enforcementLevel": "advisory", "most": 5}})
        [found] = pack.analyze(replace(THING, properties={"size": 6}))
        assert found.level is Level.ADVISORY
        pack.configure({"thing-small": {"most": 11}, "stack-sized": "disabled"})
        assert pack.analyze(THING) == []
        assert [(each.message, each.urn) for each in pack.analyze_stack([box, thing])] == [
            ("box ['arn'] ref=[] parent=None", box.urn),
            ("a ['arn', 'code'] ref=['box'] parent=box", thing.urn),
        ]
        with pytest.raises(AssertionError, match="thing-smal"):
            pack.configure({"thing-smal": "advisory"})


def test_a_policy_that_cannot_run_has_not_passed(folder: Path) -> None:
    unknown = replace(THING, properties={"size": UNKNOWN})
    with Pack(folder) as pack:
        [one] = pack.analyze(unknown)
        every = next(each for each in pack.analyze_stack([unknown]) if each.policy == "stack-sized")
        for found in (one, every):
            assert found.level is Level.MANDATORY
            assert "can't run policy" in found.message
        with pytest.raises(PackError, match="lost my glasses") as raised:
            pack.analyze(replace(THING, name="broken", properties={"size": 1}))
        assert str(ROOT) not in str(raised.value).partition("lost my glasses in ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("body", "told"),
    [("raise RuntimeError('no rules today')", "no rules today"), ("print('hello')", "hello")],
)
def test_a_pack_that_does_not_start_says_why(tmp_path: Path, body: str, told: str) -> None:
    with pytest.raises(PackError, match=told):
        Pack(write_pack(tmp_path, body))
