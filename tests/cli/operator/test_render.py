"""An incident in words."""

from dataclasses import replace

import pytest

from selfheal.cli.operator.mode import without_effect
from selfheal.cli.operator.render import (
    change,
    destroy_lines,
    history_lines,
    incident_lines,
    next_steps,
    plan_lines,
    printable,
    row,
)
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Approval, Closure, Counted, Evidence, Guard, Hold, Plan
from selfheal.functions.healer.readings import ModeOverride
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import Mode
from tests.cli.support import (
    DIGEST,
    NOW,
    PLAN,
    STANDING,
    drifting,
    escalated,
    incident,
    item_of,
    ledger_of,
    proposed,
    verifying,
)

LIMIT = Plan("limit_concurrency", "", None, "1", "", "")
CHANGE = "environment:FAILURE_RATE 0.3 → 0"


def test_a_value_hides_nothing() -> None:
    given = ("0.3", None, "", " 0", "\x1b[2J", "a\u202eb")
    assert [*map(printable, given)] == ["0.3", "not set", "''", "' 0'", r"'\x1b[2J'", r"'a\u202eb'"]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            Plan("override", "RATE", None, "0", "c" * 44, "d" * 64, 600),
            ("fragile", "override", "RATE", "not set → 0", "c" * 12, "d" * 12, "under watch 600 s"),
        ),
        (PLAN, (f"plan            {DIGEST}",)),
        (LIMIT, ("of the function itself",)),
    ],
)
def test_all_that_is_approved_is_shown(plan: Plan, words: tuple[str, ...]) -> None:
    told = "\n".join(plan_lines(plan, "fragile"))
    assert [each for each in words if each not in told] == []


def test_a_change_in_words() -> None:
    assert (change(PLAN), change(LIMIT)) == (CHANGE, "limit_concurrency not set → 1")


@pytest.mark.parametrize(
    ("one", "drift", "cells"),
    [
        (incident(Status.OPEN), False, ("OPEN", "—")),
        (proposed(), False, ("PROPOSED", CHANGE)),
        (drifting(), True, ("RECOVERED, drift stands", CHANGE)),
    ],
)
def test_an_incident_as_a_row(one: Incident, drift: bool, cells: tuple[str, str]) -> None:
    shown = row(one, drift=drift)
    assert (shown[0], shown[1], shown[5]) == (one.id, "fragile", "mode-forbids-acting")
    assert (shown[2], shown[4]) == cells


COUNTS = (Counted("AWS/Lambda", 120, 2, "noon"),)


def test_everything_about_an_incident() -> None:
    one = escalated(
        guard=Guard(Reason.BUDGET_SPENT, limit=6, found=6, until="2026-11-22T00:00:00.000Z"),
        evidence=Evidence("x", 140, 3, "ill", probes=20, probe_errors=1, counts=COUNTS),
        tried=("environment:FAILURE_RATE",),
        approval=Approval("0" * 16, "arn:ann", "noon"),
        effect=Effect.REVERT,
        lease_until="2026-11-21T09:51:00.000Z",
    )
    told = "\n".join(incident_lines(one, NOW))
    for words in (
        "ESCALATED (mode-forbids-acting)",
        "budget-spent, limit 6, found 6, until 2026-11-22",
        "3 errors of 140 requests, 1 of 20 probes since x: ill",
        "AWS/Lambda: 2 of 120, complete until noon",
        "environment:FAILURE_RATE",
        "of 0000000000000000 by arn:ann at noon",
        "revert, lease until",
        "remedy-ineffective, since 2026-11-21T09:45:00.000Z, until it is released",
    ):
        assert words in told
    over = Hold(Reason.FLAPPING, "2026-11-21T08:00:00.000Z", "2026-11-21T09:00:00.000Z")
    assert "(over)" in "\n".join(incident_lines(incident(Status.OPEN, hold=over), NOW))


def test_who_closed_it_and_what_was_left_is_shown() -> None:
    closure = Closure("arn:ann", "2026-11-21T09:51:00.000Z", "retired", (STANDING,))
    told = "\n".join(incident_lines(incident(Status.CLOSED, closure=closure), NOW))
    assert "arn:ann: retired" in told
    assert f"{CHANGE} since {STANDING.since}" in told


def test_the_history_is_a_timeline() -> None:
    (line,) = history_lines(proposed().history)
    assert line.split() == ["2026-11-21T09:40:11.000Z", "OPEN", "→", "PROPOSED", "mode-forbids-acting"]


@pytest.mark.parametrize(
    ("one", "mode", "verbs"),
    [
        (proposed(), Mode.SUGGEST, ["approve", "incidents", "mode"]),
        (proposed(), Mode.OBSERVE, ["incidents"]),
        (verifying(), Mode.ACT, ["rollback", "incidents", "mode"]),
        (escalated(), Mode.ACT, ["rollback", "release", "incidents", "mode"]),
        (drifting(), Mode.ACT, ["restore", "accept"]),
        (incident(Status.RECOVERED), Mode.ACT, []),
    ],
)
def test_only_what_makes_sense_is_offered(one: Incident, mode: Mode, verbs: list[str]) -> None:
    steps = next_steps(one, ledger_of(one), mode, NOW, " --stack prod --aws")
    assert [step.command.split()[1] for step in steps] == verbs
    assert all(step.command.endswith(" --stack prod --aws") for step in steps)
    if verbs[:1] == ["approve"]:
        assert steps[0].command.startswith(f"selfheal approve {one.id} --plan {DIGEST}")


def test_before_all_is_destroyed_it_is_said_what_stays() -> None:
    one, well = verifying(), incident(Status.RECOVERED, "well")
    told = destroy_lines(ledger_of(one, drifting(target="shop"), well), " --aws")
    assert f"record of {one.id} is deleted" in told[0]
    assert f"selfheal rollback {one.id} --why TEXT --aws" in told[1]
    assert "On shop stands" in told[2]
    assert "selfheal restore shop --why TEXT --aws" in told[2]
    assert "would stay" in told[3]
    assert len(told) == 4
    gone = replace(ledger_of(one), targets=frozenset({"shop"}))
    assert "Undo it by hand: a deployment removed the target." in destroy_lines(gone)[1]
    assert destroy_lines(ledger_of(well)) == []
    assert "would stay" not in " ".join(destroy_lines(ledger_of(proposed())))
    (unknown,) = destroy_lines(ledger_of(item_of(one, schema=3)))
    assert "What stands on fragile is not known" in unknown


@pytest.mark.parametrize(
    ("baseline", "override", "words"),
    [
        (Mode.OBSERVE, Mode.ACT, "the mode in effect is observe"),
        (None, Mode.ACT, "least restrictive"),
        (Mode.ACT, Mode.OBSERVE, None),
        (Mode.ACT, None, None),
        (None, Mode.OBSERVE, None),
    ],
)
def test_an_override_that_makes_no_difference_is_said_to(
    baseline: Mode | None, override: Mode | None, words: str | None
) -> None:
    warning = without_effect(baseline, ModeOverride(1, override))
    assert warning is None if words is None else words in str(warning)
