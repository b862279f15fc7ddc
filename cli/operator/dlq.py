"""`selfheal dlq`: look at dead letters, and send them back to where they failed."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator.delivery import Deliveries, NoAddressError
from selfheal.cli.operator.dlq_text import (
    SHORT,
    Report,
    Seen,
    letter_json,
    letter_lines,
    letters_text,
    outcome_text,
    print_report,
    print_seen,
    seen_json,
)
from selfheal.cli.operator.find_places import Named, open_place, open_places
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.places import Place
from selfheal.cli.operator.redrive import Fate, Outcome, Pace, Redrive, Wish
from selfheal.cli.operator.render import printable

ABOUT = """
Dead letters: look at them, and send them back to where they failed.

A letter is a message in a dead-letter queue, or an object in the bucket for the failures of a stream. The
places of a stack are in its output `deadLetters`, by name; any other is named with --queue or --bucket.
"""

SAMPLE = 100
"""Letters of a place that are read by default, for their reasons."""

EPILOG = epilog(
    "selfheal dlq list                          is anything dead, and why?",
    "selfheal dlq show fulfilment               what exactly?",
    "selfheal dlq redrive fulfilment            mended: send them back",
    found="see the command's own help",
)
LIST_EPILOG = epilog(
    "selfheal dlq list                        is anything dead, and why?",
    "selfheal dlq list --aws -s prod --json | jq '.[].reasons'",
    "selfheal dlq list --look 0               counts only; receives nothing",
    "selfheal dlq list --queue orders-dlq     of no stack",
    found="there are letters",
)
SHOW_EPILOG = epilog(
    "selfheal dlq show fulfilment",
    "selfheal dlq show fulfilment --limit 1 --full",
    "selfheal dlq show --bucket analytics-failures --aws --json | jq '.[].reason'",
)
REDRIVE_EPILOG = epilog(
    "selfheal dlq redrive fulfilment --dry-run          where would each go?",
    "selfheal dlq redrive fulfilment --limit 1          try one",
    "selfheal dlq redrive fulfilment --rate 2 -y        all, two a second",
    "selfheal dlq redrive fulfilment -y --wait 60       ... and did any come back?",
    "selfheal dlq redrive --queue orders-dlq --only ID --to orders --aws",
    found="letters were left, came back, or were not found",
)

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="Name in the stack's output deadLetters. Default: the only one.",
        show_default=False,
    ),
]
Queue = Annotated[
    str | None, typer.Option("--queue", metavar="URL_OR_NAME", help="A dead-letter queue: URL, ARN or name.")
]
Bucket = Annotated[
    str | None,
    typer.Option("--bucket", metavar="NAME", help="A bucket for failures, or s3://BUCKET/PREFIX."),
]
Look = Annotated[
    int,
    typer.Option(
        "--look", min=0, max=1000, metavar="N", help="Letters of each place that are read, for their reasons."
    ),
]
ShowLimit = Annotated[
    int, typer.Option("--limit", min=1, max=1000, metavar="N", help="Letters shown at most.")
]
Full = Annotated[bool, typer.Option("--full", help=f"Show whole bodies. Default: {SHORT} characters.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="ID", help="Only the letter with this id; may be repeated."),
]
Rate = Annotated[
    float, typer.Option("--rate", min=0.01, max=300, metavar="N", help="Letters sent a second at most.")
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="Letters sent at most, those that fail again included."),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="TARGET",
        help="Send them there instead: ARN of a queue or function, or a queue's name.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing; say where each would go.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
WaitToLook = Annotated[
    float,
    typer.Option(
        "--wait", min=0, max=3600, metavar="SECONDS", help="How long to wait before looking what came back."
    ),
]


def list_places(
    *, queue: Queue = None, bucket: Bucket = None, look: Look = SAMPLE, location: Location, output: Output
) -> None:
    """List every place of dead letters: how many, how old, and why.

    The counts are attributes of the queue, and approximate. The reasons, and the age of the oldest, are read
    from the first --look letters. SQS has no other way to read than to receive: so these letters are hidden
    for a moment, given back at once, and their count of receives rises. A dead-letter queue does nothing by
    that count. A queue that has a redrive policy itself is refused, as there it would do harm.

    Rights: sqs:GetQueueUrl, sqs:GetQueueAttributes, sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the
    queues; s3:ListBucket and s3:GetObject on the buckets; kms:Decrypt where they have keys of their own.
    """
    with open_places(location, _named(None, queue, bucket)) as (_, places):
        found = [_look_at(each, look) for each in places]
    now = time.time()
    if output.json:
        output.print_json([seen_json(each, now) for each in found])
    elif not found:
        output.say("The stack names no places of dead letters.")
    else:
        for each in found:
            print_seen(output, each, now)
    if any(each.depth.letters for each in found):
        raise typer.Exit(ExitCode.FOUND)


def show(
    *,
    name: Name = None,
    queue: Queue = None,
    bucket: Bucket = None,
    limit: ShowLimit = 10,
    full: Full = False,
    location: Location,
    output: Output,
) -> None:
    """Show letters: what failed, where, why, and where it would be sent.

    Bodies may be personal data: they are shortened unless --full is given, in the JSON document too. What is
    received is given back, as for `list`, and the same rights are needed.
    """
    with open_place(location, _named(name, queue, bucket)) as (_, place):
        depth = place.depth()
        letters = place.look(limit)
    if output.json:
        output.print_json([letter_json(each, full=full) for each in letters])
        return
    output.say(
        f"{place.name}: {len(letters)} of {letters_text(depth.letters)}. Bodies may be personal data.",
        style="bold",
    )
    for each in letters:
        output.say(f"\n{printable(each.id)}", style="bold")
        for text in letter_lines(each, full=full):
            output.say(text)


def redrive(
    *,
    name: Name = None,
    queue: Queue = None,
    bucket: Bucket = None,
    only: Only = None,
    rate: Rate = 10.0,
    limit: Limit = None,
    to: To = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: WaitToLook = 0.0,
    location: Location,
    output: Output,
) -> None:
    """Send letters back to where they failed, and nowhere else.

    First mend what failed. Each letter is sent to its own target, the queue or the function that did not take
    it, and deleted only after that. It is never put back on a bus or a stream, where it would run every other
    consumer again. A function must answer without an error; otherwise its letter stays. A letter whose target
    cannot be told stays too, unless --to names one. What EventBridge could not deliver is sent as the whole
    event, without what its rule would have made of it.

    Each message gets the attribute `redriven`, which counts its redrives; so does each record of a function's
    batch. Ctrl-C loses nothing: at most one letter is sent twice, which consumers that are idempotent do not
    feel. No letter is redriven twice in one run: those that come back are named, and after ten failures in a
    row the run ends. A consumer may take minutes to give up: see --wait.

    Rights: those of `list`; sqs:DeleteMessage and s3:DeleteObject where the letters lie; sqs:GetQueueUrl and
    sqs:SendMessage, or lambda:InvokeFunction, on their targets. No policy of the stack grants them.
    """
    if output.json and not (yes or dry_run):
        raise typer.BadParameter("with --json nothing can be asked: add --yes or --dry-run.")
    wish = Wish(frozenset(only or ()), limit, dry_run=dry_run)
    outcomes: list[Outcome] = []
    with open_place(location, _named(name, queue, bucket)) as (access, place):
        deliveries = Deliveries(access.clients, place.address, to or "")
        if to:
            _check_target(deliveries, to)
        seen = _look_at(place, 0 if dry_run or yes else SAMPLE)
        if not (dry_run or yes) and seen.depth.letters:
            _ask(output, seen, wish, rate, to)
        run = Redrive(place, deliveries, wish, lambda each: _progress(output, outcomes, each), Pace(rate))
        report = Report(outcomes, [], wish, "interrupted")
        try:
            report = replace(report, ended=run.run())
            if run.sent:
                time.sleep(wait)
                report = replace(report, looked=run.came_back())
        finally:  # however it ends: people must know what was sent
            print_report(output, place, report)
    if report.is_open:
        raise typer.Exit(ExitCode.FOUND)


def _look_at(place: Place, most: int) -> Seen:
    depth = place.depth()
    return Seen(place, depth, place.look(most) if depth.letters and most else [])


def _named(name: str | None, queue: str | None, bucket: str | None) -> Named:
    if sum(each is not None for each in (name, queue, bucket)) > 1:
        raise typer.BadParameter("give one of NAME, --queue and --bucket: each names a place by itself.")
    return Named(name, queue, bucket)


def _check_target(deliveries: Deliveries, to: str) -> None:
    try:
        deliveries.resolve(to)
    except NoAddressError as error:
        raise CliError(f"Nothing was sent: --to {to}: {error}.") from error


def _ask(output: Output, seen: Seen, wish: Wish, rate: float, to: str | None) -> None:
    print_seen(output, seen, time.time())
    many = f"{len(wish.only)} of them" if wish.only else "all of them"
    at_most = f", {wish.limit} at most" if wish.limit else ""
    where = f"to {printable(to)}" if to else "each to its own target"
    typer.confirm(f"Send {many}{at_most} {where}, {rate:g} a second?", abort=True)


def _progress(output: Output, outcomes: list[Outcome], new: Outcome) -> None:
    """Keep an outcome, and print what somebody may want to see at once."""
    outcomes.append(new)
    if new.fate is not Fate.REDRIVEN or new.problem:
        output.say(
            f"  {new.fate}: {outcome_text(new)}", style=None if new.fate is Fate.WOULD_BE else "yellow"
        )
    elif len(outcomes) % 100 == 0:
        output.say(f"  {len(outcomes)} letters so far", style="dim")


COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("list", list_places, LIST_EPILOG),
    ("show", show, SHOW_EPILOG),
    ("redrive", redrive, REDRIVE_EPILOG),
)
"""The commands, each with the epilog of its help."""
