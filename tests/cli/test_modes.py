"""The mode: the more restrictive wins, only --clear gives up, and the kill switch never loses a race."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from selfheal.cli.errors import CliError
from selfheal.cli.operator import mode_override as modes
from selfheal.cli.operator.mode_override import (
    Change,
    Kept,
    changed,
    effective,
    in_effect,
    loosens,
    parse,
    read_mode,
    tightens,
    to_item,
    write_mode,
)
from selfheal.functions.healer.observation import ModeOverride
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, TABLE, client, create_table, stored

OBSERVE, SUGGEST, ACT = Mode
WHO = "arn:aws:iam::123456789012:user/ann"


def override(mode: Mode | None, version: int = 1) -> ModeOverride:
    return ModeOverride(version, mode, WHO, "drill", "2026-11-21T09:00:00.000Z")


@pytest.mark.parametrize("baseline", Mode)
@pytest.mark.parametrize("over", [None, *Mode])
def test_the_more_restrictive_of_the_two_is_in_effect(baseline: Mode, over: Mode | None) -> None:
    found = effective(baseline, override(over))
    order = [OBSERVE, SUGGEST, ACT]
    assert order.index(found) == min(order.index(mode) for mode in (baseline, over) if mode)


def test_an_override_that_is_not_tighter_makes_no_difference() -> None:
    assert tightens(ACT, SUGGEST)
    assert tightens(SUGGEST, OBSERVE)
    assert not tightens(OBSERVE, ACT)
    assert not tightens(SUGGEST, SUGGEST)


def test_a_baseline_that_is_not_known_counts_as_the_least_restrictive() -> None:
    assert tightens(None, OBSERVE)
    assert tightens(None, SUGGEST)
    assert not tightens(None, ACT)
    assert [effective(None, override(mode)) for mode in (None, SUGGEST, OBSERVE)] == [ACT, SUGGEST, OBSERVE]
    told = [in_effect(None, override(mode)) for mode in (None, SUGGEST, OBSERVE)]
    assert told == ["at most act", "at most suggest", "observe"]
    assert in_effect(SUGGEST, override(None)) == "suggest"


def test_what_loosens_an_override() -> None:
    assert loosens(override(OBSERVE), ACT)
    assert loosens(override(SUGGEST), None)
    assert not loosens(override(SUGGEST), SUGGEST)
    assert not loosens(override(SUGGEST), OBSERVE)
    assert not loosens(override(None), ACT)


def test_the_last_50_changes_are_kept() -> None:
    kept = Kept(ModeOverride(0))
    for number in range(60):
        kept = changed(kept, Change(OBSERVE, WHO, f"why {number}"), NOW)
    assert kept.override.version == 60
    assert [line["why"] for line in kept.history] == [f"why {number}" for number in range(10, 60)]


@pytest.mark.parametrize(
    "item",
    [
        {"schema": 3, "version": 1, "mode": "observe"},
        {"schema": 2, "version": 1, "mode": "off"},
        {"schema": 2, "mode": "observe"},
    ],
)
def test_an_item_of_another_version_is_not_guessed_at(item: dict[str, Any]) -> None:
    with pytest.raises(CliError, match="another version"):
        parse(item)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        create_table()
        yield client()


def write(dynamodb: Any, mode: Mode | None, *, clear: bool = False, why: str = "drill") -> Kept:
    return write_mode(dynamodb, TABLE, Change(mode, WHO, why, clear=clear), NOW)


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
    assert read_mode(dynamodb, TABLE).override.mode is None


def test_no_item_is_no_override(dynamodb: Any) -> None:
    assert read_mode(dynamodb, TABLE) == Kept(ModeOverride(0))


@pytest.mark.parametrize("mode", [SUGGEST, ACT, None])
def test_only_clear_gives_up_what_an_override_restricts(dynamodb: Any, mode: Mode | None) -> None:
    write(dynamodb, OBSERVE)
    with pytest.raises(CliError, match="only --clear does"):
        write(dynamodb, mode)
    assert read_mode(dynamodb, TABLE).override.mode is OBSERVE
    assert write(dynamodb, mode, clear=True).override.mode is mode


class Racing:
    """Somebody else's write comes between our read and our write, as often as told."""

    def __init__(self, real: Any, *theirs: Mode | None) -> None:
        self.real, self.theirs = real, list(theirs)

    def get_item(self, **request: Any) -> Any:
        return self.real.get_item(**request)

    def put_item(self, **request: Any) -> Any:
        if self.theirs:
            before = read_mode(self.real, TABLE)
            after = changed(before, Change(self.theirs.pop(0), "arn:bob", "his"), NOW)
            self.real.put_item(TableName=TABLE, Item=to_item(after))
        return self.real.put_item(**request)


def test_the_kill_switch_is_tried_again_and_keeps_the_others_history(dynamodb: Any) -> None:
    kept = write(Racing(dynamodb, ACT, SUGGEST), OBSERVE)
    assert (kept.override.mode, kept.override.version) == (OBSERVE, 3)
    assert [line["mode"] for line in kept.history] == ["act", "suggest", "observe"]


@pytest.mark.parametrize("mode", [ACT, None])
def test_what_someone_else_restricted_meanwhile_is_not_given_up_even_by_clear(
    dynamodb: Any, mode: Mode | None
) -> None:
    write(dynamodb, SUGGEST)
    with pytest.raises(CliError, match="Someone else changed the mode meanwhile: observe by arn:bob"):
        write(Racing(dynamodb, OBSERVE), mode, clear=True)
    assert read_mode(dynamodb, TABLE).override.mode is OBSERVE


def test_a_race_without_end_is_given_up(dynamodb: Any) -> None:
    theirs = [OBSERVE] * modes.ATTEMPTS
    with pytest.raises(CliError, match="over and over"):
        write(Racing(dynamodb, *theirs), OBSERVE)
