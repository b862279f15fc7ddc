"""`selfheal chaos list|run|stop|approve`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from selfheal.cli.chaos.approval import VALID_MINUTES, Approvals
from selfheal.cli.chaos.conclude import conclude
from selfheal.cli.chaos.experiment import carry_out
from selfheal.cli.chaos.experiment import stop as stop_run
from selfheal.cli.chaos.progress import Shown
from selfheal.cli.chaos.rules import (
    WHERE,
    check_place,
    digest_of,
    fault_text,
    percent_of,
    with_percent,
)
from selfheal.cli.chaos.stack import Stack, find_stack
from selfheal.cli.chaos.tokens import read_tokens
from selfheal.cli.console import Output, remark
from selfheal.cli.errors import CliError
from selfheal.cli.exits import epilog
from selfheal.cli.folders import writable
from selfheal.cli.operator.aws_access import aws_access
from selfheal.cli.operator.location import Location
from selfheal.cli.options import OptionalWhy
from selfheal.cli.project_files import project_folder
from selfheal.scenarios.scenario import Scenario, load, shipped

ABOUT = """
Break something on purpose, for a stated time, and see whether a hypothesis holds.

A scenario says what breaks, what must hold meanwhile, and when to stop. Whatever ends a run, also Ctrl-C,
undoes the fault first; one that was killed is undone by the next `run` or `stop`, and its fault ends by
itself.
"""
EPILOG = epilog(
    "selfheal chaos list",
    "selfheal chaos run third-party-out -s orders",
    "selfheal chaos stop --aws -s orders",
    found="see the command's own help",
)
LIST_EPILOG = epilog("selfheal chaos list", "selfheal chaos list --json | jq '.[].name'")
RUN_EPILOG = epilog(
    'SELFHEAL_TOKENS="$(pulumi config get callers -s orders)" selfheal chaos run third-party-out -s orders',
    "selfheal chaos run ours.yaml --tokens-file tokens.json --aws -s orders",
    "selfheal chaos run billing-fails --percent 5 --aws -s prod    approved before",
    found="the hypothesis does not hold",
)
STOP_EPILOG = epilog("selfheal chaos stop -s orders", "selfheal chaos stop --aws -s orders")
APPROVE_EPILOG = epilog(
    "selfheal chaos approve billing-fails --percent 5 --aws -s prod",
    "selfheal chaos approve billing-fails --percent 5 --aws -s prod --digest 0123456789abcdef -y",
)

Name = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="Name of a scenario that ships, or path of a file.")
]
Percent = Annotated[
    int | None,
    typer.Option(
        "--percent",
        min=1,
        max=100,
        help="Break only this share of the calls, where the fault has a size. In production at most 10.",
    ),
]
TokensFile = Annotated[
    Path | None,
    typer.Option(
        "--tokens-file",
        metavar="FILE",
        help="JSON object of callers and their tokens, in whose names orders are sent. Default: what "
        "SELFHEAL_TOKENS holds.",
    ),
]
Outputs = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        metavar="FILE",
        help="The stack's outputs, as `pulumi stack output --json` prints them. Default: Pulumi is asked.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FOLDER", help="Where the report goes. Default: out/chaos/[i]scenario[/i]."
    ),
]
Digest = Annotated[
    str | None,
    typer.Option("--digest", metavar="DIGEST", help="Approve this experiment only: what was looked at."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needs --digest.")]
Expires = Annotated[
    int, typer.Option("--expires", min=1, max=1440, metavar="MINUTES", help="How long it is valid.")
]


def list_scenarios(
    *, json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """List the scenarios that ship with the project, and where each can be run."""
    output, found = Output.make(json=json), shipped()
    if json:
        output.print_json([_scenario_json(each) for each in found])
        return
    table = Table("scenario", "breaks", "lasts", "where", box=None, pad_edge=False, header_style="dim")
    for each in found:
        cells = (each.name, fault_text(each.fault), f"{each.fault_seconds} s", WHERE[each.fault.kind])
        if not output.interactive:  # a pipe or a log: one line each, nothing cut off
            output.say("  ".join(cells))
        table.add_row(*cells)
    if output.interactive:
        output.people.print(table)


def _scenario_json(scenario: Scenario) -> dict[str, object]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "fault": fault_text(scenario.fault),
        "percent": percent_of(scenario.fault),
        "where": WHERE[scenario.fault.kind],
        "only_in_sandbox": scenario.only_in_sandbox,
        "seconds": {
            "before": scenario.before_seconds,
            "fault": scenario.fault_seconds,
            "after": scenario.after_seconds,
        },
        "hypothesis": [str(bound) for bound in scenario.hypothesis],
    }


def run(
    *,
    scenario: Name,
    percent: Percent = None,
    tokens_file: TokensFile = None,
    outputs: Outputs = None,
    out: Out = None,
    location: Location,
    output: Output,
) -> None:
    """Run a scenario: see the steady state, break, mend, and judge its hypothesis by what was seen.

    Sends real orders. Nothing is broken if the stack is not well before. A fault of the downstream is made by
    its switch, one of a function by AWS FIS, throttles and deaths of workers by the sandbox only. It writes
    report.html and report.json, and ends with 0 only if the hypothesis holds.

    Production is every stack without an output `sandbox` that is true. There at most 10 % of the calls may
    be broken, and somebody else has to approve it first: selfheal chaos approve.
    """
    wanted = with_percent(_load(scenario), percent)
    tokens = read_tokens(tokens_file)
    usual = (project_folder(location.folder) or location.folder) / "out" / "chaos" / wanted.name
    folder = writable(out or usual, "--out")
    with aws_access(location) as access:
        stack = _stack(find_stack(location, access, outputs))
        shown = Shown(output)
        shown.say(f"{wanted.name}: {wanted.title}", style="bold")
        shown.say(f"Breaks {fault_text(wanted.fault)}, for {wanted.fault_seconds} s.")
        with shown.shown():
            recording = carry_out(stack, wanted, tokens, shown)
    conclude(recording, folder, shown)


def stop(*, outputs: Outputs = None, location: Location, output: Output) -> None:
    """End the run that is under way, or undo what one left behind that was killed.

    Undoes what its record says, sees that it is gone, and waits until the run has ended.
    """
    with aws_access(location) as access:
        stack = _stack(find_stack(location, access, outputs))
        ended = stop_run(stack, output.say)
    output.say("Nothing is broken any more." if ended else "No run is under way, and none was left behind.")
    if output.json:
        output.print_json({"ended": ended})


def approve(
    *,
    scenario: Name,
    percent: Percent = None,
    digest: Digest = None,
    yes: Yes = False,
    expires: Expires = VALID_MINUTES,
    why: OptionalWhy = None,
    outputs: Outputs = None,
    location: Location,
    output: Output,
) -> None:
    """Let somebody else run exactly this scenario once, in a stack that is production.

    What is approved is a digest: the scenario's whole content, its percentage, and the stack. Your ARN is
    recorded, and it must not be that of whoever runs it. Who may approve is a question of IAM:
    dynamodb:PutItem on the ledger's item approval#chaos.
    """
    if yes and digest is None:
        raise typer.BadParameter(
            "without a question the experiment must be named: --digest DIGEST, which is shown without --yes.",
            param_hint="--yes",
        )
    if output.json and not yes:
        raise typer.BadParameter("with --json nothing can be asked: add --digest DIGEST and --yes.")
    wanted = with_percent(_load(scenario), percent)
    with aws_access(location) as access:
        stack = _stack(find_stack(location, access, outputs))
        if not stack.is_production:
            raise CliError(f"The stack {stack.name} is a sandbox: a run needs no approval there.")
        check_place(wanted, emulated=stack.is_emulated, production=True)
        stack.check_clock()  # when it expires is a time
        its_digest = digest_of(wanted, stack.name)
        if digest not in (None, its_digest):
            raise CliError(
                f"{wanted.name} with {percent_of(wanted.fault):g} % in {stack.name} has the digest "
                f"{its_digest}, not {digest}: it is another experiment by now. Look at it without --yes."
            )
        output.say(f"{wanted.name}: {wanted.title}", style="bold")
        for text in _approved_text(wanted, stack, its_digest):
            output.say(text)
        if not yes:
            typer.confirm(f"Approve exactly this, once, for {expires} minutes?", abort=True)
        approvals = Approvals(stack.dynamodb, stack.ledger)
        approval = approvals.give(its_digest, wanted.name, stack.caller(), why or "", expires)
        output.say(f"Approved by {approval.by} until {approval.until}.")
        if output.json:
            output.print_json(vars(approval) | {"scenario": wanted.name})


def _approved_text(scenario: Scenario, stack: Stack, digest: str) -> list[str]:
    stop_when = ", ".join(map(str, scenario.stop_when)) or "nothing"
    return [
        f"stack    {stack.name}, {stack.access.description}",
        f"breaks   {fault_text(scenario.fault)}, {percent_of(scenario.fault):.0f} % of the calls",
        f"lasts    {scenario.fault_seconds} s, after {scenario.before_seconds} s of steady state",
        f"sends    {scenario.traffic.per_second:g} orders a second",
        f"stops    at {stop_when}",
        f"digest   {digest}",
    ]


def _load(name: str) -> Scenario:
    try:
        return load(name)
    except (ValueError, OSError) as error:  # a ScenarioError, whose text is for people
        raise CliError(str(error)) from error


def _stack(stack: Stack) -> Stack:
    remark(f"{stack.access.description}, stack {stack.name}, ledger {stack.ledger}.")
    return stack


COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("list", list_scenarios, LIST_EPILOG),
    ("run", run, RUN_EPILOG),
    ("stop", stop, STOP_EPILOG),
    ("approve", approve, APPROVE_EPILOG),
)
"""The commands, each with the epilog of its help."""
