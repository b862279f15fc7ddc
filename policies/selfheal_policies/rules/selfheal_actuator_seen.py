"""What may heal and is not judged by this pack is named, so that nobody takes silence for a judgement."""

from collections.abc import Iterable, Iterator

from selfheal_policies import types
from selfheal_policies.actuators import Kind, actuations
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, listed, strings
from selfheal_policies.rules.selfheal_actuator_bounded import path
from selfheal_policies.values import ABSENT, get

NATIVE = "aws-native:"
"""Beginning of the types of another provider of AWS's resources, whose properties have other names."""

SERVICES = frozenset(
    {
        *("cloudwatch", "codebuild", "ecs", "events", "iam", "lambda", "pipes", "scheduler", "sns", "sqs"),
        *("ssm", "ssmincidents", "stepfunctions"),
    }
)
"""Services of which a resource can stand on a way from an alarm to a change."""

TEMPLATES = ("aws:cloudformation/stack:Stack", "aws:cloudformation/stackSet:StackSet")

_CHANGES = (
    *("update", "put", "delete", "publish", "create", "add", "remove", "set"),
    *("invoke", "start", "stop", "reboot", "terminate", "modify"),
)


def _elsewhere(graph: Graph, accepted: list[str]) -> Iterator[Resource]:
    """Yield the resources whose insides the pack does not see."""
    for resource in graph.index.by_urn.values():
        if resource.name in accepted:
            continue
        service = resource.type.removeprefix(NATIVE).split(":", 1)[0]
        if resource.type in TEMPLATES or (resource.type.startswith(NATIVE) and service in SERVICES):
            yield resource


BY_THEMSELVES = {
    "aws:budgets/budgetAction:BudgetAction": ("approvalModel", ("MANUAL",)),
    "aws:cfg/remediationConfiguration:RemediationConfiguration": ("automatic", (False, "false", ABSENT)),
}
"""Type of what AWS starts by itself, though by no alarm, to the property and values by which it does not."""


def _by_themselves(graph: Graph) -> Iterator[Resource]:
    for type_, (key, asking) in BY_THEMSELVES.items():
        yield from (each for each in graph.index.of(type_) if each.get(key) not in asking)


def _schedules(graph: Graph) -> Iterator[tuple[Resource, str]]:
    """Yield the schedules that change functions by themselves."""
    for schedule in graph.index.of(types.SCHEDULE):
        arn = get(schedule.props, "target", "arn")
        call = arn.partition(":aws-sdk:lambda:")[2] if isinstance(arn, str) else ""
        if call.lower().startswith(_CHANGES):
            yield schedule, call


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what was seen and not judged."""
    accepted: list[str] = config["accepted"]
    reached = graph.keys_reached
    for each in actuations(graph.index):
        if each.kind is Kind.OWN and each.source in reached and each.via.name not in accepted:
            yield Finding(
                each.via.urn,
                f"{each.via.label} starts {each.what}, which this pack does not judge ({path(graph, each)})",
            )
    for schedule, call in _schedules(graph):
        if schedule.name not in accepted:
            yield Finding(schedule.urn, f"{schedule.label} calls lambda:{call} by itself, and is not judged")
    for each in _by_themselves(graph):
        if each.name not in accepted:
            yield Finding(each.urn, f"{each.name} ({each.type}) remedies by itself, and is not judged")
    unseen = list(_elsewhere(graph, accepted))
    if unseen:
        yield Finding(
            unseen[0].urn,
            f"this pack sees no inside of {listed(f'{each.name} ({each.type})' for each in unseen)}",
        )


RULE = StackRule(
    name="selfheal-actuator-seen",
    level="advisory",
    severity="medium",
    what=(
        "What may change something and is out of this pack's scope is looked at by a person: EC2's own "
        "actions on alarms, incidents of other stacks, schedules that change functions, remediations of AWS "
        "Config and Budgets, and resources of aws-native and CloudFormation."
    ),
    why="Silence would be taken for a judgement.",
    fix="Look at it yourself, and name it in `accepted`.",
    schema={"accepted": strings("Logical names of resources that somebody has looked at.")},
    check=check,
)
