"""mode: what the healer may do by itself, and the override that restricts it at once."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from selfheal.cli.console import Output
from selfheal.cli.exits import epilog
from selfheal.cli.operator.answer import nudge
from selfheal.cli.operator.asking import reason
from selfheal.cli.operator.find_ledger import Reach, reach
from selfheal.cli.operator.ledger import shown
from selfheal.cli.operator.location import Where
from selfheal.cli.operator.mode_override import (
    Change,
    Kept,
    certain,
    effective,
    in_effect,
    tightens,
    write_mode,
)
from selfheal.cli.operator.render import mode_lines
from selfheal.cli.options import Aws, Endpoint, HealerName, Json, LedgerName, Region, Stack, Why
from selfheal.functions.healer.observation import ModeOverride
from selfheal.functions.shared.contract import Mode

EPILOG = epilog(
    "selfheal mode                                   what may the healer do?",
    "selfheal mode observe --why 'migration'         stop all acting at once",
    "selfheal mode --clear --why 'all well'          back to the baseline",
    "selfheal mode suggest --clear --why 'all well'  from observe to suggest",
    "selfheal mode observe --why drill --aws -s prod",
)
Wanted = Annotated[
    Mode | None,
    typer.Argument(
        metavar="[MODE]", help="The override to set: observe, suggest or act.", show_default=False
    ),
]
Clear = Annotated[
    bool, typer.Option("--clear", help="Remove the override, or let MODE replace a more restrictive one.")
]


def mode(
    ctx: typer.Context,
    wanted: Wanted = None,
    *,
    clear: Clear = False,
    why: Why = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    region: Region = None,
    healer: HealerName = None,
    json: Json = False,
) -> None:
    """Show or override how much the healer may do by itself.

    [bold]observe[/bold]: record what it would do. [bold]suggest[/bold]: send the plan to people, and do it
    once one of them approved it. [bold]act[/bold]: do it.

    The baseline is the stack's configuration as it was deployed, and changes with `pulumi up`. The override
    is an item of the ledger, is honoured from the healer's next run on, and no deployment touches it. The
    more restrictive of the two is in effect, so an override can only tighten. What it restricts is given up
    by --clear alone. Who changed it, and why, is recorded.
    """
    output = Output.make(json=json)
    where = Where.make(ctx, stack, endpoint, aws=aws, ledger=ledger, region=region, healer=healer)
    writes = wanted is not None or clear
    if why is not None and not writes:
        raise typer.BadParameter("--why explains a change: name a mode, or --clear.", param_hint="--why")
    because = reason(why, output) if writes else ""
    with reach(where) as there:
        if writes:
            _write(there, wanted, because, output, clear=clear)
        else:
            kept, _ = there.mode()
            _show(there, kept, output)


def _write(there: Reach, wanted: Mode | None, why: str, output: Output, *, clear: bool) -> None:
    kept, _ = there.mode()
    if wanted is None and kept.override.mode is None:
        output.say("There is no override to clear; nothing was written.")
        _show(there, kept, output)
        return
    change = Change(wanted, there.caller(), why, clear=clear)
    kept = write_mode(there.dynamodb, there.table, change, datetime.now(UTC))
    # Woken so that a run under the new mode is not a minute away; what it finds is not for here.
    nudge(there, output)
    _show(there, kept, output)


def _show(there: Reach, kept: Kept, output: Output) -> None:
    if output.json:
        output.document(document(there.baseline, kept))
        return
    so = in_effect(there.baseline, kept.override)
    for text in mode_lines(there.baseline, there.baseline_from, in_words(kept.override), so):
        output.say(text)
    if (remark := caution(there.baseline, kept.override)) is not None:
        output.say(remark, style="yellow")


def in_words(override: ModeOverride) -> str:
    """Return an override for people: what, by whom, when and why."""
    if not override.version:
        return "none"
    what = override.mode or "none, cleared"
    return f"{what} by {shown(override.by)} at {override.at}: {shown(override.why)}"


def caution(baseline: Mode | None, override: ModeOverride) -> str | None:
    """Return what must be said of an override that makes no difference; None of any other."""
    if override.mode is None or tightens(baseline, override.mode):
        return None
    if baseline is None:
        return f"This override tightens nothing: {override.mode} is the least restrictive mode."
    return (
        f"This override does not tighten anything: the baseline is {baseline}, so the mode in effect is "
        f"{baseline}. It would count only if the baseline became less restrictive than {override.mode}."
    )


def document(baseline: Mode | None, kept: Kept) -> dict[str, Any]:
    """Return the mode as JSON; what depends on a baseline that is not known is null."""
    override = kept.override
    found = effective(baseline, override)
    standing = {"mode": override.mode, "by": override.by, "why": override.why, "at": override.at}
    return {
        "baseline": baseline,
        "override": standing if override.mode else None,
        "effective": found if certain(baseline, found) else None,
        "tightens": override.mode is not None and tightens(baseline, override.mode),
        "version": override.version,
        "history": [dict(line) for line in kept.history],
    }
