"""The timeline while it happens: a table that fills on a terminal, a line for each moment elsewhere."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from selfheal.cli.console import Output
from selfheal.cli.demo.model import MomentKey, Recording
from selfheal.cli.demo.timeline import TITLES, Moment, count, timeline

PLAIN_EVERY_SECONDS = 10.0
"""Between two lines of progress when it is no terminal."""

GOOD = {MomentKey.ACT, MomentKey.ALARM_OK, MomentKey.RECOVERED, MomentKey.BASELINE_RESTORED}
RECENT_SECONDS = 5.0


def status(recording: Recording, now: float) -> str:
    """Return one line on how it stands, for example `34 s, 340 requests, 61 errors, last 5 s: 0 %, ...`."""
    total = count(recording.samples)
    recent = count(sample for sample in recording.samples if sample.done > now - RECENT_SECONDS)
    incident = recording.incident
    state = f"incident {incident.status} ({incident.reason})" if incident else "no incident yet"
    return (
        f"{now:3.0f} s, {total.requests} requests, {total.errors} errors, "
        f"last {RECENT_SECONDS:g} s: {recent.rate:.0%} errors, {state}"
    )


def row(moment: Moment) -> str:
    """Return a moment as a line of text."""
    return f"{moment.seconds:7.1f} s  {moment.title:<22} {moment.detail}"


class LiveTimeline:
    """Shows the moments as they happen: on a terminal by itself, elsewhere at each `update`."""

    def __init__(self, output: Output, snapshot: Callable[[], tuple[Recording, float]]) -> None:
        self._output = output
        self._snapshot = snapshot
        self._spinner = Spinner("dots")
        self._printed: set[MomentKey] = set()
        self._last_line = time.monotonic()

    @contextmanager
    def shown(self) -> Generator[None]:
        """Show it; the last picture stays on the screen."""
        if self._output.interactive:
            with Live(get_renderable=self._table, console=self._output.people, refresh_per_second=4):
                yield
        else:
            self._output.say("seconds since traffic began:")
            yield

    def update(self, *, final: bool = False) -> None:
        """Print the moments that are new, if it is no terminal.

        Which error was the last is only known once the incident is recovered, or the run is over.
        """
        if self._output.interactive:
            return
        recording, now = self._snapshot()
        over = final or (recording.incident is not None and not recording.incident.is_open)
        for moment in timeline(recording):
            if moment.key not in self._printed and (over or moment.key is not MomentKey.LAST_ERROR):
                self._printed.add(moment.key)
                self._output.say(row(moment))
        if final or time.monotonic() - self._last_line >= PLAIN_EVERY_SECONDS:
            self._last_line = time.monotonic()
            self._output.say(f"           {status(recording, now)}")

    def _table(self) -> Group:
        recording, now = self._snapshot()
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("seconds", justify="right", min_width=8)
        table.add_column("moment", min_width=22)
        table.add_column("what was seen", overflow="fold")
        moments = timeline(recording)
        for moment in moments:
            bad = "" if moment.key is MomentKey.DEPLOYED else "red"
            style = "green" if moment.key in GOOD else bad
            table.add_row(f"{moment.seconds:.1f}", Text(moment.title, style=style), Text(moment.detail))
        for key in [key for key in MomentKey if key not in {moment.key for moment in moments}]:
            table.add_row("", Text(TITLES[key], style="dim"), "")
        self._spinner.update(text=Text(f" {status(recording, now)}"))
        return Group(table, Text(), self._spinner)
