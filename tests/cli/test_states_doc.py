"""docs/states.md says what the code allows."""

from pathlib import Path

from selfheal.cli.states_doc import page
from selfheal.functions.healer.states import MEANING, TERMINAL, WAYS, Status

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/states.md is out of date. Write it anew: python -m selfheal.cli.states_doc > docs/states.md"
    )


def test_every_state_has_a_meaning_and_is_reached() -> None:
    assert set(MEANING) == set(Status)
    assert {to for _, to in WAYS} == set(Status)


def test_from_every_state_an_end_is_reached() -> None:
    ends = set(TERMINAL)
    while more := {source for source, to in WAYS if to in ends} - ends:
        ends |= more
    assert ends == set(Status)


def test_no_text_breaks_the_tables() -> None:
    assert not any("|" in text or "\n" in text for text in (*MEANING.values(), *WAYS.values()))
