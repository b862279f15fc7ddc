"""The pack as users run it: by `--policy-pack`, configured, with levels and waivers, beside another.

And what the workflow of a pull request makes of a refused preview's output. Deployments: test_life.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.engine.live import everything
from tests.policies.support.packs import write_pack
from tests.policies.support.resilience import FOLDER
from tests.policies.support.scene import RULES
from tests.support.stacks import FAILED, Account, Stack
from tools.pull_request_comment import LIMIT, Job, read, render

RULE = "lambda-function-failure-rate"
PACK = ("--policy-pack", "policies")
CONFIG = "--policy-pack-config"


def rules(folder: Path, content: dict[str, Any]) -> str:
    """Write a file for `--policy-pack-config`."""
    file = folder / "rules.json"
    file.write_text(json.dumps(content))
    return str(file)


def levels(told: str, policy: str) -> list[str]:
    """Return the levels of a policy's findings, as the CLI prints them."""
    return re.findall(rf"\[(\w+)\] (?:\[severity: \w+\] )? *{policy}  ", told)


@pytest.fixture(scope="module")
def undeployed(cloud: Account) -> Stack:
    """A stack that is only previewed; its service fails three of ten requests, which dev allows."""
    return cloud.stack("guarded")


def waiver(expires: str) -> dict[str, Any]:
    """Return a configuration that forbids the rate of the stack, and accepts it until a day."""
    accepted = {"policy": RULE, "resource": "fragile", "reason": "a drill, OPS-1", "expires": expires}
    return {RULE: {"maximum": 0.1}, "selfheal-waivers": {"waivers": [accepted]}}


@dataclass(frozen=True)
class Refused:
    """A preview as the workflow of a pull request runs it, that the pack refuses."""

    folder: Path
    """With `preview.txt`, what it printed, and `events.jsonl`."""
    told: str
    rules: str
    """The pack's configuration."""
    changed: bool
    """Whether the account has changed."""


@pytest.fixture(scope="module")
def refused(undeployed: Stack, tmp_path_factory: pytest.TempPathFactory) -> Refused:
    """The stack's first preview, by a configuration that forbids its rate of failures."""
    folder = tmp_path_factory.mktemp("refused")
    file = rules(folder, {RULE: {"maximum": 0.1}})
    diff = ("--diff", "--color", "never", "--event-log", str(folder / "events.jsonl"))
    before = everything(undeployed)
    stack = undeployed.within(PULUMI_DEBUG_COMMANDS="true")
    told = stack.preview(*diff, *PACK, CONFIG, file, code=FAILED)
    (folder / "preview.txt").write_text(told)
    return Refused(folder, told, file, everything(undeployed) != before)


def test_what_the_pack_refuses_by_configuration_is_not_deployed(undeployed: Stack, refused: Refused) -> None:
    before = everything(undeployed)
    for told in (refused.told, undeployed.run("up", *PACK, CONFIG, refused.rules, code=FAILED)):
        assert "mandatory" in levels(told, RULE), told
        assert "it must be at most 0.1" in told
    assert everything(undeployed) == before
    assert not refused.changed


def test_a_violation_in_a_first_deployment_is_whole_in_the_comment_of_a_pull_request(
    refused: Refused,
) -> None:
    """Its preview prints more than a comment holds, and `--diff` prints the violation somewhere among it."""
    assert len(refused.told) > LIMIT
    job = Job(succeeded=False, step="Preview")
    run = "https://github.com/octo/shop/actions/runs/1"
    text = render("guarded", read(refused.folder), job, run=run, commit="abc123")

    assert len(text) <= LIMIT
    assert text.splitlines()[1] == "### Preview of `guarded`: refused by the policy pack (1 mandatory)"
    first, *others = refused.told.split(f"{RULE}  (aws:lambda:Function: fragile)")[1].splitlines()
    message = "\n".join([first, *others[:3]])
    assert others[2].startswith("Fix: ")
    assert f"[mandatory] [high] {RULE}: aws:lambda/function:Function fragile\n{message}\n" in text
    assert "preview failed" in text
    assert "lines are shown" in text


