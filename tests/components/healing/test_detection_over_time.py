"""The alarms that are registered, minute by minute, as CloudWatch evaluates them."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from selfheal.components.healing.detection import Detection, DetectionArgs
from selfheal.components.healing.detection_times import Rule, seconds
from selfheal.sandbox.alarms.rounds import Rounds
from selfheal.sandbox.provider.cloudwatch import METRIC_ALARM
from tests.support.fake_cloudwatch import FakeCloudWatch
from tests.support.pulumi_mocks import deploy

BEGIN = 1_800_000_000
"""When the failure begins: a whole hour."""


@dataclass
class Watched:
    """A function without metrics of its own, and its alarms."""

    cloudwatch: FakeCloudWatch = field(default_factory=FakeCloudWatch)

    def __post_init__(self) -> None:
        self.rounds, self.rang = Rounds(self.cloudwatch), dict[str, int]()

    def deploy(self, **changes: Any) -> tuple[Rule, ...]:
        """Register the alarms, and put them as the provider does."""
        args: DetectionArgs = {"function_name": "shop", "actions": [], **changes}  # pyright: ignore[reportAssignmentType]
        made: list[Detection] = []
        deployment = deploy(lambda: made.append(Detection("shop", args)))
        for alarm in deployment.of("aws:cloudwatch/metricAlarm:MetricAlarm"):
            METRIC_ALARM.create(self, {**alarm.inputs, "name": alarm.name.removeprefix("shop-")})  # pyright: ignore[reportArgumentType]
        return tuple(Rule.of(alarm) for alarm in made[0].alarms)

    def get(self, service: str) -> "Watched":
        assert service == "cloudwatch"
        return self

    def put_metric_alarm(self, **alarm: Any) -> None:
        self.cloudwatch.add(alarm.pop("AlarmName"), **{"MetricName": None, "StateValue": "OK", **alarm})

    def count(self, at: int, invocations: int, errors: int, throttles: int = 0) -> None:
        """Let Lambda publish one call or more of that second."""
        values = {"Invocations": invocations, "Errors": errors, "Throttles": throttles}
        for metric, value in values.items():
            self.cloudwatch.points.setdefault(metric, []).append((float(at), float(value)))

    def throttle(self, at: int, throttles: int) -> None:
        """Let Lambda publish throttles, and no invocation."""
        self.cloudwatch.points.setdefault("Throttles", []).append((float(at), float(throttles)))

    def evaluate(self, now: int) -> None:
        """Run one round, and remember in which minute each alarm rang first."""
        done = self.rounds.run(float(now))
        assert done.problems == {}
        for change in done.changes:
            if change.after == "ALARM":
                self.rang.setdefault(change.alarm, (now - BEGIN) // 60)


@pytest.mark.parametrize(("timeout", "rings"), [(900, True), (300, False)])
def test_calls_that_hang_for_15_minutes_ring_when_they_are_counted(timeout: int, rings: bool) -> None:
    """Ten calls begin in one minute, and Lambda counts them in that minute, 16 minutes later.

    An alarm that looks back for another timeout does not see it any more.
    """
    watched = Watched()
    watched.deploy(timeout_seconds=timeout)
    for minute in range(25):
        if minute == 16:
            watched.count(BEGIN, 10, 10)
        watched.evaluate(BEGIN + 60 * minute)
    assert watched.rang.get("backstop") == (16 if rings else None)


@pytest.mark.parametrize("timeout", [3, 900])
def test_it_is_well_again_when_the_last_failure_is_older_than_the_look_back(timeout: int) -> None:
    watched = Watched()
    watched.deploy(timeout_seconds=timeout)
    look_back = int(watched.cloudwatch.alarms["backstop"]["EvaluationPeriods"])
    states: list[str] = []
    for minute in range(30):
        watched.count(BEGIN + 60 * minute, 100, 30 if minute == 0 else 0)
        watched.evaluate(BEGIN + 60 * (minute + 1))
        states.append(watched.cloudwatch.state("backstop"))
    assert states == ["ALARM"] * look_back + ["OK"] * (30 - look_back)


@pytest.mark.parametrize("every", [90, 180, 350])
def test_an_outage_with_little_traffic_rings_within_the_hour(every: int) -> None:
    """One request in so many seconds, and all fail after an hour of success: too few for the backstop."""
    watched = Watched()
    rules = watched.deploy()
    for second in range(-7200, 7200, every):
        watched.count(BEGIN + second, 1, 1 if second >= 0 else 0)
    for minute in range(20, 65):
        watched.evaluate(BEGIN + 60 * minute)
    assert set(watched.rang) == {"slow"}
    assert 25 <= watched.rang["slow"] <= 60
    told = seconds(rules, 60 / every, 1.0)
    # What is told covers unlucky traffic, and data that is late; this traffic is regular, and in time.
    assert told is not None
    assert watched.rang["slow"] * 60 <= told <= watched.rang["slow"] * 60 + 1800


def test_below_five_requests_an_hour_an_outage_does_not_ring() -> None:
    watched = Watched()
    watched.deploy()
    for second in range(0, 3 * 3600, 901):
        watched.count(BEGIN + second, 1, 1)
    for minute in range(60, 180, 2):
        watched.evaluate(BEGIN + 60 * minute)
    assert watched.rang == {}


@pytest.mark.slow
@pytest.mark.parametrize("per_minute", [600, 1])
def test_reserved_concurrency_of_0_rings_although_nothing_is_invoked(per_minute: int) -> None:
    """Hours after the last invocation there is no datapoint of Invocations or Errors at all."""
    watched = Watched()
    watched.deploy()
    for minute in range(90):
        watched.throttle(BEGIN + 60 * minute, per_minute)
        watched.evaluate(BEGIN + 60 * (minute + 1))
    assert watched.rang == ({"backstop": 1, "slow": 1} if per_minute == 600 else {"slow": 5})


@pytest.mark.parametrize("invocation", ["asynchronous", "queued"])
def test_throttles_that_lose_nothing_ring_no_alarm(invocation: str) -> None:
    watched = Watched()
    watched.deploy(invocation=invocation)
    for minute in range(90):
        watched.count(BEGIN + 60 * minute, 10, 0, throttles=600)
        watched.evaluate(BEGIN + 60 * (minute + 1))
    assert watched.rang == {}
