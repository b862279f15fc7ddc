"""Finds what a property refers to: by the name or ARN that it holds, or by what its value depends on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns
from selfheal_policies.arns import Arn
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, entries, text

ALARM_TYPES = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
ALIAS = "aws:lambda/alias:Alias"

NAMED: Mapping[str, tuple[str, str]] = {
    ALARM_TYPES[0]: (arns.ALARM, "name"),
    ALARM_TYPES[1]: (arns.ALARM, "alarmName"),
    "aws:cloudwatch/eventRule:EventRule": (arns.RULE, "name"),
    "aws:dynamodb/table:Table": (arns.TABLE, "name"),
    "aws:iam/policy:Policy": (arns.POLICY, "name"),
    "aws:iam/role:Role": (arns.ROLE, "name"),
    "aws:kms/alias:Alias": (arns.KEY_ALIAS, "name"),
    "aws:kms/key:Key": (arns.KEY, "keyId"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (arns.MAPPING, "uuid"),
    "aws:lambda/function:Function": (arns.FUNCTION, "name"),
    "aws:sfn/stateMachine:StateMachine": (arns.MACHINE, "name"),
    "aws:sns/topic:Topic": (arns.TOPIC, "name"),
    "aws:sqs/queue:Queue": (arns.QUEUE, "name"),
}
"""Type to what ARNs call it, and the property that holds the name in its ARN."""


@dataclass(frozen=True)
class Node:
    """Something that a reference leads to, of this stack or not."""

    kind: str
    key: str
    """The URN; for what is not of this stack, its kind and name."""
    resource: Resource | None = None
    qualifier: str = ""
    """Alias or version through which a function was named."""

    @property
    def label(self) -> str:
        """Its name, for people."""
        return self.resource.name if self.resource else self.key.split(":", 1)[1]


@dataclass(frozen=True)
class Unresolved:
    """A reference that cannot be followed. It is kept, so that a rule reports it."""

    resource: Resource
    property: str


class Index:
    """The resources of one stack by URN, by type and by name."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        """Sort them in; nothing is followed yet."""
        self.by_urn = {resource.urn: resource for resource in resources}
        self.unresolved: list[Unresolved] = []
        self._referring: dict[tuple[str, str], dict[str, list[tuple[Resource, Node]]]] = {}
        self._by_type: dict[str, list[Resource]] = {}
        self._by_name: dict[tuple[str, str], list[Resource]] = {}
        for resource in self.by_urn.values():
            self._by_type.setdefault(resource.type, []).append(resource)
            kind, key = NAMED.get(resource.type, ("", ""))
            name = text(resource.get(key)) if kind else None
            if isinstance(name, str):
                self._by_name.setdefault((kind, name), []).append(resource)

    def of(self, *types: str) -> list[Resource]:
        """Return the resources of these types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]

    def node(self, resource: Resource) -> Node:
        """Return the node of a resource of this stack."""
        return Node(NAMED[resource.type][0], resource.urn, resource)

    def literal(self, value: str, kind: str) -> Node:
        """Return what a text names; `kind` is what a bare name stands for."""
        arn = arns.named(value, kind)
        for resource in self._by_name.get((arn.kind, arn.name), ()):
            if _may_be(resource, value, arn):
                return Node(arn.kind, resource.urn, resource, arn.qualifier)
        return Node(arn.kind, f"{arn.kind}:{arn.name}", None, arn.qualifier)

    def follow(self, owner: Resource, key: str, value: Any, kinds: Collection[str]) -> list[Node]:
        """Return what a property's value, one or a list, refers to; the first of `kinds` is a bare name's.

        Args:
            owner: Whose property it is.
            key: Its top-level property, by which dependencies are known.
            value: What lies there, or deeper in it.
            kinds: What it may refer to. A dependency of another kind only delays it.

        """
        kind = next(iter(kinds))
        values = entries(value)
        found = [self.literal(each, kind) for each in values if isinstance(each, str) and each]
        hidden = sum(each is UNKNOWN for each in values)
        if not hidden:
            return found
        origins = self.origins(owner, key, kinds)
        known = {node.key for node in found}
        fresh = [node for node in origins if node.key not in known] or origins
        # One value that depends on two topics may be either, and of two that depend on one topic one may be
        # anything: what there is is followed, and it is said.
        if not fresh or (value is not UNKNOWN and len(fresh) != hidden):
            self.unresolved.append(Unresolved(owner, key))
        return found + fresh

    def origins(self, owner: Resource, key: str, kinds: Collection[str]) -> list[Node]:
        """Return the resources of these kinds that a property's value depends on."""
        found: dict[str, Node] = {}
        for urn in owner.references.get(key, ()):
            resource = self.by_urn.get(urn)
            if resource is None:
                continue
            if resource.type == ALIAS and arns.FUNCTION in kinds:
                for node in self.alias(resource):
                    # The alias says more than the function that the same value may depend on.
                    found[node.key] = node
            elif resource.type in NAMED and NAMED[resource.type][0] in kinds:
                found.setdefault(resource.urn, self.node(resource))
        return list(found.values())

    def follow_quietly(self, owner: Resource, key: str, kinds: Collection[str]) -> list[Node]:
        """Return what a property refers to; that it cannot be resolved is told by somebody else."""
        before = len(self.unresolved)
        found = self.follow(owner, key, owner.get(key), kinds)
        del self.unresolved[before:]
        return found

    def referring(self, target: str, type_: str, key: str, kind: str) -> list[tuple[Resource, Node]]:
        """Return the resources of a type whose property refers to a target, each with how it names it."""
        if (type_, key) not in self._referring:
            found: dict[str, list[tuple[Resource, Node]]] = {}
            for owner in self.of(type_):
                for node in self.follow_quietly(owner, key, (kind,)):
                    found.setdefault(node.key, []).append((owner, node))
            self._referring[type_, key] = found
        return self._referring[type_, key].get(target, [])

    def literal_or_origin(self, owner: Resource, key: str, kind: str) -> list[Node]:
        """Return what a property refers to, if it is of this kind and known or a dependency: no complaint."""
        value = owner.get(key)
        if isinstance(value, str):
            arn = arns.parse_arn(value)
            return [self.literal(value, kind)] if arn and arn.kind == kind else []
        return self.origins(owner, key, (kind,)) if value is UNKNOWN else []

    def alias(self, alias: Resource) -> Iterable[Node]:
        """Return the function of an alias, qualified by it."""
        name = text(alias.get("name"))
        for node in self.follow(alias, "functionName", alias.get("functionName"), (arns.FUNCTION,)):
            yield Node(node.kind, node.key, node.resource, name if isinstance(name, str) else alias.urn)


def _may_be(resource: Resource, value: str, arn: Arn) -> bool:
    """Return whether a resource with the right name is the one: not one of that name elsewhere."""
    own = text(resource.get("arn"))
    if isinstance(own, str) and value.startswith("arn:"):
        full = arns.parse_arn(own)
        return full is None or (full.account, full.region) == (arn.account, arn.region)
    region = text(resource.get("region"))
    return not (isinstance(region, str) and arn.region and region != arn.region)