def test_a_level_by_configuration_makes_it_advice(undeployed: Stack, tmp_path: Path) -> None:
    """Also below a level for all policies, which is no misspelt name."""
    file = rules(tmp_path, {RULE: {"enforcementLevel": "advisory", "maximum": 0.1}})
    told = undeployed.preview(*PACK, CONFIG, file)
    assert levels(told, RULE) == ["advisory"], told
    disabled = {RULE: {"enforcementLevel": "disabled", "maximum": 0.1}}
    assert RULE not in undeployed.preview(*PACK, CONFIG, rules(tmp_path, {"all": "advisory", **disabled}))


def test_a_waiver_accepts_one_finding_until_its_day(undeployed: Stack, tmp_path: Path) -> None:
    told = undeployed.preview(
        *PACK, CONFIG, rules(tmp_path, waiver((datetime.now(UTC).date() + timedelta(days=99)).isoformat()))
    )
    assert "selfheal-waivers-used" in told, told
    assert levels(told, RULE) == []
    told = undeployed.preview(*PACK, CONFIG, rules(tmp_path, waiver("2020-01-31")), code=FAILED)
    assert "mandatory" in levels(told, RULE), told
    assert "selfheal-waivers" in told


def test_a_value_that_the_schema_of_a_policy_forbids_is_refused(undeployed: Stack, tmp_path: Path) -> None:
    told = undeployed.preview(*PACK, CONFIG, rules(tmp_path, {RULE: {"maximum": "much"}}), code=FAILED)
    assert "maximum" in told


def test_a_misspelt_policy_in_the_configuration_is_named(undeployed: Stack, tmp_path: Path) -> None:
    """Also one without a level, of which Pulumi itself says only that its level is invalid."""
    file = rules(tmp_path, {RULE[:-1]: {"enforcementLevel": "mandatory", "maximum": 0.1}, "all": "mandatory"})
    told = undeployed.preview(*PACK, CONFIG, file, code=FAILED)
    assert f"{RULE[:-1]}, which is no policy of this pack (did you mean {RULE}?)" in told
    assert "Traceback" not in told, told
    told = undeployed.preview(*PACK, CONFIG, rules(tmp_path, {RULE[:-1]: {"maximum": 0.1}}), code=FAILED)
    assert 'configuring policy pack "selfheal" at "policies": invalid enforcement level ""' in told


def test_a_stack_that_demands_resilience_is_refused_what_is_advice_elsewhere(
    cloud: Account, tmp_path: Path
) -> None:
    """Also, no other rule on resilience finds anything: what Pulumi is to ignore reaches the pack."""
    rule = "lambda-mapping-visibility"
    stack = cloud.small("resilient", (FOLDER / "__main__.py").read_text())
    pack = ("--policy-pack", str(ROOT / "policies"), CONFIG, rules(tmp_path, {rule: {"times": 7}}))
    told = stack.preview(*pack)
    assert {name for name, each in RULES.items() if each.resilience and levels(told, name)} == {rule}, told
    assert levels(told, rule) == ["advisory"]
    stack.run("config set", "resilience", "required")
    told = stack.preview(*pack, code=FAILED)
    assert levels(told, rule) == ["mandatory"], told


def test_two_packs_at_once_are_both_asked(undeployed: Stack, tmp_path: Path) -> None:
    body = """
    def named(args, report):
        if args.resource_type == "aws:sns/topic:Topic":
            report(f"topic {args.name} is seen")

    p.PolicyPack("second", [resource("topic-seen", named)])
    """
    second = write_pack(tmp_path / "second", body)
    (second / ".venv").symlink_to(ROOT / ".venv")
    (second / "PulumiPolicy.yaml").write_text(
        "runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\nversion: 0.0.1\n"
    )
    told = undeployed.preview(*PACK, "--policy-pack", str(second), code=FAILED)
    assert "topic-seen" in told, told
    assert "selfheal@v" in told
    assert "second@v" in told
