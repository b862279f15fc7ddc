"""Observe a target: its alarm states, incident, live configuration and metrics.

What cannot be read raises an error, and a run that raises changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.evidence import Bucket, Count, floor, period_of
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.items import UnreadableItemError
from selfheal.functions.healer.ledger import Glance, Ledger
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.readings import AlarmState, ModeOverride, Request
from selfheal.functions.healer.target import Target
from selfheal.functions.shared.contract import (
    Invocation,
    Limits,
    Mode,
    Series,
    most_restrictive,
    series_of,
)
from selfheal.functions.shared.errors import OwnError

KEPT = timedelta(hours=3) - timedelta(minutes=2)
"""How far back metrics are read. With a period under 60 s and a start more than 3 hours ago, GetMetricData
answers with nothing (CloudWatch API reference, MetricStat). It is CloudWatch's clock that decides, when the
call arrives. Older evidence is in the incident: see `RECORD_AFTER`."""


REQUESTS: tuple[Literal["command", "approval"], ...] = ("command", "approval")


class UnreadableError(OwnError):
    """An observation is incomplete, so nothing may be changed."""


def read_alarms(client: Any, names: Iterable[str]) -> dict[str, AlarmState]:
    """Read the current states of alarms.

    Raises:
        UnreadableError: when an alarm does not exist. Silence is not health.

    """
    wanted = sorted(set(names))
    found = existing_alarms(client, wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UnreadableError(f"alarms not found: {', '.join(missing)}; deploy the stack again")
    return found


def existing_alarms(client: Any, names: Iterable[str]) -> dict[str, AlarmState]:
    """Read the current states of those alarms that exist, up to 100 (API reference, DescribeAlarms)."""
    wanted = sorted(set(names))
    pages = client.get_paginator("describe_alarms").paginate(AlarmNames=wanted, AlarmTypes=["MetricAlarm"])
    return {alarm["AlarmName"]: alarm_state(alarm) for page in pages for alarm in page["MetricAlarms"]}


_NOT_EVALUATED = frozenset({"EVALUATION_ERROR", "EVALUATION_FAILURE"})
"""The alarm's setup is wrong, or CloudWatch has trouble (Amazon CloudWatch user guide, "Alarm evaluation").
IN_WARM_UP needs no care, as the state is then INSUFFICIENT_DATA; PARTIAL_DATA is for Metrics Insights."""


def alarm_state(alarm: Mapping[str, Any]) -> AlarmState:
    """Return the state of an alarm in an answer to DescribeAlarms.

    StateTransitionedTimestamp is when the state last changed. StateUpdatedTimestamp also moves with every
    change of EvaluationState, so by that one no alarm would ever be stuck; it serves where the other is
    missing (CloudWatch API reference, MetricAlarm).
    """
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return AlarmState(alarm["StateValue"], since, alarm.get("EvaluationState") not in _NOT_EVALUATED)


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
    incident = aws.ledger.read(target.name)
    seen = _first(target, setup, alarms, incident, now)
    if not seen.ringing and (incident is None or not (asked or _needs_care(incident))):
        return seen
    command, approval, problems = read_requests(aws.ledger, incident)
    fleet = aws.ledger.read_fleet()
    seen = replace(seen, command=command, approval=approval, samples=_samples(seen, aws.cloudwatch))
    about, rejected = seen.subject, incident.rejected if incident else ()
    live = remedies.read(aws, target, about, rejected) if about else None
    return replace(
        seen,
        # What counts is the longest that a call may take.
        target=replace(target, timeout=max(target.timeout, _timeout(live))),
        live=live,
        about=about,
        fleet=fleet,
        problems=tuple(problems),
    )


def quiet(
    target: Target,
    setup: Setup,
    alarms: Mapping[str, AlarmState],
    glance: Glance,
    now: datetime,
    *,
    asked: bool = False,
) -> Observation | None:
    """Return the observation of a target that needs nothing, by what was read at once for all targets.

    Args:
        target: The target.
        setup: What is the same for all targets.
        alarms: The states of alarms, by name.
        glance: What the ledger said, with people's requests if they may have asked.
        now: The time.
        asked: Whether a person may have asked for something.

    Returns:
        None where there is anything to do or in doubt: `observe` reads it then, for this target alone.

    """
    if not all(rule.name in alarms for rule in target.alarms):
        return None
    try:
        incident = glance.incident(target.name)
        wanted = incident is not None and (_needs_care(incident) or (asked and glance.is_asked(incident)))
    except UnreadableItemError:
        return None
    seen = _first(target, setup, alarms, incident, now)
    return None if wanted or seen.ringing else seen


def _first(
    target: Target, setup: Setup, alarms: Mapping[str, AlarmState], incident: Incident | None, now: datetime
) -> Observation:
    """Return what is observed before anything else is read."""
    return Observation(
        target,
        now,
        setup.mode,
        {rule.name: alarms[rule.name] for rule in target.alarms},
        incident,
        baseline=setup.baseline,
        fleet_size=setup.fleet_size,
        mode_override=setup.mode_override,
        limits=setup.limits,
    )


def _timeout(live: Live | None) -> int:
    configuration = live.configuration if live else None
    return configuration.timeout if configuration else 0


def read_requests(
    ledger: Ledger, incident: Incident | None
) -> tuple[Request | None, Request | None, list[str]]:
    """Read people's requests: a command, an approval, and what is wrong with one that cannot be read."""
    found: dict[str, Request | None] = {}
    problems: list[str] = []
    for kind in REQUESTS:
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


