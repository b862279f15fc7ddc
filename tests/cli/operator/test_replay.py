"""`selfheal replay` as typed, against EventBridge as a recording client answers."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.cli.errors import CliError
from selfheal.cli.operator import find_bus, replay
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.event_replay import Interval, Replayer, clock
from selfheal.cli.operator.find_bus import Bus
from selfheal.cli.operator.location import Location
from tests.cli.support import Screen, said, told

EVENTS = "arn:aws:events:us-east-1:123456789012"
BUS, ARCHIVE = f"{EVENTS}:event-bus/orders", f"{EVENTS}:archive/orders-archive"
RULES = {name: f"{EVENTS}:rule/orders/{name}" for name in ("billing", "analytics")}
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
BEFORE = ("--from", "2h", "--to", "1h")
BILLING = (*BEFORE, "--only", "billing", "--aws")


class Bridge:
    """EventBridge with one archive. A replay is in the states that it is told, one after the other."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = [{"State": "COMPLETED"}]
        self.archive = {
            "ArchiveArn": ARCHIVE,
            "EventSourceArn": BUS,
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
            "RetentionDays": 14,
        }
        self.outputs: dict[str, Any] = {"buses": {"orders": {"bus": BUS, "archive": ARCHIVE, "rules": RULES}}}
        self.waited_until: list[datetime] = []
        self.meta = SimpleNamespace(endpoint_url="https://events.eu-west-1.amazonaws.com")

    def get(self, service: str) -> "Bridge":
        assert service == "events"
        return self

    def describe_archive(self, **asked: str) -> dict[str, Any]:
        assert asked == {"ArchiveName": "orders-archive"}
        return self.archive

    def describe_rule(self, **asked: str) -> dict[str, Any]:
        if asked["Name"] not in RULES:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeRule")
        return {"Arn": f"{EVENTS}:rule/{asked['EventBusName']}/{asked['Name']}"}

    def start_replay(self, **asked: Any) -> None:
        self.started.append(asked)

    def describe_replay(self, **asked: str) -> dict[str, Any]:
        assert asked == {"ReplayName": self.started[-1]["ReplayName"]}
        return self.states.pop(0)


