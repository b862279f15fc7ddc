"""The client against real packs: small ones, written for each test, run as Pulumi runs them."""

import os
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engine.analyzer_api import Analyzed, Level
from sandbox.errors import PolicyPackError
from sandbox.policies.pack import Pack
from sandbox.policies.process import Stack, environment
from sandbox.provider.assets import Archive
from sandbox.provider.wire import UNKNOWN
from tests.conftest import ROOT
from tests.support.policy_pack import WATCHFUL, write_pack

STACK = Stack("demo", "dev")
THING = Analyzed("urn:pulumi:dev::demo::fake:index:Thing::a", "fake:index:Thing", "a", {"size": 11})


@pytest.fixture(scope="module")
def watchful(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pack]:
    with Pack(write_pack(tmp_path_factory.mktemp("pack"), WATCHFUL), STACK) as pack:
        yield pack


def started(tmp_path: Path, body: str, **config: object) -> Pack:
    return Pack(write_pack(tmp_path / "pack", body), STACK, config)


def test_the_pack_says_what_it_has(watchful: Pack) -> None:
    assert watchful.name == "watchful"
    assert {name: item.whole_stack for name, item in watchful.policies.items()} == {
        "thing-small": False,
        "everything-seen": False,
        "stack-complete": True,
        "stack-not-crowded": True,
    }
    assert watchful.settings["thing-small"].properties == {"most": 10}


def test_a_violation_says_policy_level_message(watchful: Pack) -> None:
    watchful.configure({"everything-seen": "disabled"})
    [found] = watchful.analyze(THING)
    assert (found.policy, found.level, found.message) == ("thing-small", Level.MANDATORY, "a is 11 large")
    assert found.pack == "watchful"
    assert watchful.analyze(replace(THING, properties={"size": 10})) == []


def test_one_process_serves_other_configurations(watchful: Pack) -> None:
    watchful.configure({"all": "disabled", "thing-small": {"enforcementLevel": "advisory", "most": 10}})
    [found] = watchful.analyze(THING)
    assert found.level is Level.ADVISORY
    watchful.configure({"all": "disabled", "thing-small": {"enforcementLevel": "mandatory", "most": 11}})
    assert watchful.analyze(THING) == []


def test_a_stack_keeps_dependencies_parents_and_unknowns(watchful: Pack) -> None:
    watchful.configure({"all": "disabled", "stack-complete": "advisory"})
    box = replace(THING, urn="urn:box", name="box", properties={"arn": "arn:box"})
    thing = replace(
        THING,
        properties={"arn": UNKNOWN, "code": Archive("ab" * 32)},
        parent=box.urn,
        property_dependencies={"ref": (box.urn,)},
    )
    found = watchful.analyze_stack([box, thing])
    assert [(item.message, item.urn) for item in found] == [
        ("box arn=arn:box ref=[] parent=None", box.urn),
        ("a arn=unknown ref=['box'] parent=box", thing.urn),
    ]


def test_a_policy_that_cannot_run_is_mandatory_whatever_its_level(tmp_path: Path) -> None:
    body = """
    def careless(args, report):
        args.props["size"]
    def careless_stack(args, report):
        args.resources[0].props["size"]
    p.PolicyPack("careless", [
        resource("one", careless, p.EnforcementLevel.ADVISORY),
        stack("all-of-them", careless_stack, p.EnforcementLevel.ADVISORY),
    ])
    """
    unknown = replace(THING, properties={"size": UNKNOWN})
    with started(tmp_path, body) as pack:
        [one], [every] = pack.analyze(unknown), pack.analyze_stack([unknown])
    assert (one.policy, one.level) == ("one", Level.MANDATORY)
    assert (every.policy, every.level) == ("all-of-them", Level.MANDATORY)
    assert "can't run policy" in one.message
    assert "can't run policy" in every.message


