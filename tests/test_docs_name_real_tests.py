"""docs/failures.md names tests as its evidence: each of them exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "failures.md"
# `path`, or `path::name`.
_NAMED = re.compile(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`")
NAMED = sorted(set(_NAMED.findall(PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=["::".join(each) for each in NAMED])
def test_a_test_that_the_page_names_exists(path: str, name: str) -> None:
    file = ROOT / path
    assert file.is_file(), f"docs/failures.md names {path}, which does not exist"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    if name:
        assert name in found, f"docs/failures.md names {name}, which is not in {path}"
    else:
        assert any(each.startswith("test_") for each in found), f"{path} holds no test"


def test_every_row_names_a_test_or_says_that_none_shows_it() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [line.strip("|").split(" | ")[-1] for line in rows]
    shown = [cell for cell in cells if cell.strip() not in ("the test that shows it", "test")]
    assert NAMED
    assert [cell for cell in shown if not _NAMED.search(cell) and "not shown" not in cell] == []
