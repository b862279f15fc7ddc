"""What Pulumi's engine tells while it works: moving on a terminal, plain lines elsewhere."""

import re
from types import TracebackType
from typing import Self

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import DiagnosticEvent, PolicyEvent, StepEventMetadata
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from selfheal.cli.console import Output

SIGNS: dict[str, tuple[str, str]] = {
    OpType.CREATE: ("+", "green"),
    OpType.UPDATE: ("~", "yellow"),
    OpType.REPLACE: ("±", "magenta"),
    OpType.DELETE: ("-", "red"),
}
"""Sign and colour of what is done to a resource, as the Pulumi CLI has them. Nothing else is shown."""

_COLOUR = re.compile(r"<\{%.*?%\}>")
"""How the engine marks colours in its messages."""


def short_type(token: str) -> str:
    """Shorten a type as the Pulumi CLI does: `aws:lambda/function:Function` is `aws:lambda:Function`."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return f"{package}:{module.partition('/')[0]}:{name}" if name else token


def line(step: StepEventMetadata, *, failed: bool = False) -> str:
    """Return what to print of a step of SIGNS: sign, operation, type, name, what differs."""
    differs = f"  [{', '.join(step.diffs)}]" if step.diffs else ""
    text = f"{SIGNS[step.op][0]} {step.op.value:<8} {short_type(step.type):<34} {_name(step)}{differs}"
    return f"{text}  FAILED" if failed else text


def plain(message: str) -> str:
    """Return an engine's message without its marks of colour."""
    return _COLOUR.sub("", message).strip()


class Reporter:
    """Shows one operation; a context manager whose `hear` is the `on_event` of the Automation API."""

    def __init__(self, output: Output, title: str) -> None:
        self._output = output
        self._title = title
        self._running: dict[str, TaskID] = {}
        self.errors: list[str] = []
        """What went wrong, in the engine's and the policies' words."""
        self.changes: dict[str, int] = {}
        """By operation, how many resources were, or at preview would be, treated so."""
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
        self._bar.add_task(self._title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._bar.stop()

    def hear(self, event: EngineEvent) -> None:
        """Show one event of the engine."""
        if event.resource_pre_event and not event.resource_pre_event.planning:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event and not event.res_outputs_event.planning:
            self._end(event.res_outputs_event.metadata, failed=False)
        elif event.res_op_failed_event:
            self._end(event.res_op_failed_event.metadata, failed=True)
        elif event.diagnostic_event:
            self._diagnose(event.diagnostic_event)
        elif event.policy_event:
            self._judged(event.policy_event)
        elif event.summary_event:
            changes = event.summary_event.resource_changes or {}
            self.changes = {str(getattr(op, "value", op)): number for op, number in changes.items()}

    def _begin(self, step: StepEventMetadata) -> None:
        if step.op in SIGNS:
            text = f"{step.op.value} {short_type(step.type)} {_name(step)}"
            self._running[step.urn] = self._bar.add_task(text)

    def _end(self, step: StepEventMetadata, *, failed: bool) -> None:
        task = self._running.pop(step.urn, None)
        if task is not None:
            self._bar.remove_task(task)
        if step.op in SIGNS:
            self._output.say(line(step, failed=failed), style="bold red" if failed else SIGNS[step.op][1])

    def _diagnose(self, event: DiagnosticEvent) -> None:
        text = plain(event.message)
        if not text or event.ephemeral:
            return
        if event.severity == "error":
            self.errors.append(text)
        elif event.severity in {"info", "info#err", "warning"}:
            self._output.say(text, style="yellow" if event.severity == "warning" else None)

    def _judged(self, event: PolicyEvent) -> None:
        text = f"{event.enforcement_level} {event.policy_name}: {plain(event.message)}"
        if event.enforcement_level == "mandatory":
            self.errors.append(text)
        else:
            self._output.say(text, style="yellow")


def _name(step: StepEventMetadata) -> str:
    return step.urn.rpartition("::")[2]
