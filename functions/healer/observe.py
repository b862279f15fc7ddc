"""Observe a target: its alarm states, incident, live configuration and metrics.

What cannot be read raises an error, and a run that raises changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.evidence import (
    CORROBORATION_PERIODS,
    CORROBORATION_SECONDS,
    Bucket,
    period_of,
)
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.observation import AlarmState, ModeOverride, Observation
from selfheal.functions.healer.target import AlarmRule, Target
from selfheal.functions.shared.contract import Limits, Mode, Series, most_restrictive

HIGH_RESOLUTION_KEPT = timedelta(hours=3)
"""CloudWatch keeps periods under 60 s for 3 hours (Amazon CloudWatch concepts, "Metrics retention")."""


class UnreadableError(Exception):
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
    target: Target,
    setup: Setup,
    alarms: Mapping[str, AlarmState],
    aws: Aws,
    now: datetime,
    *,
    asked: bool = False,
) -> Observation:
    """Read what a decision about one target needs. While all is well, that is the incident only.

    Args:
        target: The target.
        setup: What is the same for all targets.
        alarms: The states of alarms, by name.
        aws: The clients.
        now: The time.
        asked: Whether a person may have asked for something: what comes too late is answered as well.

    """
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
    if not seen.ringing and (incident is None or not (asked or _needs_care(incident))):
        return seen
    command = aws.ledger.read_request("command", incident) if incident else None
    approval = aws.ledger.read_request("approval", incident) if incident else None
    about = replace(seen, command=command).subject
    rejected = incident.rejected if incident else ()
    live = remedies.read(aws, target, about, rejected) if about else None
    samples = {
        rule.name: read_buckets(aws.cloudwatch, target, rule, seen.evidence_begins, now)
        for rule in target.alarms
    }
    return replace(
        seen,
        live=live,
        about=about,
        samples=samples,
        fleet=aws.ledger.read_fleet(),
        approval=approval,
        command=command,
    )


def _needs_care(incident: Incident) -> bool:
    """Return whether there is work although no alarm is in ALARM. Drift and holds are work too."""
    return (
        incident.is_open
        or incident.effect is not None
        or bool(incident.standing)
        or incident.hold is not None
        or incident.owed_at is not None
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
