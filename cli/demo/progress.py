"""Prints what Pulumi's engine reports while it works: what it does to resources, and its messages."""

import re
from collections.abc import Generator
from contextlib import contextmanager, nullcontext

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import DiagnosticEvent, PolicyEvent, StepEventMetadata

from selfheal.cli.console import Output

SIGNS: dict[str, tuple[str, str]] = {
    OpType.CREATE: ("+", "green"),
    OpType.UPDATE: ("~", "yellow"),
    OpType.REPLACE: ("±", "magenta"),
    OpType.DELETE: ("-", "red"),
}
"""Sign and colour of an operation on a resource, as the Pulumi CLI has them. No other is printed."""

_COLOUR = re.compile(r"<\{%.*?%\}>")
"""How the engine marks colours in its messages."""


def short_type(token: str) -> str:
    """Shorten a type as the Pulumi CLI does: `aws:lambda/function:Function` is `aws:lambda:Function`."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return f"{package}:{module.partition('/')[0]}:{name}" if name else token


class Reporter:
    """Prints one operation; `hear` is the `on_event` of the Automation API."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.errors: list[str] = []
        """The engine's error messages, and the violations of mandatory policies."""
        self.changes: dict[str, int] = {}
        """By operation, the number of resources."""

    def hear(self, event: EngineEvent) -> None:
        """Print an event of the engine."""
        if event.res_outputs_event and not event.res_outputs_event.planning:
            self._step(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            self._step(event.res_op_failed_event.metadata, failed=True)
        elif event.diagnostic_event:
            self._diagnostic(event.diagnostic_event)
        elif event.policy_event:
            self._violation(event.policy_event)
        elif event.summary_event:
            changes = event.summary_event.resource_changes or {}
            self.changes = {str(getattr(op, "value", op)): number for op, number in changes.items()}

    def _step(self, step: StepEventMetadata, *, failed: bool = False) -> None:
        if step.op in SIGNS:
            sign, colour = SIGNS[step.op]
            text = f"{sign} {step.op.value:<8} {short_type(step.type):<34} {step.urn.rpartition('::')[2]}"
            differs = f"  [{', '.join(step.diffs)}]" if step.diffs else ""
            self._output.say(
                f"{text}{differs}{'  FAILED' if failed else ''}", style="bold red" if failed else colour
            )

    def _diagnostic(self, event: DiagnosticEvent) -> None:
        text = _COLOUR.sub("", event.message).strip()
        if not text or event.ephemeral:
            return
        if event.severity == "error":
            self.errors.append(text)
        elif event.severity in {"info", "info#err", "warning"}:
            self._output.say(text, style="yellow" if event.severity == "warning" else None)

    def _violation(self, event: PolicyEvent) -> None:
        text = f"{event.enforcement_level} {event.policy_name}: {_COLOUR.sub('', event.message).strip()}"
        if event.enforcement_level == "mandatory":
            self.errors.append(text)
        else:
            self._output.say(text, style="yellow")


@contextmanager
def reporting(output: Output, title: str) -> Generator[Reporter]:
    """Report on an operation; on a terminal its title is shown as long as it runs."""
    with output.people.status(title) if output.interactive else nullcontext():
        yield Reporter(output)
