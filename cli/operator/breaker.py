"""`selfheal breaker`: the circuits of a stack as they are now, and people's decisions about them."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from selfheal.cli.console import Output, remark
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator.answer import ask_why
from selfheal.cli.operator.aws_access import AwsAccess, aws_access
from selfheal.cli.operator.breaker_text import COLUMNS, circuit_json, circuit_lines, forced_text, row
from selfheal.cli.operator.find_circuits import Place, all_circuits, find_circuit
from selfheal.cli.operator.location import Location
from selfheal.cli.options import Why
from selfheal.functions.shared.breaker.circuit import FORCE_SECONDS, Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings

ABOUT = """
Look at circuits, and force them open or closed.

A circuit is one dependency. When most calls fail it opens for the whole fleet: calls are refused, consumers
are paused, and it is probed until it can be closed again.
"""
EPILOG = epilog(
    "selfheal breaker list                                        is any circuit open?",
    "selfheal breaker open payments --why 'the bank moves' --for 2h",
    "selfheal breaker release payments --aws -s prod",
    found="see the command's own help",
)
LIST_EPILOG = epilog(
    "selfheal breaker list",
    "selfheal breaker list --json --aws -s prod | jq '.[] | select(.at_rest | not)'",
    found="a circuit is not at rest, or forced",
)
SHOW_EPILOG = epilog(
    "selfheal breaker show payments",
    "selfheal breaker show payments --table payments-circuit-1a2b3c4 --aws",
)
OPEN_EPILOG = epilog(
    "selfheal breaker open payments --why 'the bank moves' --for 2h",
    "selfheal breaker open payments --why 'wrong charges' --aws -s prod",
)
CLOSE_EPILOG = epilog("selfheal breaker close payments --why 'its health route lies' --for 30m")
RELEASE_EPILOG = epilog(
    "selfheal breaker release payments", "selfheal breaker release payments --aws -s prod"
)

_UNITS = {"s": 1, "m": 60, "h": 3600}


def _duration(value: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([smh])", value)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= seconds <= FORCE_SECONDS:
        raise typer.BadParameter(
            f"say for how long, as 90s, 30m or 2h, up to {FORCE_SECONDS // 3600}h; got {value!r}."
        )
    return seconds


Name = Annotated[str, typer.Argument(metavar="CIRCUIT", help="Name of the circuit.")]
TableName = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="NAME",
        help="The circuit's table. Default: what the stack's output `circuits` says, an object from circuits "
        "to tables.",
    ),
]
For = Annotated[
    int,
    typer.Option("--for", parser=_duration, metavar="TIME", help="When it ends by itself: up to 24h."),
]


def list_circuits(*, location: Location, output: Output) -> None:
    """List the circuits of the stack.

    The stack's output `circuits` names them. A circuit is at rest when it is closed and its consumers run at
    full concurrency.
    """
    with aws_access(location) as access:
        remark(f"{access.description}.")
        found = [(each, each.read()) for each in all_circuits(location, access)]
    now = time.time()
    if output.json:
        output.print_json([circuit_json(place, circuit, now) for place, circuit in found])
    elif not found:
        output.say("The stack has no circuit.")
    else:
        _print_list(output, [(circuit, row(place, circuit, now)) for place, circuit in found])
    if any(not circuit.at_rest or circuit.forced_now(now) for _, circuit in found):
        raise typer.Exit(ExitCode.FOUND)


def show(*, circuit: Name, table: TableName = None, location: Location, output: Output) -> None:
    """Show everything about one circuit.

    Its state, what comes next, what people decided, its counts, and its outages: the times in which it was
    not at rest.
    """
    with aws_access(location) as access:
        place = _place(location, access, circuit, table)
        _print(place, place.read(), output)


def open_(
    *,
    circuit: Name,
    why: Why = None,
    seconds: For = "1h",  # pyright: ignore[reportArgumentType] - Typer parses it
    table: TableName = None,
    location: Location,
    output: Output,
) -> None:
    """Force a circuit open: nothing calls the dependency, and consumers are paused.

    When the time is over, or at `selfheal breaker release`, it is probed. The controller is woken by the
    write and pauses consumers within seconds; on AWS a mapping may take minutes to stop, in which messages
    are refused and go back. Queues keep what comes.
    """
    _force(_Decision(State.OPEN, ask_why(why, output), seconds), circuit, table, location, output)


def close(
    *,
    circuit: Name,
    why: Why = None,
    seconds: For = "1h",  # pyright: ignore[reportArgumentType] - the same
    table: TableName = None,
    location: Location,
    output: Output,
) -> None:
    """Force a circuit closed: calls are made, whatever becomes of them, and nothing opens it.

    One that was open begins with a slow start, as after successful probes.
    """
    _force(_Decision(State.CLOSED, ask_why(why, output), seconds), circuit, table, location, output)


def release(*, circuit: Name, table: TableName = None, location: Location, output: Output) -> None:
    """End what a person forced: the calls decide again.

    A circuit that was forced open is probed at once.
    """

    def released(found: Circuit) -> Circuit | None:
        return found.released(time.time()) if found.forced else None

    with aws_access(location) as access:
        place = _place(location, access, circuit, table)
        before = place.read()
        after = place.change(released)
        if after is None:
            output.say("Nothing is forced; nothing was written.")
        elif before.forced is not None:
            output.say(f"Released: {forced_text(before.forced)}")
        _print(place, after or before, output)


COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("list", list_circuits, LIST_EPILOG),
    ("show", show, SHOW_EPILOG),
    ("open", open_, OPEN_EPILOG),
    ("close", close, CLOSE_EPILOG),
    ("release", release, RELEASE_EPILOG),
)
"""The commands, each with the epilog of its help."""


@dataclass(frozen=True)
class _Decision:
    """What a person forces."""

    state: State
    why: str
    seconds: int


def _force(decision: _Decision, circuit: str, table: str | None, location: Location, output: Output) -> None:
    with aws_access(location) as access:
        place = _place(location, access, circuit, table)
        by = str(access.clients.get("sts").get_caller_identity()["Arn"])
        now = time.time()
        forced = Forced(decision.state, by, decision.why, now + decision.seconds)
        before = place.read().forced_now(now)
        # Of the settings only the first step of a slow start matters here, and the default is the least.
        after = place.change(lambda found: found.force(forced, now, BreakerSettings()))
        if before is not None:
            output.say(f"Replaced: {forced_text(before)}", style="yellow")
        if after is not None:
            _print(place, after, output)


def _place(location: Location, access: AwsAccess, circuit: str, table: str | None) -> Place:
    place = find_circuit(location, access, circuit, table)
    remark(f"{access.description}, table {place.table}.")
    return place


def _print(place: Place, circuit: Circuit, output: Output) -> None:
    if output.json:
        output.print_json(circuit_json(place, circuit, time.time()))
        return
    output.say(place.name, style="bold")
    for text in circuit_lines(place, circuit, time.time()):
        output.say(text)


def _print_list(output: Output, found: list[tuple[Circuit, tuple[str, ...]]]) -> None:
    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="dim")
    if not output.interactive:
        output.say("  ".join(COLUMNS))
    for circuit, cells in found:
        if not output.interactive:  # a pipe or a log: one line each, nothing cut off
            output.say("  ".join(cells))
        table.add_row(*(Text(cell) for cell in cells), style=None if circuit.at_rest else "bold yellow")
    if output.interactive:
        output.people.print(table)