class Clock:
    """A clock that only sleeping advances."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Bridge:
    made = Bridge()

    @contextmanager
    def access(_: Location) -> Generator[AwsAccess]:
        yield AwsAccess(made, "AWS", None, {})  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(replay, "aws_access", access)
    monkeypatch.setattr(find_bus, "stack_outputs", lambda *_: (made.outputs, "unknown"))
    monkeypatch.setattr(Replayer, "wait_for_archive", lambda _, end: made.waited_until.append(end))
    return made


def test_the_events_of_that_time_go_to_the_subscribers_that_are_named(bridge: Bridge) -> None:
    done = told("replay", *BILLING)
    [asked] = bridge.started
    assert (asked["EventSourceArn"], asked["Destination"]) == (
        ARCHIVE,
        {"Arn": BUS, "FilterArns": [RULES["billing"]]},
    )
    ago = datetime.now(UTC) - asked["EventStartTime"], datetime.now(UTC) - asked["EventEndTime"]
    assert [round(each.total_seconds() / 60) for each in ago] == [120, 60]
    assert (asked["EventStartTime"].microsecond, asked["EventEndTime"].microsecond) == (0, 0)
    assert (done["replay"], done["state"]) == (asked["ReplayName"], "COMPLETED")
    assert done["subscribers"] == {"billing": RULES["billing"]}
    assert bridge.waited_until == [asked["EventEndTime"]]


def test_times_are_also_given_as_they_are(bridge: Bridge) -> None:
    bridge.archive["RetentionDays"] = 0
    given = ("--from", "2026-06-01T10:00:00+02:00", "--to", "2026-06-01T08:30Z", "--only", "analytics")
    shown = said("replay", *given, "--aws")
    [asked] = bridge.started
    assert asked["EventStartTime"] == datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
    assert asked["EventEndTime"] == datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
    for words in (
        "Replaying 2026-06-01T08:00:00Z to 2026-06-01T08:30:00Z to analytics",
        f"{asked['ReplayName']}, completed after",
        f"analytics ({RULES['analytics']})",
    ):
        assert words in shown


@pytest.mark.parametrize("option", [(), ("--no-wait",)])
def test_nothing_is_waited_for_in_the_sandbox_or_on_demand(bridge: Bridge, option: tuple[str, ...]) -> None:
    assert told("replay", *BEFORE, "--only", "billing", *(("--aws", *option) if option else ()))
    assert (bridge.waited_until, len(bridge.started)) == ([], 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_nothing_is_waited_for_at_an_emulator_that_the_environment_names(bridge: Bridge, host: str) -> None:
    bridge.meta.endpoint_url = f"http://{host}:4566"
    assert told("replay", *BEFORE, "--only", "billing", "--aws")
    assert (bridge.waited_until, len(bridge.started)) == ([], 1)


def test_a_replay_is_followed_to_its_end_and_one_that_fails_is_a_failure(bridge: Bridge) -> None:
    last = datetime(2026, 11, 26, 8, 10, tzinfo=UTC)
    bridge.states = [{"State": "FAILED", "StateReason": "no rights", "EventLastReplayedTime": last}]
    shown = said("replay", *BILLING, code=1)
    assert "ended FAILED: no rights. Some events may have been sent" in shown
    assert "last event 2026-11-26T08:10:00Z" in shown


def test_archive_and_rules_can_be_named_without_a_stack(bridge: Bridge) -> None:
    bridge.outputs = {}
    named = ("--archive", ARCHIVE, "--rule", "billing", "--rule", "analytics", "--aws")
    assert told("replay", *BEFORE, *named)
    assert bridge.started[0]["Destination"] == {"Arn": BUS, "FilterArns": list(RULES.values())}
    assert "no rule other" in said(
        "replay", *BEFORE, "--archive", ARCHIVE, "--rule", "other", "--aws", code=1
    )
    assert len(bridge.started) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (BEFORE, "say who gets the events"),
        ((*BEFORE, "--rule", "billing"), "say who gets the events"),
        ((*BEFORE, "--archive", "a", "--only", "billing"), "neither --only nor --bus"),
        ((*BEFORE, "--archive", "a"), "neither --only nor --bus"),
        (("--from", "yesterday", "--only", "billing"), "Got 'yesterday'"),
        (("--from", "2026-11-26T08:00:00", "--only", "billing"), "with Z or an offset"),
        (("--only", "billing"), "Missing option '--from'"),
    ],
)
def test_what_is_not_said_well_is_wrong_usage(bridge: Bridge, arguments: tuple[str, ...], says: str) -> None:
    assert says in said("replay", *arguments, "--aws", code=2)
    assert bridge.started == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "1h", "--to", "2h"), "--from must be before --to"),
        (("--from", "1h", "--to", "2999-01-01T00:00Z"), "--to must not be in the future"),
        (("--from", "20d", "--to", "15d"), "nothing of that time: it was made at 2026-01-01T00:00:00Z"),
        ((*BEFORE, "--only", "shipping"), "no subscriber shipping; there are analytics, billing"),
        ((*BEFORE, "--bus", "other"), "has no bus other; there are orders"),
    ],
)
def test_what_cannot_be_replayed_is_refused(bridge: Bridge, arguments: tuple[str, ...], says: str) -> None:
    assert says in said("replay", *arguments, "--only", "billing", "--aws", code=1)
    assert bridge.started == []


def test_an_interval_that_begins_before_the_archive_is_replayed_with_a_warning(bridge: Bridge) -> None:
    assert "older events are gone" in said("replay", "--from", "20d", "--only", "billing", "--aws")
    assert len(bridge.started) == 1


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        (None, "Cannot tell which bus to use: unknown"),
        ({}, "no output buses"),
        ({"buses": {"orders": {"bus": BUS}}}, "where `FanOut.replays` gives bus, archive and rules"),
        ({"buses": {"a": {}, "b": {}}}, "has the buses a, b: name one with --bus"),
    ],
)
def test_outputs_that_do_not_tell_are_explained(
    bridge: Bridge, outputs: dict[str, Any] | None, says: str
) -> None:
    bridge.outputs = outputs  # pyright: ignore[reportAttributeAccessIssue]
    assert says in said("replay", *BILLING, code=1)
    assert bridge.started == []


def test_an_archive_of_another_bus_is_refused(bridge: Bridge) -> None:
    bridge.archive["EventSourceArn"] = f"{EVENTS}:event-bus/other"
    assert "is of arn:aws:events:us-east-1:123456789012:event-bus/other" in said("replay", *BILLING, code=1)
    assert bridge.started == []


def test_it_waits_until_ten_minutes_after_the_last_event_and_says_how_long_still() -> None:
    time, screen = Clock(), Screen.make()
    Replayer(Bridge(), screen, time.now, time.sleep).wait_for_archive(NOW - timedelta(minutes=3))
    assert time.at == NOW + timedelta(minutes=7)
    lines = screen.text.splitlines()
    assert len(lines) == 7
    assert "7:00 left" in lines[0]
    assert "1:00 left" in lines[-1]


def test_it_does_not_wait_for_what_is_archived() -> None:
    time, screen = Clock(), Screen.make()
    Replayer(Bridge(), screen, time.now, time.sleep).wait_for_archive(NOW - timedelta(minutes=10))
    assert (time.at, screen.text) == (NOW, "")


def test_progress_is_followed() -> None:
    time, screen, bridge = Clock(), Screen.make(), Bridge()
    bridge.states = [{"State": "STARTING"}, {"State": "RUNNING"}, {"State": "COMPLETED"}]
    replayer = Replayer(bridge, screen, time.now, time.sleep)
    name = replayer.start(Bus("orders", BUS, ARCHIVE, RULES), Interval(NOW, NOW))
    done = replayer.follow(name)
    assert (done.name, done.state, done.last_event) == (name, "COMPLETED", None)
    assert screen.text == f"{name}: starting\n"


def test_an_interval_is_of_whole_seconds() -> None:
    start, end = NOW.replace(microsecond=5), NOW.replace(second=1, microsecond=1)
    assert Interval.of(start, end, end) == Interval(NOW, NOW + timedelta(seconds=2))
    assert Interval.of(NOW, NOW + timedelta(seconds=1), NOW + timedelta(hours=1)).end == NOW + timedelta(
        seconds=1
    )
    with pytest.raises(CliError, match="--from must be before --to"):
        Interval.of(NOW, NOW, NOW)


@pytest.mark.parametrize(("seconds", "text"), [(600, "10:00"), (59.6, "1:00"), (5, "0:05"), (-1, "0:00")])
def test_time_left_is_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text
