"""`selfheal watch`: how a stack is now, again and again."""

import json
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from selfheal.cli.console import Output, remark
from selfheal.cli.errors import CliError, Terminated
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator.aws_access import AwsAccess, ClientSource, aws_access
from selfheal.cli.operator.find_ledger import ledger_name, require_ledger
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.stack_outputs import stack_outputs
from selfheal.cli.operator.watch_text import fit, lines, verdict
from selfheal.functions.status.picture import Picture
from selfheal.functions.status.read import read_picture
from selfheal.functions.status.sources import Sources

EPILOG = epilog(
    "selfheal watch                        until Ctrl-C",
    "selfheal watch --aws -s prod --every 10",
    "selfheal watch --once                 one picture, for a pipe or a ticket",
    "selfheal watch --json | jq -c '.circuits[] | {name, state}'",
    found="one picture only: not all is well, or known",
)

ANSWER_SECONDS = 5
"""How long a source may take. It is asked once: the next picture asks again."""

LATE_SECONDS = 8.0
"""How late a picture may be before it is said how old the one on the screen is."""

Once = Annotated[bool, typer.Option("--once", help="Print one picture, and end.")]
Every = Annotated[
    float,
    typer.Option(
        "--every", min=1, max=3600, metavar="SECONDS", help="How long to wait before the next picture."
    ),
]


def watch(*, once: Once = False, every: Every = 2, location: Location, output: Output) -> None:
    """Watch a stack: incidents, alarms, circuits, dead letters, queues, mode and budget.

    What needs somebody comes first. What cannot be read is said, and never taken for well. The stack's
    outputs name circuits, queues and dead letters; the rest is in the ledger.

    It only reads. Without a terminal it prints one picture. With --json it prints a document on a line for
    each picture, as GET /status/now of the orders service answers. Ctrl-C ends it, with exit code 0.
    """
    with _reading(location) as read:
        if output.json:
            _print_json(read, every, once=once)
        elif once or not output.interactive:
            picture = read()
            _print(output, picture, location.as_options())
            if not verdict(picture).is_well:
                raise typer.Exit(ExitCode.FOUND)
        else:
            show(output, read, every, location.as_options())


@contextmanager
def _reading(location: Location) -> Generator[Callable[[], Picture]]:
    """Find the sources, print where, and return what reads a picture of them."""
    with aws_access(location) as access:
        found = find_sources(location, access)
        remark(f"{access.description}, ledger {found.sources.ledger}.")
        clients: ClientSource = access.clients.patient(ANSWER_SECONDS)
        # Before the first picture only: a table that goes while people watch is said, and ends nothing.
        require_ledger(location, clients.get("dynamodb"), found.sources.ledger)

        def read() -> Picture:
            picture = read_picture(clients, found.sources, datetime.now(UTC))
            return replace(picture, problems=(*picture.problems, *found.problems))

        yield read


@dataclass(frozen=True)
class Found:
    """The sources of a stack's pictures, and what is wrong with them."""

    sources: Sources
    problems: tuple[str, ...] = ()


def find_sources(location: Location, access: AwsAccess) -> Found:
    """Return where a stack's pictures are read from: its outputs say it, and --ledger the ledger.

    Raises:
        CliError: when not even the ledger's name can be told, or the outputs are not as they should be.

    """
    outputs, problem = stack_outputs(access, location.folder, location.stack)
    if outputs is None:
        return _ledger_only(location, access, problem)
    try:
        sources = Sources.from_outputs(outputs)
    except ValueError as error:
        raise CliError(f"The outputs of stack {location.stack} cannot be used: {error}.") from error
    if location.ledger and location.ledger != sources.ledger:
        return _ledger_only(location, access, f"the stack {location.stack} has another ledger")
    if not sources.ledger:
        sources = replace(sources, ledger=ledger_name(location, access)[0])
    return Found(sources)


def _ledger_only(location: Location, access: AwsAccess, why: str) -> Found:
    table, _ = ledger_name(location, access)
    return Found(Sources(table), (f"circuits, queues and dead letters are not known: {why}",))


def _print(output: Output, picture: Picture, options: str) -> None:
    # In a pipe nothing is cut off.
    width = output.people.width if output.interactive else 10_000
    for line in lines(picture, width, options):
        output.people.print(line)


def _print_json(read: Callable[[], Picture], every: float, *, once: bool) -> None:
    picture = read()
    sys.stdout.write(_line(picture.to_json()))
    try:
        while not once:
            sys.stdout.flush()
            time.sleep(every)
            sys.stdout.write(_line(read().to_json()))
    except KeyboardInterrupt as signalled:
        _end(signalled)
    sys.stdout.flush()
    if once and not verdict(picture).is_well:
        raise typer.Exit(ExitCode.FOUND)


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def _end(signalled: KeyboardInterrupt) -> None:
    """Take Ctrl-C for the end that is meant, but not SIGTERM."""
    if isinstance(signalled, Terminated):
        raise signalled


@dataclass
class Shown:
    """What the terminal shows: the last picture, and how old it is if that matters."""

    output: Output
    options: str
    every: float
    picture: Picture | None = None
    read_at: float = 0.0

    def __call__(self) -> Group:
        """Return what to show now; called each second, also while the next picture is being read."""
        size = self.output.people.size
        if self.picture is None:
            return Group(Text("reading ..."))
        found = lines(self.picture, size.width, self.options)
        age = time.monotonic() - self.read_at
        if age > self.every + LATE_SECONDS:
            found.insert(0, Text(f" {age:.0f} s OLD: the next picture is late ", style="bold red reverse"))
        return Group(*fit(found, size.height - 1))


def show(output: Output, read: Callable[[], Picture], every: float, options: str) -> None:
    """Show pictures until Ctrl-C; the last one stays on the terminal."""
    screen = Shown(output, options, every)
    try:
        with Live(get_renderable=screen, console=output.people, refresh_per_second=1, screen=True) as live:
            while True:
                picture = read()
                screen.picture, screen.read_at = picture, time.monotonic()
                live.refresh()
                time.sleep(every)
    except KeyboardInterrupt as signalled:
        if screen.picture is not None:
            _print(output, screen.picture, options)
        _end(signalled)
