"""Imports point one way: what each folder may use of the others and of third parties."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = {"components", "functions", "cli", "sandbox", "scenarios"}
OURS = {*PACKAGE, "policies", "settings", "tests", "selfheal"}
RULES = {
    # folder: (folders of ours, third parties)
    "components": (
        {"components", "functions", "scenarios"},
        {"pulumi", "pulumi_aws", "yaml"},  # PyYAML comes with pulumi
    ),
    "functions": ({"functions"}, {"boto3", "botocore"}),
    "sandbox": ({"sandbox"}, None),
    "cli": ({"cli", "sandbox", "functions", "scenarios"}, None),
    "scenarios": ({"scenarios"}, {"yaml"}),
    "policies": (set[str](), None),
    "tools": (set[str](), set[str]()),  # they run before anything is installed
}


@cache
def modules(path: Path) -> frozenset[str]:
    """Modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return frozenset(names)


def imported(path: Path) -> set[str]:
    """Folders of the package and top-level names of others that a file imports."""
    names = {name.removeprefix("selfheal.").split(".")[0] for name in modules(path)}
    return names - set(sys.stdlib_module_names) - {"selfheal"}


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


@pytest.mark.slow
def test_the_package_has_one_name() -> None:
    """A second name for a module is a second module, and in a wheel there is only one."""
    folders = [ROOT / name for name in (*PACKAGE, "tests", "bench", "settings")]
    for path in (ROOT / "__main__.py", *(path for folder in folders for path in folder.rglob("*.py"))):
        assert not PACKAGE & {name.split(".")[0] for name in modules(path)}, path


def test_the_command_line_uses_only_pure_cores_of_the_functions() -> None:
    """cli/ may read the ledger's items as the healer does; it must never run a handler."""
    for path in (ROOT / "cli").rglob("*.py"):
        assert "selfheal.functions.healer.handler" not in path.read_text(), path


CONTRACTS = {
    "selfheal.functions.shared.contract",
    "selfheal.functions.shared.breaker.settings",
    "selfheal.functions.shared.tokens",
}
"""What components may know of the functions."""


def test_components_know_nothing_of_the_functions_but_the_contracts() -> None:
    for path in (ROOT / "components").rglob("*.py"):
        of_functions = {name for name in modules(path) if name.startswith("selfheal.functions")}
        assert of_functions <= CONTRACTS, path


def test_the_contracts_need_the_standard_library_only() -> None:
    """Components, Lambda functions and commands import them, each with third parties of its own."""
    for name in CONTRACTS:
        path = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
        assert imported(path) == set()


def test_the_program_imports_components_settings_and_pulumi_only() -> None:
    assert imported(ROOT / "__main__.py") <= {"components", "settings", "pulumi", "pulumi_aws"}


def test_component_files_do_not_postpone_annotations() -> None:
    """Pulumi's component analyzer reads annotations, and fails on postponed ones."""
    for path in (ROOT / "components").rglob("*.py"):
        assert "from __future__ import annotations" not in path.read_text(), path
