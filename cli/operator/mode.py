"""`selfheal mode`: what the healer may do by itself, and the override that restricts it at once."""

import difflib
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from selfheal.cli.console import Output
from selfheal.cli.exits import epilog
from selfheal.cli.operator.answer import ask_why, wake_healer
from selfheal.cli.operator.find_ledger import open_ledger
from selfheal.cli.operator.ledger import Ledger
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.mode_override import (
    Change,
    Stored,
    effective_mode,
    is_certain,
    mode_text,
    read_mode,
    read_stored,
    tightens,
    write_mode,
)
from selfheal.cli.operator.render import line, printable
from selfheal.cli.options import WhyOfChange
from selfheal.functions.healer.readings import ModeOverride
from selfheal.functions.shared.contract import Mode

EPILOG = epilog(
    "selfheal mode                                   what may the healer do?",
    "selfheal mode observe --why 'migration'         stop all acting at once",
    "selfheal mode --clear --why 'all well'          back to the baseline",
    "selfheal mode suggest --clear --why 'all well'  from observe to suggest",
    "selfheal mode observe --why drill --aws -s prod",
)


def _mode(value: str) -> Mode:
    if value in list(Mode):
        return Mode(value)
    close = difflib.get_close_matches(value, list(Mode), n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise typer.BadParameter(f"{value!r} is not one of {', '.join(Mode)}.{hint}")


Wanted = Annotated[
    Mode | None,
    typer.Argument(
        parser=_mode,
        metavar="[MODE]",
        help="The override to set: observe, suggest or act.",
        show_default=False,
    ),
]
Clear = Annotated[
    bool, typer.Option("--clear", help="Remove the override, or let MODE replace a more restrictive one.")
]


def mode(
    *,
    wanted: Wanted = None,
    clear: Clear = False,
    why: WhyOfChange = None,
    location: Location,
    output: Output,
) -> None:
    """Show or override how much the healer may do by itself.

    [bold]observe[/bold]: record what it would do. [bold]suggest[/bold]: send the plan to people, and execute
    it once one of them approved it. [bold]act[/bold]: execute it.

    The baseline is the stack's configuration as it was deployed, and changes with `pulumi up`. The override
    is an item of the ledger; it holds from the healer's next run on, and no deployment touches it. The more
    restrictive of the two is in effect, so an override can only tighten. Only --clear loosens an override,
    and one that is damaged counts as observe. Who changed it, and why, is recorded.
    """
    writes = wanted is not None or clear
    if why is not None and not writes:
        raise typer.BadParameter("--why explains a change: name a mode, or --clear.", param_hint="--why")
    reason = ask_why(why, output) if writes else ""
    with open_ledger(location) as ledger:
        # What is damaged can be written again, and otherwise is an error.
        read = read_stored if writes else read_mode
        stored = read(ledger.dynamodb, ledger.table)
        if wanted is None and clear and stored.override.mode is None:
            output.say("There is no override to clear; nothing was written.")
        elif writes:
            change = Change(wanted, ledger.caller(), reason, clear=clear)
            stored = write_mode(
                ledger.dynamodb, ledger.table, change, datetime.now(UTC), options=ledger.options
            )
            # So that the next run, under the new mode, is not a minute away.
            wake_healer(ledger, output)
        if output.json:
            output.print_json(_json(ledger.baseline, stored))
        else:
            _print(ledger, stored.override, output)


def _print(ledger: Ledger, override: ModeOverride, output: Output) -> None:
    text = "none"
    if override.version:
        what = override.mode or "none, cleared"
        text = f"{what} by {printable(override.by)} at {override.at}: {printable(override.why)}"
    output.say(line("baseline", f"{ledger.baseline or 'not known'} ({ledger.baseline_source})"))
    output.say(line("override", text))
    effective = mode_text(ledger.baseline, override)
    output.say(line("in effect", f"{effective}, the more restrictive of the two"))
    if warning := without_effect(ledger.baseline, override):
        output.say(warning, style="yellow")


def without_effect(baseline: Mode | None, override: ModeOverride) -> str | None:
    """Return a warning about an override that makes no difference; None for any other."""
    if override.mode is None or tightens(baseline, override.mode):
        return None
    if baseline is None:
        return f"This override tightens nothing: {override.mode} is the least restrictive mode."
    return (
        f"This override does not tighten anything: the baseline is {baseline}, so the mode in effect is "
        f"{baseline}. It would count only if the baseline became less restrictive than {override.mode}."
    )


def _json(baseline: Mode | None, stored: Stored) -> dict[str, Any]:
    """Return the mode as JSON; what depends on an unknown baseline is null."""
    override = stored.override
    effective = effective_mode(baseline, override)
    shown = {"mode": override.mode, "by": override.by, "why": override.why, "at": override.at}
    return {
        "baseline": baseline,
        "override": shown if override.mode else None,
        "effective": effective if is_certain(baseline, effective) else None,
        "tightens": override.mode is not None and tightens(baseline, override.mode),
        "version": override.version,
        "history": list(stored.history),
    }