def _samples(seen: Observation, client: Any) -> dict[str, tuple[Bucket, ...]]:
    """Read the metrics of all alarms, each series once."""
    target, samples = seen.target, dict[str, tuple[Bucket, ...]]()
    for series in {target.series(rule): None for rule in target.alarms}:
        rules = [rule for rule in target.alarms if target.series(rule) == series]
        # What the healer's own limit refuses is no failure of the target.
        counted = series_of(rules[0].kind, Invocation.QUEUED) if seen.is_limited else series
        since = min(map(seen.reads_from, rules))
        buckets = read_buckets(client, target.function, series, since, seen.now, counted=counted)
        samples |= {rule.name: buckets for rule in rules}
    return samples


def read_buckets(
    client: Any, function: str, series: Series, since: datetime, now: datetime, *, counted: Series
) -> tuple[Bucket, ...]:
    """Read metrics, oldest period first.

    A period is left out until it is over, and if its data says nothing: a late datapoint is not a zero.

    Args:
        client: A boto3 CloudWatch client.
        function: Name of the function.
        series: The metrics.
        since: From when on. Nothing is read that CloudWatch may not have kept.
        now: The time.
        counted: The metrics that count as requests and errors: all of them, or all but the throttles.

    Raises:
        UnreadableError: when CloudWatch does not return all data.

    """
    period = timedelta(seconds=series.period)
    start, end = floor(max(since, now - KEPT), series.period), floor(now, series.period)
    found = _read(client, function, series, start, end)
    buckets: list[Bucket] = []
    for moment in sorted(set[datetime]().union(*found.values())):
        values = {name: each.get(moment) for name, each in found.items()}
        refused = sum(int(values[name] or 0) for name in series.metrics if name not in counted.metrics)
        seen = period_of(counted, values)
        if moment + period > end or (seen is None and not refused):
            continue
        seen = seen or Count(0, 0)
        buckets.append(Bucket(moment, seen.requests, seen.errors, refused))
    return tuple(buckets)


def _read(
    client: Any, function: str, series: Series, start: datetime, end: datetime
) -> dict[str, dict[datetime, float]]:
    metric = {"Namespace": series.namespace, "Dimensions": [{"Name": "FunctionName", "Value": function}]}
    queries = [
        {
            "Id": f"m{index}",
            "MetricStat": {"Metric": {**metric, "MetricName": name}, "Period": series.period, "Stat": "Sum"},
        }
        for index, name in enumerate(series.metrics)
    ]
    values: dict[str, dict[datetime, float]] = {name: {} for name in series.metrics}
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            # InternalError and Forbidden come without data (CloudWatch API reference, MetricDataResult).
            if result["StatusCode"] not in ("Complete", "PartialData"):
                raise UnreadableError(
                    f"{function}: CloudWatch answered {result['StatusCode']} for {series.namespace}"
                )
            name = series.metrics[int(result["Id"][1:])]
            values[name].update(zip(result["Timestamps"], result["Values"], strict=True))
    return values
