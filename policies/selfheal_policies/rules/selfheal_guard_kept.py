"""Pulumi ignores no change of what guards a healer: its alarms' actions, its role, and who may wake it."""

import re
from collections.abc import Iterable, Iterator, Mapping

from selfheal_policies import types
from selfheal_policies.doors import policies_of, woken_by
from selfheal_policies.grants import boundary_of, grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.silencing import PROPERTIES, Effect
from selfheal_policies.values import ABSENT

_OF_ALARMS = tuple(
    sorted(
        name for name, effect in PROPERTIES.items() if effect in (Effect.SWITCHES, Effect.DELAYS, Effect.ACTS)
    )
)

GUARDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(types.ALARMS, _OF_ALARMS),
    types.EVENT_RULE: ("eventPattern", "isEnabled", "state"),
    types.FUNCTION: ("reservedConcurrentExecutions", "role"),
    types.POLICY: ("policy",),
    types.QUEUE: ("policy",),
    types.QUEUE_POLICY: ("policy",),
    types.ROLE: ("assumeRolePolicy", "inlinePolicies", "managedPolicyArns", "permissionsBoundary"),
    types.ROLE_POLICY: ("policy",),
    types.STATE_MACHINE: ("definition", "roleArn"),
    types.TOPIC: ("policy",),
    types.TOPIC_POLICY: ("policy",),
}
"""Type to the properties by which other rules judge a healer. What says when an alarm rings may be tuned, and
what a healer or a breaker changes of a mapping is its own: see lambda-mapping-owned."""

_FIRST = re.compile(r'^(?:\["([^"]+)"\]|([^.\[]+))')
"""The top-level property of a path, in either spelling."""


def ignored(resource: Resource) -> list[str]:
    """Return the properties that guard a healer, that the program gives, and whose changes Pulumi ignores."""
    found = (match for path in resource.ignores if (match := _FIRST.match(path)))
    first = {match[1] or match[2] for match in found}
    # What a program leaves out has a value as well, once AWS has chosen it.
    given = (
        name
        for name in GUARDS.get(resource.type, ())
        if name in resource.references and resource.get(name) is not ABSENT
    )
    return [name for name in given if name in first or "*" in first]


def _guards(graph: Graph) -> Iterator[tuple[Resource, str, str]]:
    """Yield what guards healers, each with what it is, and the URN of the healer."""
    for alarm in (graph.wake_alarms | graph.health_alarms).values():
        yield alarm, "which wakes a healer or watches one", graph.concerned(alarm)
    for healer in graph.healers:
        yield healer, "a healer", healer.urn
        for role in (role for each in (healer, *graph.actuators_of(healer)) for role in graph.roles_of(each)):
            yield from ((each, what, healer.urn) for each, what in _bounds(graph, role, healer.name))
    for key, urn in woken_by(graph).items():
        resource = graph.index.by_urn.get(key)
        yield from ((each, what, urn) for each, what in _doors(graph, resource)) if resource else ()


def _bounds(graph: Graph, role: Resource, healer: str) -> Iterator[tuple[Resource, str]]:
    yield role, f"the role of healer {healer}"
    yield from (
        (grant.resource, f"which says what healer {healer} may do") for grant in grants_of(graph.index, role)
    )
    if bound := boundary_of(graph.index, role):
        yield bound, f"the boundary of healer {healer}"


def _doors(graph: Graph, resource: Resource) -> Iterator[tuple[Resource, str]]:
    if resource.type == types.EVENT_RULE:
        yield resource, "which wakes a healer"
    for held in policies_of(graph, resource) if resource.type in (types.TOPIC, types.QUEUE) else ():
        yield held.holder, f"which says who may wake a healer by {resource.label}"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what guards healers and is left as it is, whatever the program says."""
    told: set[str] = set()
    for resource, what, healer in _guards(graph):
        names = ignored(resource)
        if names and resource.urn not in told and resource.name not in config["accepted"]:
            told.add(resource.urn)
            yield Finding(
                resource.urn,
                f"Pulumi ignores changes of {', '.join(names)} of {resource.label}, {what}",
                healer,
            )


RULE = StackRule(
    name="selfheal-guard-kept",
    level="mandatory",
    severity="high",
    what=(
        "Pulumi ignores no change of the actions of a healer's alarms, of its role, policies and boundary, "
        "or of who may wake it."
    ),
    why=(
        "What the program says, and this pack judges, is then not what is deployed: what somebody changes by "
        "hand stays so, and a correction in the program never arrives."
    ),
    fix=(
        "Take the property out of ignore_changes. Of an alarm, the threshold may be ignored; of a mapping "
        "that a healer pauses, `enabled`. What another tool keeps, name in `accepted`."
    ),
    schema={
        "accepted": strings("Logical names of resources that another tool keeps and whose state is known."),
    },
    check=check,
)
