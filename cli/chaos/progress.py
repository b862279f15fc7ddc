"""How a run goes on: a line that is redrawn on a terminal, a line now and then elsewhere."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status

from selfheal.cli.chaos.measures import take
from selfheal.cli.chaos.recording import Phase, Recording
from selfheal.cli.console import Output

PLAIN_EVERY_SECONDS = 10.0
"""Between two lines when it is no terminal."""

TITLES = {
    Phase.BEFORE: "before: orders are sent, nothing is broken, at most",
    Phase.FAULT: "fault: it lasts at most",
    Phase.AFTER: "after: until all is settled, at most",
}


@dataclass
class Shown:
    """The progress of a run, as `selfheal.cli.chaos.run.Progress`."""

    output: Output
    _status: Status | None = None
    _phase: Phase = Phase.BEFORE
    _last: float = field(default=0.0, repr=False)

    @contextmanager
    def shown(self) -> Generator[None]:
        """Show it, on a terminal."""
        if not self.output.interactive:
            yield
            return
        console: Console = self.output.people
        with console.status("looking at the stack") as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None

    def phase(self, phase: Phase, seconds: float) -> None:
        """Begin a phase."""
        self._phase = phase
        self.say(f"{TITLES[phase]} {seconds:g} s", style="bold")

    def seen(self, recording: Recording) -> None:
        """Show how it stands."""
        if self._status is not None:
            self._status.update(line(self._phase, recording))
        elif recording.ended - self._last >= PLAIN_EVERY_SECONDS:
            self._last = recording.ended
            self.say(line(self._phase, recording))

    def say(self, text: str, *, style: str | None = None) -> None:
        """Print a line. One that nobody reads any more ends no run, and no undoing.

        That is a pipe that was closed, a terminal that is gone, or a disk that is full.
        """
        try:
            self.output.say(text, style=style)
        except (OSError, SystemExit):  # rich raises SystemExit for a closed pipe
            self._unheard()

    def _unheard(self) -> None:
        """Send what is said to nowhere: else what was not written fails again when the process ends."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.output.people.file.fileno())
            os.close(nowhere)


def line(phase: Phase, recording: Recording) -> str:
    """Return one line on how it stands."""
    accepted = recording.accepted
    settled = sum(recording.settled_at(put.key) is not None for put in accepted)
    states = {name: each.state for name, each in recording.looks[-1].circuits.items()}
    circuits = ", ".join(f"{name} {state}" for name, state in states.items()) or "no circuit"
    letters = take(recording, "new_letters").value
    came = "?" if letters is None else f"{letters:g}"
    return (
        f"{recording.ended:4.0f} s  {phase}: {len(recording.puts)} sent, {len(accepted)} accepted, "
        f"{len(accepted) - settled} waiting, {came} new letters, {circuits}"
    )
