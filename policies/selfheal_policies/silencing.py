"""What silences an alarm from elsewhere, or by its own properties: it rings, and nobody hears.

The two tables say of every property of an alarm, and of every type that takes alarms, what it does to them. A
test walks the provider and the API of CloudWatch, and fails for what is in neither.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from selfheal_policies import arns, types
from selfheal_policies.index import Index
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, get, number, parsed


class Effect(StrEnum):
    """What a property, or a type of resource, does to an alarm."""

    SWITCHES = "switches its actions"
    DELAYS = "delays its actions"
    SETS = "sets its state"
    ACTS = "says what it does"
    MEASURES = "says what it measures"
    DESCRIBES = "describes it"
    READS = "reads its state"


def _table(**rows: str) -> dict[str, Effect]:
    return {name: Effect[effect] for effect, names in rows.items() for name in names.split()}


PROPERTIES: Mapping[str, Effect] = _table(
    SWITCHES="actionsEnabled actionsSuppressor actionsSuppressorWaitPeriod actionsSuppressorExtensionPeriod",
    DELAYS="warmUpConfiguration evaluationWindow",
    ACTS="alarmActions okActions insufficientDataActions actionLogLineCount actionLogLineRoleArn",
    MEASURES="alarmRule comparisonOperator datapointsToAlarm dimensions evaluateLowSampleCountPercentile "
    "evaluateLowSampleCountPercentiles evaluationCriteria evaluationInterval evaluationPeriods "
    "extendedStatistic metricName metricQueries metrics namespace period queryResultsToAlarm "
    "queryResultsToEvaluate scheduledQueryConfiguration statistic threshold thresholdMetricId "
    "treatMissingData unit",
    DESCRIBES="alarmDescription alarmName name region tags",
)
"""Property of an alarm, of the provider or of CloudWatch's API, to what it does."""

TYPES: Mapping[str, Effect] = {
    types.MUTE_RULE: Effect.SWITCHES,
    "aws:iot/topicRule:TopicRule": Effect.SETS,
    **dict.fromkeys(
        (
            "aws:appconfig/environment:Environment",
            "aws:arcregionswitch/plan:Plan",
            "aws:arczonalshift/zonalAutoshiftConfiguration:ZonalAutoshiftConfiguration",
            "aws:autoscaling/group:Group",
            "aws:codedeploy/deploymentGroup:DeploymentGroup",
            "aws:ecs/daemon:Daemon",
            "aws:ecs/service:Service",
            "aws:route53/healthCheck:HealthCheck",
            "aws:sagemaker/endpoint:Endpoint",
        ),
        Effect.READS,
    ),
}
"""Type whose resources take alarms, and are none, to what they do to them."""

_CALLS = frozenset(
    {
        "deletealarms",
        "disablealarmactions",
        "putalarmmuterule",
        "putcompositealarm",
        "putmetricalarm",
        "setalarmstate",
    }
)
"""Calls of CloudWatch's API that silence alarms or set their state, from schedules and workflows."""

_UNIVERSAL = ("arn:aws:scheduler:::aws-sdk:cloudwatch:", "arn:aws:states:::aws-sdk:cloudwatch:")


@dataclass(frozen=True)
class Silence:
    """One thing that silences an alarm."""

    resource: Resource
    """The resource to change."""
    alarm: Resource | None
    """None if it is not known which, and may be any."""
    what: str
    """As the middle of a sentence, before the name of the alarm."""


def silences(index: Index) -> Iterator[Silence]:
    """Yield what silences alarms from elsewhere."""
    for rule in index.of(types.MUTE_RULE):
        names = rule.get("muteTargets", "alarmNames")
        yield from _on(index, rule, "muteTargets", names, "mutes the actions of")
    for rule in index.of("aws:iot/topicRule:TopicRule"):
        for key, path in (("cloudwatchAlarms", ()), ("errorAction", ("cloudwatchAlarm",))):
            for action in entries(rule.get(key, *path)):
                name = UNKNOWN if action is UNKNOWN else get(action, "alarmName")
                yield from _on(index, rule, key, name, "sets the state of")
    for schedule in index.of(types.SCHEDULE):
        call = _call(schedule.get("target", "arn"))
        if call:
            data = parsed(schedule.get("target", "input"))
            yield from _on(index, schedule, "target", _named(data), f"calls {call} on")
    for machine in index.of(types.STATE_MACHINE):
        for data in _states(parsed(machine.get("definition"))):
            call = _call(get(data, "Resource"))
            if call:
                arguments = [get(data, "Parameters"), get(data, "Arguments")]
                names = [name for each in arguments if each is not ABSENT for name in entries(_named(each))]
                yield from _on(index, machine, "definition", names or UNKNOWN, f"calls {call} on")


def properties(alarm: Resource, minutes: float, *, wall_clock: bool) -> Iterator[str]:
    """Yield what an alarm's own properties do to its actions, as the end of a sentence.

    Args:
        alarm: A metric or composite alarm.
        minutes: Longest warm-up that is accepted.
        wall_clock: Whether an evaluation window that waits for the clock is accepted.

    """
    suppressor = alarm.get("actionsSuppressor")
    if suppressor is UNKNOWN or get(suppressor, "alarm") not in (ABSENT, ""):
        yield "does nothing while its actionsSuppressor is red"
    warm_up = alarm.get("warmUpConfiguration")
    if warm_up is not ABSENT:
        length = number(get(warm_up, "warmUpPeriodDurationInMinutes"))
        if not isinstance(length, float):
            yield "does nothing in a warm-up (warmUpConfiguration) whose length is not known"
        elif length > minutes:
            yield (
                f"does nothing for {length:g} minutes after each change of it (warmUpConfiguration); at most "
                f"{minutes:g} are accepted"
            )
    window = alarm.get("evaluationWindow")
    if not wall_clock and (window is UNKNOWN or get(window, "wallClockWindow") is not ABSENT):
        yield "waits for the clock before it is evaluated (evaluationWindow)"


def _on(index: Index, owner: Resource, key: str, names: Any, what: str) -> Iterator[Silence]:
    """Yield the alarms of a value, which may be a list: those of this stack, and any if it is not known."""
    for name in entries(names):
        if isinstance(name, str):
            node = index.literal(name, arns.ALARM, owner)
            found = [node.resource] if node.resource else []
        else:
            found = [node.resource for node in index.origins(owner, key, (arns.ALARM,)) if node.resource]
            if not found:
                yield Silence(owner, None, what)
        yield from (Silence(owner, alarm, what) for alarm in found)


def _call(arn: Any) -> str:
    """Return the call of CloudWatch's API that an ARN stands for; empty if it silences no alarm."""
    prefix = next((each for each in _UNIVERSAL if isinstance(arn, str) and arn.startswith(each)), None)
    call = str(arn).removeprefix(prefix).split(".")[0] if prefix else ""
    return call if call.lower() in _CALLS else ""


def _named(data: Any) -> Any:
    """Return the names of alarms in the arguments of a call; UNKNOWN if they cannot be read."""
    if not isinstance(data, dict):
        return UNKNOWN
    arguments = cast("dict[str, Any]", data)
    targets = get(arguments, "MuteTargets", "AlarmNames")
    found = [get(arguments, "AlarmName"), *entries(get(arguments, "AlarmNames")), *entries(targets)]
    known = [name for name in found if name is not ABSENT]
    return known or UNKNOWN


def _states(definition: Any) -> Iterator[Any]:
    todo = [definition]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            data = cast("dict[str, Any]", each)
            if "Resource" in data:
                yield data
            todo += data.values()
        elif isinstance(each, list):
            todo += cast("list[Any]", each)
