"""The timeline while it happens: a table that fills on a terminal, a line a moment elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from selfheal.cli.console import Output
from selfheal.cli.demo.model import MomentKey, Recording
from selfheal.cli.demo.timeline import TITLES, Moment, count, timeline

PLAIN_EVERY_SECONDS = 10.0
"""Between two lines of progress when nobody watches a terminal."""

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
    """Shows the story as it unfolds; a context manager.

    On a terminal it redraws itself by what `snapshot` returns; elsewhere `update` prints what is new.
    """

    def __init__(self, output: Output, snapshot: Callable[[], tuple[Recording, float]]) -> None:
        self._output = output
        self._snapshot = snapshot
        self._spinner = Spinner("dots")
        self._told: set[MomentKey] = set()
        self._last_line = time.monotonic()
        self._live = (
            Live(get_renderable=self._render, console=output.people, refresh_per_second=4)
            if output.interactive
            else None
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live:
            self._live.start()
        else:
            self._output.say("seconds since traffic began:")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last picture on the screen."""
        if self._live:
            self._live.stop()

    def update(self, *, final: bool = False) -> None:
        """Print the moments that are new, when there is no terminal.

        The last error is known to be the last only once the incident is recovered.
        """
        if self._live:
            return
        recording, now = self._snapshot()
        recovered = recording.incident is not None and not recording.incident.is_open
        for moment in timeline(recording):
            known = moment.key is not MomentKey.LAST_ERROR or recovered or final
            if moment.key not in self._told and known:
                self._told.add(moment.key)
                self._output.say(row(moment))
        if final or time.monotonic() - self._last_line >= PLAIN_EVERY_SECONDS:
            self._last_line = time.monotonic()
            self._output.say(f"           {status(recording, now)}")

    def _render(self) -> Group:
        recording, now = self._snapshot()
        moments = {moment.key: moment for moment in timeline(recording)}
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("seconds", justify="right", min_width=8)
        table.add_column("moment", min_width=22)
        table.add_column("what was seen", overflow="fold")
        for key, moment in moments.items():
            style = "green" if key in GOOD else "red" if key is not MomentKey.DEPLOYED else None
            table.add_row(f"{moment.seconds:.1f}", Text(moment.title, style=style or ""), Text(moment.detail))
        for key in MomentKey:
            if key not in moments:
                table.add_row("", Text(TITLES[key], style="dim"), "")
        self._spinner.update(text=Text(f" {status(recording, now)}"))
        return Group(table, Text(), self._spinner)
