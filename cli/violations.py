"""What policies found, for people and for scripts."""

from collections.abc import Sequence

from rich.table import Table

from cli.console import Output
from cli.progress import short_type
from sandbox.engine import urn as urns
from sandbox.engine.analyzer_api import Level, Violation


def show(output: Output, violations: Sequence[Violation]) -> None:
    """Print violations, mandatory ones last: nearest to the error that they caused."""
    if not violations:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for violation in sorted(violations, key=lambda item: (item.level, item.policy, item.urn)):
        colour = "bold red" if violation.level is Level.MANDATORY else "yellow"
        table.add_row(
            f"[{colour}]{violation.level.value}[/]", f"[bold]{violation.policy}[/]  {_about(violation)}"
        )
        table.add_row("", _plain(violation.message))
    output.people.print(table)
    output.say(count(violations), style="bold")


def count(violations: Sequence[Violation]) -> str:
    """Return one line that counts them."""
    mandatory = sum(item.level is Level.MANDATORY for item in violations)
    return f"policies: {mandatory} mandatory, {len(violations) - mandatory} advisory"


def _about(violation: Violation) -> str:
    if not violation.urn.startswith("urn:"):
        return ""
    type_ = urns.qualified_type(violation.urn).rpartition("$")[2]
    return _plain(f"{urns.name_of(violation.urn)} ({short_type(type_)})")


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
