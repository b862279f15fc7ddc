"""What an operation of the engine tells while it runs: moving on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cli.console import Output
from sandbox.engine.events import Diagnostic, Event, Op, Severity, Status

SIGNS: dict[Op, tuple[str, str]] = {
    Op.CREATE: ("+", "green"),
    Op.UPDATE: ("~", "yellow"),
    Op.REPLACE: ("±", "magenta"),
    Op.DELETE: ("-", "red"),
    Op.REFRESH: ("≠", "yellow"),
}
"""Sign and colour of an operation, as the Pulumi CLI has them; REFRESH is shown only for drift."""


def short_type(token: str) -> str:
    """Shorten a type as the Pulumi CLI does: `aws:lambda/function:Function` is `aws:lambda:Function`."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return f"{package}:{module.partition('/')[0]}:{name}" if name else token


def line(event: Event) -> str | None:
    """Return what to print of an event; None for what changes nothing."""
    if event.status is Status.START or event.op not in SIGNS:
        return None
    if event.op is Op.REFRESH and event.status is Status.DONE and not event.changed:
        return None
    what = "drift" if event.op is Op.REFRESH else event.op.value
    changed = f"  [{', '.join(event.changed)}]" if event.changed else ""
    text = f"{SIGNS[event.op][0]} {what:<8} {short_type(event.type):<34} {event.name}{changed}"
    # What failed and why is the operation's error, printed once, at the end.
    return f"{text}  FAILED" if event.status is Status.FAILED else text.rstrip()


class Reporter:
    """Shows an operation's events; a context manager, and the callable that the engine gets."""

    def __init__(self, output: Output, title: str) -> None:
        self._output = output
        self._title = title
        self._running: dict[str, TaskID] = {}
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=output.people,
            transient=True,
            disable=not output.interactive,
        )

    def __enter__(self) -> Self:
        """Begin to show progress."""
        self._bar.start()
        self._running[""] = self._bar.add_task(self._title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.status is Status.START:
            if event.op is not Op.REFRESH:  # dozens of quick reads; only their findings are news
                text = f"{event.op.value} {short_type(event.type)} {event.name}"
                self._running[event.urn] = self._bar.add_task(text)
            return
        task = self._running.pop(event.urn, None)
        if task is not None:
            self._bar.remove_task(task)
        text = line(event)
        if text is not None:
            failed = event.status is Status.FAILED
            self._output.say(text, style="bold red" if failed else SIGNS[event.op][1])


def show_diagnostic(output: Output, diagnostic: Diagnostic) -> None:
    """Print what the program or the engine has to say; errors and violations are left to the end."""
    if diagnostic.violation is not None:
        return
    if diagnostic.severity in {Severity.INFO, Severity.WARNING} and diagnostic.message.strip():
        about = f"{diagnostic.urn.rpartition('::')[2]}: " if diagnostic.urn else ""
        style = "yellow" if diagnostic.severity is Severity.WARNING else None
        output.say(f"{diagnostic.severity.value}: {about}{diagnostic.message.rstrip()}", style=style)