def test_a_policy_that_crashes_is_an_error_that_names_it(tmp_path: Path) -> None:
    body = """
    def broken(args, report):
        raise RuntimeError("lost my glasses")
    p.PolicyPack("broken", [resource("one", broken)])
    """
    with started(tmp_path, body) as pack, pytest.raises(PolicyPackError) as raised:
        pack.analyze(THING)
    assert "could not run: Analyze on urn:pulumi:dev::demo::fake:index:Thing::a" in str(raised.value)
    assert "lost my glasses" in str(raised.value)


def test_a_level_that_nobody_set_is_advisory_as_with_pulumi(tmp_path: Path) -> None:
    body = """
    def always(args, report):
        report("no")
    p.PolicyPack("quiet", [p.ResourceValidationPolicy("one", "About one.", always)])
    """
    with started(tmp_path, body) as pack:
        [found] = pack.analyze(THING)
    assert found.level is Level.ADVISORY


def test_initial_configuration_without_a_level_is_advisory_as_with_pulumi(tmp_path: Path) -> None:
    body = """
    def always(args, report):
        report("no")
    schema = p.PolicyConfigSchema({"most": {"type": "integer", "default": 1}})
    rules = [resource("one", always, config_schema=schema)]
    p.PolicyPack("quiet", rules, initial_config={"one": {"most": 2}})
    """
    with started(tmp_path, body) as pack:
        assert (pack.settings["one"].level, pack.settings["one"].properties) == ("advisory", {"most": 2})
        pack.configure({"one": "mandatory"})
        [found] = pack.analyze(THING)
    assert found.level is Level.MANDATORY


def test_remediation_keeps_what_was_not_sent(tmp_path: Path) -> None:
    body = """
    def shrink(args):
        return {**{key: args.props[key] for key in args.props}, "size": 3}
    p.PolicyPack("helpful", [p.ResourceValidationPolicy(
        "one", "About one.", enforcement_level=p.EnforcementLevel.REMEDIATE, remediate=shrink)])
    """
    code = Archive("ab" * 32, b"zip")
    secret = replace(THING, properties={"size": 11, "code": code, "token": "x"}, secrets=frozenset({"token"}))
    with started(tmp_path, body) as pack:
        assert pack.remediate(secret) == {"size": 3, "code": code, "token": "x"}
        pack.configure({"one": "mandatory"})
        assert pack.remediate(secret) is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise RuntimeError('no rules today')", "no rules today"),
        ("print('hello')\np.PolicyPack('a', [resource('one', lambda a, r: None)])", "must print nothing"),
        ("", "ended instead of serving"),
    ],
)
def test_a_pack_that_does_not_start_says_why(tmp_path: Path, body: str, told: str) -> None:
    with pytest.raises(PolicyPackError, match=told):
        Pack(write_pack(tmp_path, body), STACK)


def test_a_folder_without_a_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyPackError, match=r"no PulumiPolicy\.yaml"):
        Pack(tmp_path, STACK)


def test_a_wrong_configuration_leaves_no_process(tmp_path: Path) -> None:
    body = WATCHFUL.replace(
        "p.PolicyPack", "import os; open('pid', 'w').write(str(os.getpid()))\np.PolicyPack"
    )
    with pytest.raises(PolicyPackError, match="Did you mean thing-small"):
        Pack(write_pack(tmp_path, body), STACK, {"thing-smal": "mandatory"})
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_pack_cannot_import_this_project() -> None:
    user = {"PYTHONPATH": os.pathsep.join([str(ROOT), "/elsewhere"]), "AWS_PROFILE": "x", "PULUMI_HOME": "y"}
    given = environment(user, Stack("demo", "prod", dry_run=False, config={"demo:a": "b"}))
    assert given["PYTHONPATH"] == "/elsewhere"
    assert not [key for key in given if key.startswith("AWS_")]
    assert {key: value for key, value in given.items() if key.startswith("PULUMI_")} == {
        "PULUMI_CONFIG": '{"demo:a": "b"}',
        "PULUMI_DRY_RUN": "false",
        "PULUMI_ORGANIZATION": "organization",
        "PULUMI_PROJECT": "demo",
        "PULUMI_STACK": "prod",
    }
