"""The history is for people: it is cut, and neither metrics nor decisions hang on what is left of it."""

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfheal.functions.healer import incident as moves
from selfheal.functions.healer.incident import HISTORY, Incident
from selfheal.functions.healer.measure import measures
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.healer.target import Remedy
from selfheal.functions.shared.contract import Mode
from tests.functions.support.loop import Loop
from tests.functions.support.world import START, TARGET

ROUND = (Status.ACTING, Status.VERIFYING, Status.INEFFECTIVE, Status.OPEN)
HEALER = Path(moves.__file__).parent
KEEPERS = {"incident.py", "incident_fields.py", "items.py", "measure.py"}
"""Who holds, writes, stores and counts it. Who decides is not among them."""

EXPIRING = Remedy("environment", "FAILURE_RATE", "0", expires_after=120)


def of_weeks() -> Incident:
    """An incident that has been through more than its history keeps."""
    incident = Incident(
        "shop-1", "shop", "fast", "2026-11-21T09:40:00.000Z", Status.OPEN, Reason.ALARM_CONFIRMED, Mode.ACT
    )
    for _ in range(HISTORY // len(ROUND) + 1):
        incident = incident.moved(START, Reason.ALARM_CONFIRMED, *ROUND)
    assert (len(incident.history), incident.transitions) == (HISTORY, HISTORY + len(ROUND))
    return incident


def test_what_happens_is_measured_also_when_the_history_is_full() -> None:
    before = of_weeks()
    after = before.escalated(START, Reason.REMEDY_INEFFECTIVE)
    assert measures(before, after) == {"Escalated": 1}
    again = before.moved(START, Reason.REMEDY_INEFFECTIVE, *ROUND)
    assert measures(before, again) == {"Ineffective": 1}
    back = before.moved(START, Reason.REVERTED, Status.ACTING).moved(START, Reason.REVERTED, Status.OPEN)
    assert measures(before, back)["Reverted"] == 2
    assert measures(before, replace(before, version=before.version + 1)) == {}


def test_a_recovery_is_counted_once_however_long_the_incident_was() -> None:
    before = replace(of_weeks(), acts=1)
    after = before.moved(START, Reason.RECOVERED, Status.RECOVERED)
    assert measures(before, after)["Recovered"] == 1
    restored = after.moved(START, Reason.RESTORING, Status.ACTING, Status.VERIFYING, Status.RECOVERED)
    assert "Recovered" not in measures(after, restored)


def test_nothing_decides_by_the_history() -> None:
    readers = {
        path.name
        for path in HEALER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "history"
    }
    assert readers <= KEEPERS


def played(kept: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], list[tuple[Effect, object]]]:
    """Let a service fail, be healed, relapse as its remedy expires, and fail again; keep so many lines."""
    monkeypatch.setattr(moves, "HISTORY", kept)
    loop = Loop(replace(TARGET, remedies=(EXPIRING,)))
    begun = loop.now
    loop.cause = lambda: (
        loop.fails_by_variable() and (loop.now - begun) % timedelta(minutes=9) < timedelta(minutes=6)
    )
    decided: list[object] = []
    for _ in range(240):
        loop.elapse()
        decided.append(loop.step().reason)
    return decided, [(act.effect, act.at) for act in loop.acts]


def test_a_healer_that_forgets_its_history_decides_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, forgetful = played(HISTORY, monkeypatch), played(1, monkeypatch)
    assert forgetful == usual
    decided, acts = usual
    assert {Reason.EXPIRED, Reason.RELAPSED, Reason.RECOVERED} <= set(decided), set(decided)
    assert {effect for effect, _ in acts} == {Effect.APPLY, Effect.REVERT}
