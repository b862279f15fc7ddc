"""Imports point one way: what each folder may use of the others and of third parties."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"components", "functions", "policies", "cli", "sandbox", "settings", "tests"}
RULES = {
    # folder: (folders of ours, third parties)
    "components": ({"components"}, {"pulumi", "pulumi_aws"}),
    "functions": ({"functions"}, {"boto3", "botocore"}),
    "sandbox": ({"sandbox"}, None),
    "cli": ({"cli", "sandbox", "functions"}, None),
    "policies": (set[str](), None),
    "tools": (set[str](), set[str]()),  # they run before anything is installed
}


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names)


@pytest.mark.parametrize("folder", sorted(RULES))
def test_imports_point_one_way(folder: str) -> None:
    allowed_ours, third_parties = RULES[folder]
    wrong: dict[str, set[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        names = imported(path)
        bad = (names & OURS) - allowed_ours
        if third_parties is not None:
            bad |= names - OURS - third_parties
        if bad:
            wrong[path.relative_to(ROOT).as_posix()] = bad
    assert wrong == {}


def test_the_command_line_uses_only_pure_cores_of_the_functions() -> None:
    """cli/ may read the ledger's items as the healer does; it must never run a handler."""
    for path in (ROOT / "cli").rglob("*.py"):
        assert "functions.healer.handler" not in path.read_text(), path


def test_the_program_imports_components_settings_and_pulumi_only() -> None:
    assert imported(ROOT / "__main__.py") <= {"components", "settings", "pulumi", "pulumi_aws"}


def test_component_files_do_not_postpone_annotations() -> None:
    """Pulumi's component analyzer reads annotations, and fails on postponed ones."""
    for path in (ROOT / "components").rglob("*.py"):
        assert "from __future__ import annotations" not in path.read_text(), path
