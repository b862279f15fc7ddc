"""What changes something by itself when it is reached, without a function or state machine of this stack.

A rule, a pipe or an incident can start an automation, a command, a build or a task; an alarm can reboot an
instance. Nothing of them asks for a budget, proves that it helped, or takes anything back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfheal_policies import arns, links, types
from selfheal_policies.grants import queues_read_by
from selfheal_policies.index import Index
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, get, text


class Kind(StrEnum):
    """How far it can be judged."""

    UNBOUNDED = "unbounded"
    """It changes what it is told to, and nothing here bounds it."""
    BY_ROLE = "by role"
    """It runs code under a role, which says what it may change."""
    OWN = "own"
    """AWS's own reaction to an alarm, on the one thing that the alarm watches: seen, and not judged."""


@dataclass(frozen=True)
class Actuation:
    """One place where something is started that may change something."""

    via: Resource
    """What starts it: the resource to change."""
    source: str
    """The key of the alarm, rule, queue or stream that it is started by."""
    kind: Kind
    what: str
    """What it is, for people, with its name."""
    arn: str = ""
    """As it is written; empty if that is not known."""
    actor: Resource | None = None
    """What runs under a role, if it is of this stack."""


TARGETS: Mapping[tuple[str, str], tuple[Kind, str]] = {
    ("ssm", "automation-definition/"): (Kind.UNBOUNDED, "the automation"),
    ("ssm", "document/"): (Kind.UNBOUNDED, "the command"),
    ("events", "target/"): (Kind.UNBOUNDED, "EventBridge's own action"),
    ("codebuild", "project/"): (Kind.BY_ROLE, "the build"),
    ("codepipeline", ""): (Kind.UNBOUNDED, "the pipeline"),
    ("ecs", ""): (Kind.BY_ROLE, "the task on"),
    ("batch", ""): (Kind.UNBOUNDED, "the job in"),
    ("glue", ""): (Kind.UNBOUNDED, "the workflow"),
    ("sagemaker", ""): (Kind.UNBOUNDED, "the pipeline"),
    ("redshift", ""): (Kind.UNBOUNDED, "the statement on"),
    ("redshift-serverless", ""): (Kind.UNBOUNDED, "the statement on"),
    ("imagebuilder", ""): (Kind.UNBOUNDED, "the image pipeline"),
    ("apigateway", ""): (Kind.OWN, "the API"),
    ("execute-api", ""): (Kind.OWN, "the API"),
    ("appsync", ""): (Kind.OWN, "the API"),
}
"""Service and beginning of the resource in the ARN of a target to what it starts.

Source: Amazon EventBridge user guide, "Event bus targets available in EventBridge". Topics, queues, streams,
buses, log groups and API destinations pass an event on; functions and state machines are actors of the graph.
"""

ACTIONS: Mapping[str, str] = {
    "automate": "EC2's own action",
    "swf": "EC2's own action",
    "aiops": "the investigation in",
}
"""Service of the ARN of an alarm's action to what it starts. Scaling policies are a part of what they scale.

Source: Amazon CloudWatch API reference, PutMetricAlarm, AlarmActions.
"""

DEPENDENCIES: Mapping[str, tuple[Kind, str]] = {
    types.SSM_DOCUMENT: (Kind.UNBOUNDED, "the document"),
    types.BUILD: (Kind.BY_ROLE, "the build"),
    types.PIPELINE: (Kind.UNBOUNDED, "the pipeline"),
    types.CLUSTER: (Kind.BY_ROLE, "the task on"),
    types.JOB_QUEUE: (Kind.UNBOUNDED, "the job in"),
    types.WORKFLOW: (Kind.UNBOUNDED, "the workflow"),
    types.REDSHIFT: (Kind.UNBOUNDED, "the statement on"),
}
"""Type of what an unknown ARN comes from to what it starts."""


def actuations(index: Index) -> Iterator[Actuation]:
    """Yield every place of a stack where something is started that may change something."""
    for target in index.of(types.EVENT_TARGET):
        for source in _rules(index, target):
            yield from _started(index, target, source, "arn")
    for pipe in index.of(types.PIPE):
        for node in index.follow_quietly(pipe, "source", (arns.QUEUE, arns.STREAM, arns.TABLE)):
            yield from _started(index, pipe, node.key, "target")
            yield from _started(index, pipe, node.key, "enrichment")
    for task in index.of(types.TASK_DEFINITION):
        for queue, _ in queues_read_by(index, task):
            yield Actuation(task, queue.key, Kind.BY_ROLE, f"a task that reads {queue.name}", "", task)
    for alarm in index.of(*types.ALARMS):
        for key in links.ACTIONS:
            for value in entries(alarm.get(key)):
                yield from _acted(index, alarm, value)
        yield from _plans(index, alarm)


