"""Unsafe variants of the program on the real engine: what the pack says of them there is what the table says.

Several at once where they do not touch each other: a preview tells all that it finds.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.engine.mutating import TABLE
from tests.support.stacks import FAILED, Account

GROUPS = [
    (
        "dev",
        [
            "an alarm that is switched off",
            "a schedule that is switched off",
            "no failure destination",
            "a ledger without recovery",
            "the key that silences alarms",
            "a topic open to everybody",
            "a quarter of an hour",
            "two retries",
            "more failures than requests",
        ],
    ),
    (
        "dev",
        [
            "a filtered subscription",
            "an alarm on the lost events that wakes it",
            "an alarm that does not report recovery",
            "trust in every account",
            "every function",
            "deleting the function",
            "assuming another role",
            "another function as target",
            "every action",
            "a healer that can set its own mode",
        ],
    ),
    ("dev", ["an alarm that tells no one", "no boundary", "a permission for every topic"]),
    ("prod", ["failures in production", "production that acts without a budget"]),
]

PROGRAM = f"""
import json
import runpy
import sys
from pathlib import Path

sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "policies")!r}]

from tests.engine.mutating import check, mutate

scene = mutate(json.loads(Path(__file__).with_name("mutants.json").read_text()))
runpy.run_path({str(ROOT)!r}, run_name="__main__")
check(scene)
"""
"""The unmodified program, with a transformation of what it registers."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants")
    content = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    content["runtime"]["options"]["virtualenv"] = str(ROOT / ".venv")
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(content))
    (folder / "__main__.py").write_text(PROGRAM)
    for file in ROOT.glob("Pulumi.*.yaml"):
        (folder / file.name).write_text(file.read_text())
    return folder


def previewed(cloud: Account, project: Path, name: str, mutants: list[str]) -> tuple[set[str], str]:
    """Preview a variant as a stack of ours; return the policies of mandatory findings, and all it said."""
    # Not as configuration: the program refuses what it does not read.
    (project / "mutants.json").write_text(json.dumps(mutants))
    stack = cloud.stack_with(name, project, {})
    try:
        told = stack.preview("--policy-pack", str(ROOT / "policies"), code=FAILED if mutants else 0)
    finally:
        stack.run("stack rm", "--yes", "--preserve-config")
    return set(re.findall(r"\[mandatory\] .*?  (\S+)  \(", told)), told


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_the_pack_finds_on_the_real_engine_what_the_table_says(
    cloud: Account, project: Path, group: int
) -> None:
    name, mutants = GROUPS[group]
    policies, told = previewed(cloud, project, name, mutants)
    assert policies == {TABLE[mutant].rule for mutant in mutants}, told


def test_the_same_program_unchanged_raises_nothing(cloud: Account, project: Path) -> None:
    policies, told = previewed(cloud, project, "dev", [])
    assert policies == set(), told


def test_there_are_twenty_of_them_over_as_many_rules_as_possible() -> None:
    mutants = [mutant for _, names in GROUPS for mutant in names]
    assert len(mutants) >= 20
    assert len({TABLE[mutant].rule for mutant in mutants}) >= 20
