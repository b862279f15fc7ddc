"""A run's moments while they happen: a table that fills on a terminal, a line for each of them elsewhere."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from selfheal.cli.console import Output

PLAIN_EVERY_SECONDS = 10.0
"""Between two lines of progress when it is no terminal."""


@dataclass(frozen=True)
class Line:
    """A moment that was seen."""

    title: str
    seconds: float
    """Since traffic began."""
    detail: str
    style: str = ""
    """Colour of its title."""
    certain: bool = True
    """Whether a later one cannot take its place, so that it can be printed for good."""

    def __str__(self) -> str:
        """Return it as a line of text."""
        return f"{self.seconds:7.1f} s  {self.title:<22} {self.detail}"


@dataclass(frozen=True)
class View:
    """How a run stands."""

    lines: Sequence[Line]
    ahead: Sequence[str]
    """Titles of what is still to come."""
    status: str
    """One line with figures."""


class LiveTimeline:
    """Shows the moments as they happen: on a terminal by itself, elsewhere at each `update`."""

    def __init__(self, output: Output, view: Callable[[], View]) -> None:
        self._output = output
        self._view = view
        self._spinner = Spinner("dots")
        self._printed: set[str] = set()
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
        """Print the moments that are new, if it is no terminal. At the end, all are certain."""
        if self._output.interactive:
            return
        view = self._view()
        for line in view.lines:
            if line.title not in self._printed and (final or line.certain):
                self._printed.add(line.title)
                self._output.say(str(line))
        if final or time.monotonic() - self._last_line >= PLAIN_EVERY_SECONDS:
            self._last_line = time.monotonic()
            self._output.say(f"           {view.status}")

    def _table(self) -> Group:
        view = self._view()
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("seconds", justify="right", min_width=8)
        table.add_column("moment", min_width=22)
        table.add_column("what was seen", overflow="fold")
        for line in view.lines:
            table.add_row(f"{line.seconds:.1f}", Text(line.title, style=line.style), Text(line.detail))
        for title in view.ahead:
            table.add_row("", Text(title, style="dim"), "")
        self._spinner.update(text=Text(f" {view.status}"))
        return Group(table, Text(), self._spinner)
