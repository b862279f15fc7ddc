"""docs/policies.md says what the pack does, and every rule can be understood alone."""

import ast
import re
import sys
from pathlib import Path

import pytest
from selfheal_policies import docs

from tests.policies.support.scene import RULES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "policies" / "selfheal_policies"


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "policies.md").read_text()
    assert page == docs.page(list(RULES.values())), (
        "docs/policies.md is out of date. Write it anew: "
        "cd policies && python -m selfheal_policies.docs > ../docs/policies.md"
    )


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_says_all_that_people_need(name: str) -> None:
    rule = RULES[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){2,}", name)
    assert (PACKAGE / "rules" / f"{name.replace('-', '_')}.py").is_file()
    for sentence in (rule.what, rule.why, rule.fix):
        assert sentence.endswith(".")
        assert len(sentence) > 20
    for schema in rule.schema.values():
        assert {"type", "description", "default"} <= set(schema)


def test_a_rule_is_mandatory_unless_it_only_helps_people_to_see_or_is_on_resilience() -> None:
    assert {name for name, rule in RULES.items() if rule.level == "advisory" and not rule.resilience} == {
        "cloudwatch-alarm-description",
        "cloudwatch-dashboard-present",
        "lambda-healer-tracing",
        "selfheal-actuator-seen",
    }


def test_the_pack_imports_nothing_of_the_project() -> None:
    allowed = {"pulumi_policy", "selfheal_policies"} | {"pulumi", "grpc"}  # the last two come with the first
    for path in (ROOT / "policies").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert top in allowed or top in sys.stdlib_module_names, f"{path.name} imports {name}"
