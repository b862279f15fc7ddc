"""The documentation names tests as evidence and files to look in: each of them exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# `path`, or `path::name`.
_NAMED = re.compile(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`")
# [text](path), or [text](path#anchor), of this repository.
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_PLACE = re.compile(
    r"`((?:cli|components|docs|functions|policies|requirements|sandbox|selfheal|tests|tools)/[\w/.*-]*)`"
)

EVIDENCE = ("docs/failures.md", "docs/sandbox.md")
# `make docs` checks the links between the pages of docs/. Decision records name what was there at their time.
OUTSIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = (*OUTSIDE, *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the lines below every table's `heading` of a page, up to the table's end."""
    found: list[list[str]] = []
    inside = False
    for line in text(page).splitlines():
        inside = line.startswith("|") and (inside or heading in line)
        if inside and heading not in line and not line.startswith("|-"):
            found.append([cell.strip() for cell in line[1:-1].split("|")])
    return found


NAMED = sorted((page, *each) for page in EVIDENCE for each in _NAMED.findall(text(page)))


@pytest.mark.parametrize(("page", "path", "name"), NAMED, ids=["::".join(each) for each in NAMED])
def test_a_test_that_a_page_names_exists(page: str, path: str, name: str) -> None:
    file = ROOT / path
    assert file.is_file(), f"{page} names {path}, which does not exist"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    if name:
        assert name in found, f"{page} names {name}, which is not in {path}"
    else:
        assert any(each.startswith("test_") for each in found), f"{path} holds no test"


@pytest.mark.parametrize("page", OUTSIDE)
def test_a_file_that_a_page_links_to_exists(page: str) -> None:
    linked = _LINK.findall(text(page))
    assert linked
    assert [each for each in linked if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_place_that_a_page_names_exists(page: str) -> None:
    assert [each for each in _PLACE.findall(text(page)) if not any(ROOT.glob(each.rstrip("/")))] == []


def test_every_row_names_a_test_or_says_that_none_shows_it() -> None:
    shown = [cells[-1] for cells in rows("docs/failures.md", "| the test that shows it |")]
    assert shown
    assert [cell for cell in shown if not _NAMED.search(cell) and "not shown" not in cell] == []


def test_of_the_real_engine_nothing_is_claimed_without_what_showed_it() -> None:
    claims = rows("docs/sandbox.md", "| real engine |")
    assert {len(cells) for cells in claims} == {5}
    shown = [cells[3] for cells in claims if cells[3]]
    assert shown
    assert [cell for cell in shown if not _NAMED.search(cell) and cell not in SHOWN_OTHERWISE] == []


SHOWN_OTHERWISE = ("`make demo`", "workflow `real-engine`, not yet seen", "workflow `packages`, not yet seen")
"""By what fails unless it is so, and what is yet to be seen."""
