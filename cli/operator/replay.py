"""`selfheal replay`: send archived events again, to the subscribers that are named."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from selfheal.cli.console import Output, complain, remark
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator.aws_access import AwsAccess, aws_access
from selfheal.cli.operator.event_replay import Interval, Replay, Replayer, stamp
from selfheal.cli.operator.find_bus import Bus, bus_of_archive, bus_of_stack
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.render import line
from selfheal.sandbox.clients import is_loopback

EPILOG = epilog(
    "selfheal replay --from 2h --only billing                      the last two hours, to billing only",
    "selfheal replay --from 2026-11-26T08:00Z --to 2026-11-26T09:00Z --only billing --only analytics",
    "selfheal replay --from 1d --to 2h --only billing --aws -s prod --json",
    "selfheal replay --from 2h --archive orders-archive --rule orders-billing --aws    of no stack",
)

_AGO = re.compile(r"(?P<number>[0-9]{1,4})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

_WHEN = "A time with Z or an offset, such as 2026-11-26T08:00:00Z, or how long ago: 90s, 10m, 2h, 3d."
Start = Annotated[str, typer.Option("--from", metavar="TIME", help=f"The first event's time. {_WHEN}")]
End = Annotated[
    str, typer.Option("--to", metavar="TIME", help="The last event's time, alike; `now` is the default.")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="SUBSCRIBER", help="Who gets the events; may be given several times."),
]
BusName = Annotated[
    str | None,
    typer.Option("--bus", metavar="NAME", help="Name in the stack's output buses. Default: the only one."),
]
Archive = Annotated[
    str | None,
    typer.Option("--archive", metavar="NAME", help="An archive of no stack: name or ARN. Needs --rule."),
]
Rule = Annotated[
    list[str] | None,
    typer.Option(
        "--rule", metavar="NAME", help="A rule of that archive's bus that gets the events; may be repeated."
    ),
]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="Do not wait until everything is archived, ten minutes after --to. Not needed in the sandbox.",
    ),
]


def replay(
    *,
    start: Start,
    end: End = "now",
    only: Only = None,
    bus: BusName = None,
    archive: Archive = None,
    rule: Rule = None,
    no_wait: NoWait = False,
    location: Location,
    output: Output,
) -> None:
    """Send archived events again, to the subscribers that are named and to nobody else.

    For what a subscriber lost or did wrong. Each gets the events of that time which its rule matches, also
    those that it has had: a consumer has to be idempotent, and then a second time changes nothing. Events are
    replayed minute by minute, and within a minute in any order. AWS does not say how many.

    It is EventBridge that replays: ended with Ctrl-C, this command only stops watching. The rights that it
    needs are events:DescribeArchive, StartReplay and DescribeReplay.
    """
    wanted = _Wanted(bus, tuple(only or ()), archive, tuple(rule or ()))
    now = datetime.now(UTC)
    interval = Interval.of(_moment(start, "--from", now), _moment(end, "--to", now), now)
    with aws_access(location) as access:
        found = wanted.find(location, access)
        remark(f"{access.description}, bus {found.arn}.")
        replayer = Replayer(access.clients.get("events"), output)
        replayer.check_archive(found, interval)
        if not (no_wait or location.is_sandbox or _is_local(access)):  # the emulator archives at once
            replayer.wait_for_archive(interval.end)
        began = datetime.now(UTC)
        name = replayer.start(found, interval)
        output.say(
            f"Replaying {stamp(interval.start)} to {stamp(interval.end)} to {', '.join(found.rules)}: {name}"
        )
        try:
            done = replayer.follow(name)
        except (KeyboardInterrupt, ClientError):
            remark(
                f"The replay goes on. Watch it with `aws events describe-replay --replay-name {name}`, end "
                f"it with `aws events cancel-replay --replay-name {name}`.",
                style="yellow",
            )
            raise
        _tell(done, found, interval, began, output)


@dataclass(frozen=True)
class _Wanted:
    """Who gets the events, as the command line names them."""

    bus: str | None
    only: tuple[str, ...]
    archive: str | None
    rules: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the options against each other.

        Raises:
            typer.BadParameter: when nobody is named, or two ways of naming are mixed.

        """
        if self.archive is None and (self.rules or not self.only):
            raise typer.BadParameter(
                "say who gets the events: --only SUBSCRIBER, once or several times; or --archive NAME with "
                "--rule NAME for a bus of no stack.",
                param_hint="--only",
            )
        if self.archive is not None and (self.only or self.bus or not self.rules):
            raise typer.BadParameter(
                "with --archive the rules are named: --rule NAME, once or several times, and neither --only "
                "nor --bus.",
                param_hint="--archive",
            )

    def find(self, location: Location, access: AwsAccess) -> Bus:
        """Return the bus with these rules; raises as `bus_of_stack` and `bus_of_archive`."""
        if self.archive is not None:
            return bus_of_archive(access, self.archive, self.rules)
        return bus_of_stack(location, access, self.bus).only(self.only)


def _is_local(access: AwsAccess) -> bool:
    """Return whether calls stay on this machine, as in a shell with `selfheal serve --env`."""
    return is_loopback(str(access.clients.get("events").meta.endpoint_url))


def _moment(text: str, option: str, now: datetime) -> datetime:
    """Return the moment that a user means.

    Raises:
        typer.BadParameter: when it is none.

    """
    if text == "now":
        return now
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(f"{_WHEN} Got {text!r}.", param_hint=option)
    return moment.astimezone(UTC)


def _tell(done: Replay, bus: Bus, interval: Interval, began: datetime, output: Output) -> None:
    seconds = (datetime.now(UTC) - began).total_seconds()
    if output.json:
        output.print_json(
            {
                "replay": done.name,
                "state": done.state,
                "reason": done.reason or None,
                "bus": bus.arn,
                "archive": bus.archive,
                "from": stamp(interval.start),
                "to": stamp(interval.end),
                "subscribers": dict(bus.rules),
                "last_event": stamp(done.last_event) if done.last_event else None,
                "seconds": round(seconds, 1),
            }
        )
    else:
        output.say(line("replay", f"{done.name}, {done.state.lower()} after {seconds:.0f} s"))
        output.say(line("events", f"from {stamp(interval.start)} to {stamp(interval.end)}"))
        if done.last_event:
            output.say(line("last event", stamp(done.last_event)))
        for subscriber, rule in bus.rules.items():
            output.say(line("to", f"{subscriber} ({rule})"))
    if done.state != "COMPLETED":
        complain(
            f"the replay {done.name} ended {done.state}{f': {done.reason}' if done.reason else ''}. Some "
            "events may have been sent; replay the same time again when the cause is mended."
        )
        raise typer.Exit(ExitCode.FAILED)
