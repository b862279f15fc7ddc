"""What people see while something runs: plain lines without a terminal."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from cli.console import Output
from cli.demo.live import LiveTimeline, row, status
from cli.demo.model import Recording, Sample
from cli.demo.timeline import timeline
from cli.progress import Reporter, line, short_type, show_diagnostic
from sandbox.engine.events import Diagnostic, Event, Op, Severity, Status
from tests.support.recordings import incident, recording


@pytest.fixture
def screen() -> Output:
    return Output(json=False, people=Console(file=io.StringIO(), width=120, soft_wrap=True, highlight=False))


def text(screen: Output) -> str:
    assert isinstance(screen.people.file, io.StringIO)
    return screen.people.file.getvalue()


def event(op: Op, status_: Status = Status.DONE, **more: Any) -> Event:
    return Event(op, "urn:x", "aws:lambda/function:Function", "fragile", status_, **more)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (event(Op.CREATE), "+ create   aws:lambda:Function                fragile"),
        (
            event(Op.UPDATE, changed=("environment",)),
            "~ update   aws:lambda:Function                fragile  [environment]",
        ),
        (
            event(Op.REFRESH, changed=("timeout",)),
            "≠ drift    aws:lambda:Function                fragile  [timeout]",
        ),
        (
            event(Op.DELETE, Status.FAILED, error="no"),
            "- delete   aws:lambda:Function                fragile  FAILED",
        ),
        (event(Op.REFRESH), None),
        (event(Op.SAME), None),
        (event(Op.CREATE, Status.START), None),
    ],
)
def test_an_event_is_one_line_or_none(made: Event, shown: str | None) -> None:
    assert line(made) == shown


def test_types_are_short_as_the_pulumi_cli_has_them() -> None:
    assert short_type("aws:lambda/function:Function") == "aws:lambda:Function"
    assert short_type("selfheal:index:Healer") == "selfheal:index:Healer"
    assert short_type("odd") == "odd"


def test_without_a_terminal_progress_is_plain_lines(screen: Output) -> None:
    with Reporter(screen, "up of dev") as reporter:
        reporter(event(Op.CREATE, Status.START))
        reporter(event(Op.CREATE))
        reporter(event(Op.SAME))
    assert text(screen) == "+ create   aws:lambda:Function                fragile\n"


def test_text_of_others_is_not_markup(screen: Output) -> None:
    show_diagnostic(screen, Diagnostic(Severity.WARNING, "[red]x[/red] [", "urn:pulumi:dev::p::t::name"))
    assert text(screen) == "warning: name: [red]x[/red] [\n"


def test_debugging_and_errors_are_not_shown_while_it_runs(screen: Output) -> None:
    show_diagnostic(screen, Diagnostic(Severity.DEBUG, "noise"))
    show_diagnostic(screen, Diagnostic(Severity.ERROR, "said at the end"))
    assert text(screen) == ""


def test_the_status_line_counts_and_names_the_incident() -> None:
    made = recording(incident=incident(status="VERIFYING", reason="collecting-evidence"))
    made = replace(made, samples=(Sample(1.0, 1.1, 502), Sample(26.0, 26.1, 502), Sample(29.0, 29.1, 200)))
    told = status(made, 30.0)
    assert told == (
        " 30 s, 3 requests, 2 errors, last 5 s: 50% errors, incident VERIFYING (collecting-evidence)"
    )
    assert "no incident yet" in status(recording(incident=None), 1.0)


def test_each_moment_is_told_once_and_the_last_error_only_when_it_is_known(screen: Output) -> None:
    acting = recording(incident=incident(status="VERIFYING", closed_at=None), restore=None)
    state: list[Recording] = [replace(acting, samples=()), acting, acting, recording()]
    with LiveTimeline(screen, lambda: (state[0], 1.0)) as live:
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
    stuck = recording(incident=incident(status="ESCALATED", closed_at=None), restore=None)
    with LiveTimeline(screen, lambda: (stuck, 140.0)) as live:
        live.update()
        live.update(final=True)
    assert text(screen).count("last error") == 1


def test_on_a_terminal_the_table_shows_what_is_still_to_come() -> None:
    terminal = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    half = recording(incident=None, alarm_changes=(), restore=None)
    with LiveTimeline(Output(json=False, people=terminal), lambda: (half, 12.0)):
        pass
    assert isinstance(terminal.file, io.StringIO)
    shown = terminal.file.getvalue()
    for title in ("first error", "recovered by evidence", "baseline restored"):
        assert title in shown
