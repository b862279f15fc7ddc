"""Reading the ledger: each incident once, open ones first, and one that cannot be read hides no other."""

from dataclasses import replace
from typing import Any

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.operator.ledger import (
    Unreadable,
    incident_json,
    parse_incidents,
    read_incident,
    read_incidents,
)
from selfheal.cli.operator.render import row
from selfheal.functions.healer.states import Reason, Status
from tests.cli.support import (
    DIGEST,
    TABLE,
    drifting,
    incident,
    item_of,
    ledger_of,
    proposed,
    put,
    serialized,
    verifying,
)


def test_open_ones_come_first_then_the_newest() -> None:
    made = [
        incident(Status.RECOVERED, "a", opened_at="2026-01-03"),
        incident(Status.ESCALATED, "b", opened_at="2026-01-01"),
        incident(Status.RECOVERED, "a", id="a-old", opened_at="2026-01-02"),
        incident(Status.VERIFYING, "c", opened_at="2026-01-02"),
    ]
    assert [(one.target, one.opened_at, one.is_open) for one in ledger_of(*made).found] == [
        ("c", "2026-01-02", True),
        ("b", "2026-01-01", True),
        ("a", "2026-01-03", False),
        ("a", "2026-01-02", False),
    ]


def test_an_archived_copy_is_the_same_incident() -> None:
    current, copy = drifting(version=5), drifting(version=4)
    items = [item_of(current), item_of(copy, archived=True, expires_at=1)]
    for order in (items, items[::-1]):
        # Items that are no incidents are left out.
        fleet = serialized({"pk": "fleet", "sk": "open", "targets": ["a"]})
        assert parse_incidents([fleet, *order]).found == (current,)
    assert parse_incidents(items[1:]).found == (copy,)


def test_an_incident_as_json_has_the_fields_of_its_item() -> None:
    one, told = proposed(), incident_json(proposed())
    assert set(told) | {"pk", "sk"} == set(item_of(one))
    assert (told["schema"], told["plan_digest"], told["status"]) == (2, DIGEST, "PROPOSED")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"schema": 3}, r"newer healer \(schema 3\); this selfheal knows up to 2"),
        ({"reason": "of-tomorrow"}, "cannot be read.*of-tomorrow"),
        ({"later_field": "x"}, "cannot be read.*later_field"),
    ],
)
def test_one_that_cannot_be_read_is_named_and_hides_no_other(fields: dict[str, Any], problem: str) -> None:
    odd, other = drifting(), verifying(target="shop")
    incidents = ledger_of(other, item_of(odd, **fields))
    assert incidents.readable == [other]
    assert [(each.id, each.is_open) for each in incidents.found] == [(other.id, True), (odd.id, True)]
    for name in (odd.id, odd.target):
        with pytest.raises(CliError, match=f"{odd.id}.*{problem}.*Use the selfheal that is deployed"):
            incidents.find(name)
    (unreadable,) = (each for each in incidents.found if isinstance(each, Unreadable))
    assert row(unreadable)[:3] == (odd.id, "fragile", "RECOVERED")


def test_an_item_that_says_nothing_is_still_its_targets_current_incident() -> None:
    bare = serialized({"pk": "target#fragile", "sk": "incident"})
    incidents = ledger_of(bare, item_of(drifting(), archived=True))
    current = incidents.current("fragile")
    assert isinstance(current, Unreadable)
    assert (current.id, current.status, current.is_open) == ("fragile@unknown", "unknown", True)
    assert incidents.drifting == []
    (archived,) = parse_incidents([item_of(drifting(), archived=True, schema=3)]).found
    assert not archived.is_open


def test_the_newest_incident_of_a_target_is_its_current_one_which_its_name_finds() -> None:
    old = drifting(id="fragile-old", opened_at="2026-11-20T00:00:00.000Z")
    new = verifying()
    assert ledger_of(old, new).current("fragile") == ledger_of(old, new).find("fragile") == new
    assert ledger_of(old, new).find("fragile-old") == old
    assert ledger_of(old, new).drifting == []
    assert ledger_of(old).drifting == [old]
    assert ledger_of(old, drifting(target="other")).drifting == [drifting(target="other"), old]


@pytest.mark.parametrize(
    ("made", "wanted", "words"),
    [
        ([verifying()], "fragil", r"no target 'fragil' in the ledger\. Did you mean fragile"),
        ([verifying()], "zzz", "`selfheal incidents` lists them"),
        ([], "fragile", "which has none"),
    ],
)
def test_an_unknown_one_names_what_comes_close(made: list[Any], wanted: str, words: str) -> None:
    with pytest.raises(CliError, match=words):
        ledger_of(*made).find(wanted)


def test_a_target_without_an_incident_is_known_and_named_where_it_comes_close() -> None:
    incidents = replace(ledger_of(verifying()), targets=frozenset({"fragile", "shop"}))
    with pytest.raises(CliError, match="shop is a target of the healer and has no incident"):
        incidents.find("shop")
    with pytest.raises(CliError, match="Did you mean shop"):
        incidents.find("shopp")


def test_all_pages_of_the_table_are_read(dynamodb: Any) -> None:
    for number in range(30):
        # A page of a scan ends at 1 MB: 30 items of 100 kB need several.
        put(incident(Status.OPEN, f"t{number}", token="x" * 100_000))
    assert len(read_incidents(dynamodb, TABLE).readable) == 30


def test_one_is_read_again_wherever_it_is_by_now(dynamodb: Any) -> None:
    known = verifying()
    assert read_incident(dynamodb, TABLE, known) == known
    closed = replace(known, status=Status.RECOVERED, reason=Reason.RECOVERED)
    put(closed)
    assert read_incident(dynamodb, TABLE, known) == closed
    put(closed, archived=True)
    put(proposed(id="fragile-next"))
    assert read_incident(dynamodb, TABLE, known) == closed
    put(closed, schema=3)
    with pytest.raises(CliError, match="newer healer"):
        read_incident(dynamodb, TABLE, known)