def _rules(index: Index, target: Resource) -> Iterator[str]:
    for node in index.follow_quietly(target, "rule", (arns.RULE,)):
        yield node.resource.urn if node.resource else node.key


def _started(index: Index, via: Resource, source: str, key: str) -> Iterator[Actuation]:
    value = text(via.get(key))
    if isinstance(value, str):
        service, rest = _parts(value)
        for (owner, beginning), (kind, what) in TARGETS.items():
            if service == owner and rest.startswith(beginning):
                actor = _task(index, via) if service == "ecs" else _project(index, value)
                yield Actuation(via, source, kind, f"{what} {_name(rest)}", value, actor)
                return
    elif value is UNKNOWN:
        for each in _dependencies(index, via, key):
            kind, what = DEPENDENCIES[each.type]
            actor = _task(index, via) if each.type == types.CLUSTER else each
            yield Actuation(via, source, kind, f"{what} {each.name}", "", actor)


def _acted(index: Index, alarm: Resource, value: Any) -> Iterator[Actuation]:
    if not isinstance(value, str):
        return
    service, rest = _parts(value)
    if service in ACTIONS:
        yield Actuation(alarm, alarm.urn, Kind.OWN, f"{ACTIONS[service]} {rest}", value)
    if service == "ssm-incidents" and not any(
        text(each.get("arn")) == value or text(each.get("name")) == _name(rest)
        for each in index.of(types.RESPONSE_PLAN)
    ):
        yield Actuation(alarm, alarm.urn, Kind.OWN, f"the response plan {_name(rest)}", value)


def _plans(index: Index, alarm: Resource) -> Iterator[Actuation]:
    """Yield the automations of the response plans of this stack that an alarm starts."""
    for plan in index.of(types.RESPONSE_PLAN):
        if not _names(alarm, plan):
            continue
        automations = get(plan.props, "action", "ssmAutomations")
        for automation in entries(automations):
            name = text(get(automation, "documentName"))
            shown = name if isinstance(name, str) else "that is not known at preview"
            what = f"the automation {shown} of response plan {plan.name}"
            yield Actuation(plan, alarm.urn, Kind.UNBOUNDED, what, shown)


def _names(alarm: Resource, plan: Resource) -> bool:
    """Return whether an alarm starts a response plan."""
    name = text(plan.get("name"))
    for key in links.ACTIONS:
        if plan.urn in alarm.references.get(key, ()):
            return True
        for value in entries(alarm.get(key)):
            if isinstance(value, str) and isinstance(name, str) and value.endswith(f":response-plan/{name}"):
                return True
    return False


def _dependencies(index: Index, via: Resource, key: str) -> list[Resource]:
    found = (index.by_urn.get(urn) for urn in via.references.get(key, ()))
    return [each for each in found if each is not None and each.type in DEPENDENCIES]


def _task(index: Index, via: Resource) -> Resource | None:
    """Return the definition of the task that a target runs, if it is of this stack."""
    value = via.get("ecsTarget", "taskDefinitionArn")
    if value is ABSENT:
        value = via.get("targetParameters", "ecsTaskParameters", "taskDefinitionArn")
    keys = ("ecsTarget", "targetParameters")
    for each in index.of(types.TASK_DEFINITION):
        family = text(each.get("family"))
        if isinstance(value, str) and isinstance(family, str):
            if value.rsplit("/", 1)[-1].split(":", 1)[0] == family:
                return each
        elif value is UNKNOWN and any(each.urn in via.references.get(key, ()) for key in keys):
            return each
    return None


def _project(index: Index, arn: str) -> Resource | None:
    name = arn.rsplit("/", 1)[-1]
    return next((each for each in index.of(types.BUILD) if text(each.get("name")) == name), None)


def _parts(arn: str) -> tuple[str, str]:
    """Return the service and the resource of an ARN; both are empty for other text."""
    parts = arn.split(":", 5)
    return (parts[2], parts[5]) if len(parts) > 5 and parts[0] == "arn" else ("", "")  # noqa: PLR2004 - see arns


def _name(rest: str) -> str:
    return rest.rsplit("/", 1)[-1]
