"""Unsafe and innocent programs of other teams on the real engine: the pack finds what it finds in process.

At least twenty of each are one program: a preview tells all that it finds, and they touch each other nowhere.
"""

import os
import re

import pytest

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.pulumi import cli as pulumi_cli
from selfheal.sandbox.pulumi.plugin.install import provider_version
from tests.conftest import ROOT
from tests.engine import anything
from tests.engine.sample import together
from tests.policies.innocents.table import collected
from tests.policies.mutations import table as mutations
from tests.policies.mutations.table import Foreign, Program
from tests.policies.support.client import Level, Pack
from tests.policies.support.scene import Scene
from tests.support.stacks import CHEAPER, FAILED, Account, write_program

UNSAFE = (
    "a bucket that a starter writes",
    "a composite alarm that is off",
    "a customer's policy named like one of AWS",
    "a failure that only people hear of",
    "a filtered topic",
    "a flag that the service reads",
    "a group that scales and nobody",
    "a healer of something else by started machine",
    "a healer that fails in silence",
    "a healer that runs for minutes",
    "a key that is for another account",
    "a ledger that cannot be put back",
    "a loop that is allowed",
    "a mapping that is off",
    "a mute rule",
    "a permission for an organisation",
    "a permission for no alias",
    "a pipe that is stopped",
    "a pipeline that a pipe starts",
    "a plan with an automation",
    "a program that approves",
    "a queue for topics by a pattern",
    "a queue that gives the same message for ever",
    "a rule on failures only",
    "a rule with an unknown word",
    "a schedule that is off",
    "a second healer by the same topic",
    "a topic of another stack",
    "a topic that denies another topic",
    "a url for everybody",
    "a wide open healer by state machine",
    "an API before a function",
    "an alarm at no error",
    "an alarm for the healer only",
    "an alarm on a function's ARN",
    "changes of alarmActions of errors that are ignored",
    "an alias of itself",
    "an attached policy nobody knows",
    "an endpoint that cannot be followed",
    "each wakes the other",
    "exclusive attachments nobody knows",
    "items of its own table",
    "its own health tells nobody",
    "its target's twin in another region by topic",
    "managed policies nobody knows",
    "neither target nor permission",
    "no right but bedrock:InvokeAgent",
    "the enrichment of a pipe",
    "the lines of its own log wake it",
    "throttles that its limit causes",
    "what a starter returns",
)
INNOCENT = (
    "a bus of its own with an archive",
    "a ci role beside a notifier",
    "a composite alarm to people",
    "a custom resource",
    "a fan-out of orders",
    "a look at one's services",
    "a node callback",
    "a pipe that enriches alarms",
    "a status page of incidents",
    "a stream of clicks",
    "a workflow that notifies",
    "alarm events in a stream",
    "alarms in a data lake",
    "amazon q in slack",
    "an api destination",
    "an idempotent ticket opener",
    "jira tickets from a queue",
    "logs queried",
    "slack webhook",
    "workers scaled by a queue",
)
"""Names in the tables."""

BODY = """
import sys

sys.path[:0] = [{root!r}, {policies!r}]

from tests.engine.sample import Registration
from tests.engine.test_sample_of_programs import whole

Registration(whole({kind!r}), {version!r}).run()
"""


def whole(kind: str) -> Scene:
    """Return all unsafe or all innocent programs of the sample as one."""
    names, rows = (INNOCENT, collected()) if kind == "innocent" else (UNSAFE, unsafe())
    by_name = {each.name: each for each in rows}
    return together({f"p{position:02}": by_name[name].scene() for position, name in enumerate(names)})


def unsafe() -> list[Foreign | Program]:
    """Return the rows of all mutation tables that are whole programs of another team."""
    return [*mutations.collected(Foreign), *mutations.collected(Program)]


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """A PULUMI_HOME whose provider takes everything and reaches no account."""
    folder = tmp_path_factory.mktemp("nowhere")
    home, backend, stacks = folder / "home", folder / "backend", folder / "stacks"
    for made in (backend, stacks):
        made.mkdir()
    anything.install(home)
    clients = Clients("http://127.0.0.1:9", "us-east-1", Credentials("test", "test"))
    added = pulumi_cli.environment(clients.endpoint, clients.region, clients.credentials, backend, home=home)
    return Account(clients, stacks, pulumi_cli.merged(os.environ, added) | CHEAPER | {"NO_COLOR": "1"})


Finding = tuple[str, str, str, str]
"""Level, policy, the logical name of the resource, and what is wrong."""


@pytest.fixture(scope="module")
def in_process() -> dict[str, list[Finding]]:
    """Return what a pack finds that is asked without an engine, by kind of programs."""
    with Pack(ROOT / "policies") as pack:
        found = {kind: whole(kind).judge(pack) for kind in ("unsafe", "innocent")}
    return {
        kind: sorted((each.level, each.policy, *_said(each.urn, each.message)) for each in told)
        for kind, told in found.items()
    }


def _said(urn: str, message: str) -> tuple[str, str]:
    return urn.rpartition("::")[2], message.partition("\n")[0]


def on_the_engine(nowhere: Account, kind: str, code: int) -> list[Finding]:
    body = BODY.format(root=str(ROOT), policies=str(ROOT / "policies"), kind=kind, version=provider_version())
    project = write_program(nowhere.folder / kind, body, name=kind)
    stack = nowhere.stack_with("dev", project, {f"{kind}:sandbox": True})  # as the pack in process is told
    told = stack.preview("--policy-pack", str(ROOT / "policies"), code=code)
    # Level, severity, policy, type and name; below it what the rule demands, then what is wrong.
    shown = r"- \[(\w+)\] .*?  (\S+)  \(\S+: (.+)\)\n.*\n +(.*)"
    return sorted(re.findall(shown, told))


@pytest.mark.parametrize("kind", ["unsafe", "innocent"])
def test_the_real_engine_finds_what_is_found_in_process(
    nowhere: Account, in_process: dict[str, list[Finding]], kind: str
) -> None:
    expected = in_process[kind]
    code = FAILED if Level.MANDATORY in {level for level, *_ in expected} else 0
    told = on_the_engine(nowhere, kind, code)
    assert sorted({*told} ^ {*expected}) == []
    assert len(told) == len(expected)


def test_each_unsafe_program_is_refused_by_its_rule_and_no_innocent_is(
    in_process: dict[str, list[Finding]],
) -> None:
    """Together as well as alone: that they share a stack changes nothing."""
    rows = {each.name: each for each in unsafe()}
    wanted = {
        (rule, f"p{position:02}")
        for position, name in enumerate(UNSAFE)
        for rule in {rows[name].rule, *rows[name].besides}
    }
    refused = {
        kind: [each for each in found if each[0] == Level.MANDATORY] for kind, found in in_process.items()
    }
    assert wanted == {(policy, name[:3]) for _, policy, name, _ in refused["unsafe"]}
    assert refused["innocent"] == []


def test_there_are_forty_of_them() -> None:
    assert min(len(UNSAFE), len(INNOCENT)) >= 20
    rows = {each.name: each.rule for each in unsafe()}
    assert len({rows[name] for name in UNSAFE}) >= 25
