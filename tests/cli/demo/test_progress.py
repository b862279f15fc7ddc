"""What people see while the demonstration runs: plain lines without a terminal."""

from dataclasses import replace
from typing import Any

import pytest
from pulumi.automation import EngineEvent

from selfheal.cli.demo.live import LiveTimeline
from selfheal.cli.demo.live_view import line, live_view, status
from selfheal.cli.demo.model import Recording, Sample
from selfheal.cli.demo.progress import reporting, short_type
from selfheal.cli.demo.timeline import timeline
from selfheal.functions.healer.states import Reason, Status
from tests.cli.recordings import incident, recording
from tests.cli.support import Screen


def step(op: str, kind: str = "resOutputsEvent", *, planning: bool = False) -> dict[str, Any]:
    about = {"op": op, "urn": "urn:pulumi:dev::p::t::fragile", "type": "aws:lambda/function:Function"}
    about |= {"provider": "", "diffs": ["environment"] if op == "update" else None}
    return {kind: {"metadata": about, "planning": planning}}


def message(severity: str, text: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"message": text, "color": "", "severity": severity}}


def violation(level: str) -> dict[str, Any]:
    names = dict.fromkeys(("policyPackName", "policyPackVersion", "policyPackVersionTag", "color"), "")
    return {"policyEvent": names | {"message": "wide", "policyName": "narrow", "enforcementLevel": level}}


NAME = "aws:lambda:Function                fragile"


@pytest.mark.parametrize(
    ("event", "shown", "errors"),
    [
        (step("create"), f"+ create   {NAME}\n", []),
        (step("update"), f"~ update   {NAME}  [environment]\n", []),
        (step("delete", "resOpFailedEvent"), f"- delete   {NAME}  FAILED\n", []),
        (step("same"), "", []),
        (step("create", "resourcePreEvent"), "", []),
        (step("create", planning=True), "", []),
        (message("warning", "<{%fg 3%}>[red]x[/red] [<{%reset%}>\n"), "[red]x[/red] [\n", []),
        (message("debug", "noise"), "", []),
        (message("error", "kept for the end"), "", ["kept for the end"]),
        (violation("advisory"), "advisory narrow: wide\n", []),
        (violation("mandatory"), "", ["mandatory narrow: wide"]),
    ],
)
def test_an_event_is_one_line_or_none_and_errors_are_kept(
    event: dict[str, Any], shown: str, errors: list[str]
) -> None:
    """Colours of the engine are left out, and text is not taken for markup."""
    screen = Screen.make()
    with reporting(screen, "pulumi up") as reporter:
        reporter.hear(EngineEvent.from_json(event))
    assert (screen.text, reporter.errors) == (shown, errors)


def test_the_summary_counts() -> None:
    summary = {
        "maybeCorrupt": False,
        "durationSeconds": 3,
        "policyPacks": {},
        "resourceChanges": {"create": 41},
    }
    with reporting(Screen.make(), "pulumi up") as reporter:
        reporter.hear(EngineEvent.from_json({"summaryEvent": summary}))
    assert reporter.changes == {"create": 41}


def test_types_are_short_as_the_pulumi_cli_has_them() -> None:
    types = ("aws:lambda/function:Function", "selfheal:index:Healer", "odd")
    assert [*map(short_type, types)] == ["aws:lambda:Function", "selfheal:index:Healer", "odd"]


def test_the_status_line_counts_and_names_the_incident() -> None:
    made = recording(incident=incident(status=Status.VERIFYING, reason=Reason.COLLECTING_EVIDENCE))
    made = replace(made, samples=(Sample(1.0, 1.1, 502), Sample(26.0, 26.1, 502), Sample(29.0, 29.1, 200)))
    state = "incident VERIFYING (collecting-evidence)"
    assert status(made, 30.0) == f" 30 s, 3 requests, 2 errors, last 5 s: 50% errors, {state}"
    assert "no incident yet" in status(recording(incident=None), 1.0)


@pytest.mark.parametrize("ends", [True, False])
def test_each_moment_is_told_once_and_the_last_error_only_when_it_is_known(ends: bool) -> None:
    """At recovery, or at the end of a run that never recovers."""
    acting = recording(incident=incident(status=Status.VERIFYING, closed_at=None), restore=None)
    last = recording() if ends else acting
    states: list[Recording] = [replace(acting, samples=()), acting, acting]
    screen = Screen.make()
    live = LiveTimeline(screen, lambda: live_view(states[0] if states else last, 1.0))
    with live.shown():
        while states:
            live.update()
            assert "last error" not in screen.text
            states.pop(0)
        live.update(final=True)
        live.update(final=True)
    for moment in timeline(last):
        assert screen.text.count(str(line(moment)).rstrip()) == 1


def test_on_a_terminal_the_table_shows_what_is_still_to_come() -> None:
    terminal = Screen.make(force_terminal=True, color_system=None)
    half = recording(incident=None, alarm_changes=(), restore=None)
    with LiveTimeline(terminal, lambda: live_view(half, 12.0)).shown():
        pass
    for title in ("first error", "recovered by evidence", "baseline restored"):
        assert title in terminal.text
