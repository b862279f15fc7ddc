"""The mode: the more restrictive wins, only --clear loosens, and the kill switch never loses a race."""

from functools import partial
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
from selfheal.functions.healer.items import UnreadableItemError
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.readings import ModeOverride
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, TABLE, Racing, client, serialized, stored

OBSERVE, SUGGEST, ACT = Mode
WHO = "arn:aws:iam::123456789012:user/ann"


def override(mode: Mode | None) -> ModeOverride:
    return ModeOverride(1, mode, WHO, "drill", "2026-11-21T09:00:00.000Z")


def test_the_more_restrictive_of_the_two_is_in_effect() -> None:
    """An unknown baseline counts as the least restrictive one."""
    for baseline in (None, *Mode):
        found = [effective_mode(baseline, override(over)) for over in (None, OBSERVE, SUGGEST, ACT)]
        top = baseline or ACT
        assert found == [top, OBSERVE, min(SUGGEST, top, key=list(Mode).index), top]
    texts = [mode_text(None, override(mode)) for mode in (None, *Mode)]
    assert texts == ["at most act", "observe", "at most suggest", "at most act"]
    assert mode_text(SUGGEST, override(None)) == "suggest"


def test_what_tightens_a_baseline_and_what_loosens_an_override() -> None:
    tighter = [(baseline, mode) for baseline in (None, *Mode) for mode in Mode if tightens(baseline, mode)]
    assert tighter == [
        *((None, OBSERVE), (None, SUGGEST)),
        *((SUGGEST, OBSERVE), (ACT, OBSERVE), (ACT, SUGGEST)),
    ]
    looser = [
        (over, mode) for over in (None, *Mode) for mode in (None, *Mode) if loosens(override(over), mode)
    ]
    assert looser == [
        *((OBSERVE, None), (OBSERVE, SUGGEST), (OBSERVE, ACT)),
        *((SUGGEST, None), (SUGGEST, ACT), (ACT, None)),
    ]


def test_the_last_50_changes_are_kept() -> None:
    kept = Stored(ModeOverride(0))
    for number in range(60):
        kept = changed(kept, Change(OBSERVE, WHO, f"why {number}"), NOW)
    assert kept.override.version == 60
    assert [line["why"] for line in kept.history] == [f"why {number}" for number in range(10, 60)]


def write(
    dynamodb: Any, mode: Mode | None, *, by: str = WHO, clear: bool = False, why: str = "drill"
) -> Stored:
    return write_mode(dynamodb, TABLE, Change(mode, by, why, clear=clear), NOW)


def damage(dynamodb: Any, **fields: Any) -> None:
    item = {"pk": "mode", "sk": "override", "schema": 2, "version": 7, "mode": "act"}
    item |= {"by": WHO, "why": "", "at": "", "history": [{"mode": "act"}]} | fields
    kept = {name: value for name, value in item.items() if value is not None}
    dynamodb.put_item(TableName=TABLE, Item=serialized(kept))


def test_an_item_of_a_later_version_is_neither_guessed_at_nor_overwritten(dynamodb: Any) -> None:
    damage(dynamodb, schema=3)
    for attempt in (partial(read_mode, dynamodb, TABLE), partial(write, dynamodb, OBSERVE)):
        with pytest.raises(CliError, match=r"another version \(schema 3\)"):
            attempt()
    assert stored("mode", "override")["version"] == 7


DAMAGED: list[dict[str, Any]] = [
    {"mode": "off"},
    {"mode": 3},
    {"version": None},
    {"version": "many"},
    {"by": None},
    {"schema": "two"},
    {"version": None, "history": "none"},
]


@pytest.mark.parametrize("fields", DAMAGED)
def test_a_damaged_item_counts_as_observe_until_a_person_writes_it_again(
    dynamodb: Any, fields: dict[str, Any]
) -> None:
    healers = Ledger(dynamodb, TABLE)
    damage(dynamodb, **fields)
    with pytest.raises(CliError, match=r"is damaged: .*the healer only observes. Write it: `selfheal mode"):
        read_mode(dynamodb, TABLE)
    for mode in (SUGGEST, ACT, None):
        with pytest.raises(CliError, match=r"damaged, which counts as observe .*only --clear does"):
            write(dynamodb, mode)
    with pytest.raises(UnreadableItemError):
        healers.read_mode()
    for mode in (OBSERVE, SUGGEST, None):
        damage(dynamodb, **fields)
        after = write(dynamodb, mode, clear=mode is not OBSERVE)
        assert after.override.version == int(NOW.timestamp())
        assert [line["mode"] for line in after.history][-1] == str(mode or "cleared")
        assert len(after.history) == (1 if fields.get("history") else 2)
        assert healers.read_mode() == read_mode(dynamodb, TABLE).override == after.override


@pytest.mark.parametrize("fields", DAMAGED)
def test_who_repairs_it_at_the_same_moment_is_not_overruled(dynamodb: Any, fields: dict[str, Any]) -> None:
    damage(dynamodb, **fields)
    with pytest.raises(CliError, match="Someone else changed the mode meanwhile: observe by arn:bob"):
        write(racing(dynamodb, OBSERVE), ACT, clear=True)
    damage(dynamodb, **fields)
    kept = write(racing(dynamodb, ACT), OBSERVE)
    assert [line["mode"] for line in kept.history][-2:] == ["act", "observe"]
    assert kept.override.version == int(NOW.timestamp()) + 1


def test_the_item_is_as_the_contract_has_it(dynamodb: Any) -> None:
    assert read_mode(dynamodb, TABLE) == Stored(ModeOverride(0))
    write(dynamodb, OBSERVE)
    write(dynamodb, None, clear=True, why="over")
    at = "2026-11-21T09:50:00.000Z"
    last = {"at": at, "by": WHO, "why": "over"}
    history = [last | {"why": "drill", "mode": "observe"}, last | {"mode": "cleared"}]
    key = {"pk": "mode", "sk": "override"}
    assert stored("mode", "override") == key | last | {"schema": 2, "version": 2, "history": history}
    assert read_mode(dynamodb, TABLE).override == ModeOverride(2, None, WHO, "over", at)


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
    change, contested = Change(OBSERVE, WHO, "drill"), racing(dynamodb, *[OBSERVE] * ATTEMPTS)
    with pytest.raises(CliError, match=r"over and over.*: selfheal mode --stack orders$"):
        write_mode(contested, TABLE, change, NOW, options=" --stack orders")
