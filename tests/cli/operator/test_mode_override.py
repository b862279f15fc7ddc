"""The mode: the more restrictive wins, only --clear loosens, and the kill switch never loses a race."""

from typing import Any

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.operator.mode_override import (
    ATTEMPTS,
    Change,
    Stored,
    changed,
    effective_mode,
    loosens,
    mode_text,
    read_mode,
    tightens,
    write_mode,
)
from selfheal.functions.healer.observation import ModeOverride
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, TABLE, Racing, client, serialized, stored

OBSERVE, SUGGEST, ACT = Mode
WHO = "arn:aws:iam::123456789012:user/ann"


def override(mode: Mode | None) -> ModeOverride:
    return ModeOverride(1, mode, WHO, "drill", "2026-11-21T09:00:00.000Z")


@pytest.mark.parametrize("baseline", Mode)
@pytest.mark.parametrize("over", [None, *Mode])
def test_the_more_restrictive_of_the_two_is_in_effect(baseline: Mode, over: Mode | None) -> None:
    found = effective_mode(baseline, override(over))
    order = [OBSERVE, SUGGEST, ACT]
    assert order.index(found) == min(order.index(mode) for mode in (baseline, over) if mode)
    assert mode_text(baseline, override(over)) == found


@pytest.mark.parametrize(
    ("baseline", "mode", "expected"),
    [
        (ACT, SUGGEST, True),
        (SUGGEST, OBSERVE, True),
        (OBSERVE, ACT, False),
        (SUGGEST, SUGGEST, False),
        (None, OBSERVE, True),
        (None, SUGGEST, True),
        (None, ACT, False),
    ],
)
def test_only_an_override_that_is_tighter_makes_a_difference(
    baseline: Mode | None, mode: Mode, expected: bool
) -> None:
    assert tightens(baseline, mode) is expected


@pytest.mark.parametrize(
    ("mode", "effective", "text"),
    [(None, ACT, "at most act"), (SUGGEST, SUGGEST, "at most suggest"), (OBSERVE, OBSERVE, "observe")],
)
def test_a_baseline_that_is_not_known_counts_as_the_least_restrictive(
    mode: Mode | None, effective: Mode, text: str
) -> None:
    assert effective_mode(None, override(mode)) == effective
    assert mode_text(None, override(mode)) == text


@pytest.mark.parametrize(
    ("standing", "mode", "expected"),
    [
        (OBSERVE, ACT, True),
        (SUGGEST, None, True),
        (SUGGEST, SUGGEST, False),
        (SUGGEST, OBSERVE, False),
        (None, ACT, False),
    ],
)
def test_what_loosens_an_override(standing: Mode | None, mode: Mode | None, expected: bool) -> None:
    assert loosens(override(standing), mode) is expected


def test_the_last_50_changes_are_kept() -> None:
    kept = Stored(ModeOverride(0))
    for number in range(60):
        kept = changed(kept, Change(OBSERVE, WHO, f"why {number}"), NOW)
    assert kept.override.version == 60
    assert [line["why"] for line in kept.history] == [f"why {number}" for number in range(10, 60)]


@pytest.mark.parametrize(
    "fields",
    [
        {"schema": 3, "version": 1, "mode": "observe"},
        {"schema": 2, "version": 1, "mode": "off"},
        {"schema": 2, "mode": "observe"},
    ],
)
def test_an_item_of_another_version_is_not_guessed_at(dynamodb: Any, fields: dict[str, Any]) -> None:
    dynamodb.put_item(TableName=TABLE, Item=serialized({"pk": "mode", "sk": "override"} | fields))
    with pytest.raises(CliError, match="another version"):
        read_mode(dynamodb, TABLE)
    with pytest.raises(CliError, match="another version"):
        write(dynamodb, OBSERVE)


def write(
    dynamodb: Any, mode: Mode | None, *, by: str = WHO, clear: bool = False, why: str = "drill"
) -> Stored:
    return write_mode(dynamodb, TABLE, Change(mode, by, why, clear=clear), NOW)


def test_the_item_is_as_the_contract_has_it(dynamodb: Any) -> None:
    write(dynamodb, OBSERVE)
    write(dynamodb, None, clear=True, why="over")
    at = "2026-11-21T09:50:00.000Z"
    assert stored("mode", "override") == {
        "pk": "mode",
        "sk": "override",
        "schema": 2,
        "version": 2,
        "by": WHO,
        "why": "over",
        "at": at,
        "history": [
            {"at": at, "by": WHO, "why": "drill", "mode": "observe"},
            {"at": at, "by": WHO, "why": "over", "mode": "cleared"},
        ],
    }
    assert read_mode(dynamodb, TABLE).override == ModeOverride(2, None, WHO, "over", at)


def test_no_item_is_no_override(dynamodb: Any) -> None:
    assert read_mode(dynamodb, TABLE) == Stored(ModeOverride(0))


@pytest.mark.parametrize("mode", [SUGGEST, ACT, None])
def test_only_clear_gives_up_what_an_override_restricts(dynamodb: Any, mode: Mode | None) -> None:
    write(dynamodb, OBSERVE)
    with pytest.raises(CliError, match="only --clear does"):
        write(dynamodb, mode)
    assert read_mode(dynamodb, TABLE).override.mode is OBSERVE
    assert write(dynamodb, mode, clear=True).override.mode is mode


def racing(dynamodb: Any, *theirs: Mode | None) -> Racing:
    """Bob changes the mode between our read and our write."""
    return Racing(
        dynamodb, *(lambda mode=mode: write(client(), mode, by="arn:bob", clear=True) for mode in theirs)
    )


def test_the_kill_switch_is_tried_again_and_keeps_the_others_history(dynamodb: Any) -> None:
    kept = write(racing(dynamodb, ACT, SUGGEST), OBSERVE)
    assert (kept.override.mode, kept.override.version) == (OBSERVE, 3)
    assert [line["mode"] for line in kept.history] == ["act", "suggest", "observe"]


@pytest.mark.parametrize("mode", [ACT, None])
def test_what_someone_else_restricted_meanwhile_is_not_given_up_even_by_clear(
    dynamodb: Any, mode: Mode | None
) -> None:
    write(dynamodb, SUGGEST)
    with pytest.raises(CliError, match="Someone else changed the mode meanwhile: observe by arn:bob"):
        write(racing(dynamodb, OBSERVE), mode, clear=True)
    assert read_mode(dynamodb, TABLE).override.mode is OBSERVE


def test_a_race_without_end_is_given_up(dynamodb: Any) -> None:
    with pytest.raises(CliError, match="over and over"):
        write(racing(dynamodb, *[OBSERVE] * ATTEMPTS), OBSERVE)
