"""Observe a target: its alarm states, incident, live configuration and metrics.

What cannot be read raises an error, and a run that raises changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.evidence import (
    CORROBORATION_PERIODS,
    CORROBORATION_SECONDS,
    Bucket,
    period_of,
)
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.items import UnreadableItemError
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.observation import AlarmState, ModeOverride, Observation, Request
from selfheal.functions.healer.states import Status
from selfheal.functions.healer.target import AlarmRule, Target
from selfheal.functions.shared.contract import Limits, Mode, Series, most_restrictive
from selfheal.functions.shared.errors import OwnError

HIGH_RESOLUTION_KEPT = timedelta(hours=3)
"""CloudWatch keeps periods under 60 s for 3 hours (Amazon CloudWatch concepts, "Metrics retention")."""


REQUESTS: tuple[Literal["command", "approval"], ...] = ("command", "approval")


class UnreadableError(OwnError):
    """An observation is incomplete, so nothing may be changed."""


def read_alarms(client: Any, names: Iterable[str]) -> dict[str, AlarmState]:
    """Read the current states of alarms.

    Raises:
        UnreadableError: when an alarm does not exist. Silence is not health.

    """
    wanted = sorted(set(names))
    found: dict[str, AlarmState] = {}
    pages = client.get_paginator("describe_alarms").paginate(AlarmNames=wanted, AlarmTypes=["MetricAlarm"])
    for page in pages:
        for alarm in page["MetricAlarms"]:
            found[alarm["AlarmName"]] = AlarmState(alarm["StateValue"], alarm["StateUpdatedTimestamp"])
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UnreadableError(f"alarms not found: {', '.join(missing)}; deploy the stack again")
    return found


@dataclass(frozen=True)
class Setup:
    """What is the same for all targets of a run, and is read once."""

    baseline: Mode
    mode_override: ModeOverride
    limits: Limits
    fleet_size: int

    @property
    def mode(self) -> Mode:
        """The mode in effect: the more restrictive of baseline and override."""
        return most_restrictive(self.baseline, self.mode_override.mode)


def observe(
    target: Target, setup: Setup, alarms: Mapping[str, AlarmState], aws: Aws, now: datetime
) -> Observation:
    """Read what a decision about one target needs. While all is well, that is the incident only."""
    own = {rule.name: alarms[rule.name] for rule in target.alarms}
    incident = aws.ledger.read(target.name)
    seen = Observation(
        target,
        now,
        setup.mode,
        own,
        incident,
        baseline=setup.baseline,
        fleet_size=setup.fleet_size,
        mode_override=setup.mode_override,
        limits=setup.limits,
    )
    if not seen.ringing and (incident is None or not _needs_care(incident)):
        return seen
    proposed = incident is not None and incident.status is Status.PROPOSED
    command, approval, problems = read_requests(aws.ledger, incident, approvals=proposed)
    fleet = aws.ledger.read_fleet()
    problems += [fleet.problem] if fleet.problem else []
    about = replace(seen, command=command).subject
    live = remedies.read(aws, target, about) if about else None
    samples = {
        rule.name: read_buckets(aws.cloudwatch, target, rule, seen.evidence_begins, now)
        for rule in target.alarms
    }
    return replace(
        seen,
        live=live,
        about=about,
        samples=samples,
        fleet=fleet,
        approval=approval,
        command=command,
        problems=tuple(problems),
    )


def read_requests(
    ledger: Ledger, incident: Incident | None, *, approvals: bool
) -> tuple[Request | None, Request | None, list[str]]:
    """Read people's requests: a command, an approval, and what is wrong with one that cannot be read."""
    found: dict[str, Request | None] = {}
    problems: list[str] = []
    for kind in REQUESTS if approvals else REQUESTS[:1]:
        try:
            found[kind] = ledger.read_request(kind, incident) if incident else None
        except UnreadableItemError as error:
            problems.append(str(error))
    return found.get("command"), found.get("approval"), problems


def _needs_care(incident: Incident) -> bool:
    """Return whether there is work although no alarm is in ALARM. Drift and holds are work too."""
    return (
        incident.is_open
        or incident.effect is not None
        or bool(incident.standing)
        or incident.hold is not None
        or incident.owed_at is not None
        or incident.quiet > 0
    )


def read_buckets(
    client: Any, target: Target, rule: AlarmRule, since: datetime, now: datetime
) -> tuple[Bucket, ...]:
    """Read one alarm's metrics in its own periods, oldest first.

    A period is left out until it is over, and if its data says nothing: a late datapoint is not a zero.

    Raises:
        UnreadableError: when CloudWatch does not return all data.

    """
    period, series = timedelta(seconds=rule.period), target.series(rule)
    reach = max(CORROBORATION_SECONDS, (CORROBORATION_PERIODS + 1) * rule.period)
    start = min(since, now - timedelta(seconds=reach))
    start = _floor(max(start, now - HIGH_RESOLUTION_KEPT), rule.period)
    end = _floor(now, rule.period)
    found = _read(client, target.function, rule, series, start, end)
    buckets: list[Bucket] = []
    for moment in sorted(set[datetime]().union(*found.values())):
        counted = period_of(series, {name: values.get(moment) for name, values in found.items()})
        if counted is not None and moment + period <= end:
            buckets.append(Bucket(moment, counted.requests, counted.errors))
    return tuple(buckets)


def _read(  # noqa: PLR0917 - one call of CloudWatch, spelled out
    client: Any, function: str, rule: AlarmRule, series: Series, start: datetime, end: datetime
) -> dict[str, dict[datetime, float]]:
    metric = {"Namespace": series.namespace, "Dimensions": [{"Name": "FunctionName", "Value": function}]}
    queries = [
        {
            "Id": f"m{index}",
            "MetricStat": {"Metric": {**metric, "MetricName": name}, "Period": rule.period, "Stat": "Sum"},
        }
        for index, name in enumerate(series.metrics)
    ]
    values: dict[str, dict[datetime, float]] = {name: {} for name in series.metrics}
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            if result["StatusCode"] not in ("Complete", "PartialData"):
                raise UnreadableError(
                    f"{rule.name}: CloudWatch answered {result['StatusCode']} for its metrics"
                )
            name = series.metrics[int(result["Id"][1:])]
            values[name].update(zip(result["Timestamps"], result["Values"], strict=True))
    return values


def _floor(moment: datetime, seconds: int) -> datetime:
    whole = int(moment.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(whole, tz=moment.tzinfo)
