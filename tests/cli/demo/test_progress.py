"""What people see while something runs: plain lines without a terminal."""

import io
from dataclasses import replace

import pytest
from pulumi.automation import EngineEvent
from rich.console import Console

from selfheal.cli.console import Output
from selfheal.cli.demo.live import LiveTimeline, row, status
from selfheal.cli.demo.model import Recording, Sample
from selfheal.cli.demo.progress import reporting, short_type
from selfheal.cli.demo.timeline import timeline
from selfheal.functions.healer.words import Reason, Status
from tests.support.recordings import incident, recording


@pytest.fixture
def screen() -> Output:
    return Output(json=False, people=Console(file=io.StringIO(), width=120, soft_wrap=True, highlight=False))


def text(screen: Output) -> str:
    assert isinstance(screen.people.file, io.StringIO)
    return screen.people.file.getvalue()


def step(op: str, *, failed: bool = False, begin: bool = False, planning: bool = False) -> EngineEvent:
    """An event of the engine's, as the Automation API parses it."""
    kind = "resOpFailedEvent" if failed else "resourcePreEvent" if begin else "resOutputsEvent"
    about = {"op": op, "urn": "urn:pulumi:dev::p::t::fragile", "type": "aws:lambda/function:Function"}
    about |= {"provider": "", "diffs": ["environment"] if op == "update" else None}
    return EngineEvent.from_json({kind: {"metadata": about, "planning": planning}})


def said(severity: str, message: str) -> EngineEvent:
    return EngineEvent.from_json({"diagnosticEvent": {"message": message, "color": "", "severity": severity}})


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (step("create"), "+ create   aws:lambda:Function                fragile\n"),
        (step("update"), "~ update   aws:lambda:Function                fragile  [environment]\n"),
        (step("delete", failed=True), "- delete   aws:lambda:Function                fragile  FAILED\n"),
        (step("same"), ""),
        (step("create", begin=True), ""),
        (step("create", planning=True), ""),
    ],
)
def test_an_event_is_one_line_or_none(screen: Output, event: EngineEvent, shown: str) -> None:
    with reporting(screen, "pulumi up") as reporter:
        reporter.hear(event)
    assert text(screen) == shown


def test_types_are_short_as_the_pulumi_cli_has_them() -> None:
    assert short_type("aws:lambda/function:Function") == "aws:lambda:Function"
    assert short_type("selfheal:index:Healer") == "selfheal:index:Healer"
    assert short_type("odd") == "odd"


def test_the_engines_colours_are_left_out_and_text_is_not_markup(screen: Output) -> None:
    with reporting(screen, "pulumi up") as reporter:
        reporter.hear(said("warning", "<{%fg 3%}>[red]x[/red] [<{%reset%}>\n"))
    assert text(screen) == "[red]x[/red] [\n"


def test_errors_and_what_a_policy_forbids_are_kept_for_the_end(screen: Output) -> None:
    judged = {"message": "too wide", "color": "", "policyName": "narrow", "policyPackName": "p"}
    judged |= {"policyPackVersion": "1", "policyPackVersionTag": "1"}
    with reporting(screen, "pulumi up") as reporter:
        reporter.hear(said("debug", "noise"))
        reporter.hear(said("error", "said at the end"))
        reporter.hear(EngineEvent.from_json({"policyEvent": judged | {"enforcementLevel": "mandatory"}}))
        assert text(screen) == ""
        reporter.hear(EngineEvent.from_json({"policyEvent": judged | {"enforcementLevel": "advisory"}}))
    assert text(screen) == "advisory narrow: too wide\n"
    assert reporter.errors == ["said at the end", "mandatory narrow: too wide"]


def test_the_summary_counts(screen: Output) -> None:
    summary = {"maybeCorrupt": False, "durationSeconds": 3, "policyPacks": {}}
    with reporting(screen, "pulumi up") as reporter:
        reporter.hear(EngineEvent.from_json({"summaryEvent": summary | {"resourceChanges": {"create": 41}}}))
    assert reporter.changes == {"create": 41}


def test_the_status_line_counts_and_names_the_incident() -> None:
    made = recording(incident=incident(status=Status.VERIFYING, reason=Reason.COLLECTING_EVIDENCE))
    made = replace(made, samples=(Sample(1.0, 1.1, 502), Sample(26.0, 26.1, 502), Sample(29.0, 29.1, 200)))
    told = status(made, 30.0)
    assert told == (
        " 30 s, 3 requests, 2 errors, last 5 s: 50% errors, incident VERIFYING (collecting-evidence)"
    )
    assert "no incident yet" in status(recording(incident=None), 1.0)


def test_each_moment_is_told_once_and_the_last_error_only_when_it_is_known(screen: Output) -> None:
    acting = recording(incident=incident(status=Status.VERIFYING, closed_at=None), restore=None)
    state: list[Recording] = [replace(acting, samples=()), acting, acting, recording()]
    live = LiveTimeline(screen, lambda: (state[0], 1.0))
    with live.shown():
        for _ in range(4):
            live.update()
            if len(state) > 1:
                assert "last error" not in text(screen)
                state.pop(0)
        live.update(final=True)
    told = text(screen)
    for moment in timeline(recording()):
        assert told.count(row(moment).rstrip()) == 1


def test_a_run_that_never_recovers_still_tells_its_last_error(screen: Output) -> None:
    stuck = recording(incident=incident(status=Status.ESCALATED, closed_at=None), restore=None)
    live = LiveTimeline(screen, lambda: (stuck, 140.0))
    with live.shown():
        live.update()
        live.update(final=True)
    assert text(screen).count("last error") == 1


def test_on_a_terminal_the_table_shows_what_is_still_to_come() -> None:
    terminal = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    half = recording(incident=None, alarm_changes=(), restore=None)
    with LiveTimeline(Output(json=False, people=terminal), lambda: (half, 12.0)).shown():
        pass
    assert isinstance(terminal.file, io.StringIO)
    shown = terminal.file.getvalue()
    for title in ("first error", "recovered by evidence", "baseline restored"):
        assert title in shown
