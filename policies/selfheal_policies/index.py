"""Resolves references: by the name or ARN that a property holds, or by what its value depends on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from selfheal_policies import arns, places, types
from selfheal_policies.parts import APART, part_of
from selfheal_policies.places import Place
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, text

NAMED: Mapping[str, tuple[str, str]] = {
    types.ALARM: (arns.ALARM, "name"),
    types.COMPOSITE_ALARM: (arns.ALARM, "alarmName"),
    types.BUCKET: (arns.BUCKET, "bucket"),
    types.DELIVERY_STREAM: (arns.DELIVERY, "name"),
    types.EVENT_BUS: (arns.BUS, "name"),
    types.EVENT_RULE: (arns.RULE, "name"),
    types.EVENT_SOURCE_MAPPING: (arns.MAPPING, "uuid"),
    types.FUNCTION: (arns.FUNCTION, "name"),
    types.KEY: (arns.KEY, "keyId"),
    types.KEY_ALIAS: (arns.KEY_ALIAS, "name"),
    types.KEY_EXTERNAL: (arns.KEY, "keyId"),
    types.KEY_REPLICA: (arns.KEY, "keyId"),
    types.LOG_ALARM: (arns.ALARM, "name"),
    types.LOG_GROUP: (arns.LOG_GROUP, "name"),
    types.POLICY: (arns.POLICY, "name"),
    types.QUEUE: (arns.QUEUE, "name"),
    types.ROLE: (arns.ROLE, "name"),
    types.STATE_MACHINE: (arns.MACHINE, "name"),
    types.STREAM: (arns.STREAM, "name"),
    types.TABLE: (arns.TABLE, "name"),
    types.TOPIC: (arns.TOPIC, "name"),
}
"""Type to the kind of its ARN, and the property that holds the name in it."""

LEADS_TO: Mapping[str, tuple[str, str]] = {
    types.FUNCTION_URL: (arns.FUNCTION, "functionName"),
    types.MACHINE_ALIAS: (arns.MACHINE, "routingConfigurations"),
    types.STREAM_CONSUMER: (arns.STREAM, "streamArn"),
}
"""Type of what stands for another resource, to that one's kind, and the property that names it."""


@dataclass(frozen=True)
class Node:
    """Something that a reference leads to, of this stack or not."""

    kind: str
    key: str
    """The URN; for what is not of this stack, its kind and name, and where it is if that is not here."""
    resource: Resource | None = None
    qualifier: str = ""
    """Alias or version through which a function was named."""

    @property
    def name(self) -> str:
        """Its logical name; of what is not of this stack, the one in its ARN, as "orders@eu-west-1"."""
        return self.resource.name if self.resource else self.key.split(":", 1)[1]


@dataclass(frozen=True)
class Unresolved:
    """A reference that cannot be resolved. It is kept so that a rule can report it."""

    resource: Resource
    property: str


class Index:
    """The resources of one stack by URN, by type and by name."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        """Index them; no reference is resolved yet."""
        self.by_urn = {resource.urn: resource for resource in resources}
        self.unresolved: list[Unresolved] = []
        self._referring: dict[tuple[str, str], dict[str, list[tuple[Resource, Node]]]] = {}
        self._by_type: dict[str, list[Resource]] = {}
        self._by_name: dict[tuple[str, str], list[Resource]] = {}
        self._places: dict[str, Place] = {}
        self._says: dict[str, Place] = {}
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

    def literal(self, value: str, kind: str, at: Resource | None = None) -> Node:
        """Return what a text names; `kind` is what a bare name stands for, and `at` where it is written.

        An ARN names a resource of this stack only if that can be in its region and account. A bare name is
        one of the region and the account of the resource in which it stands.
        """
        arn = arns.named(value, kind)
        if at and not value.startswith("arn:"):
            arn = self.place(at).named(arn)
        held = self._by_name.get((arn.kind, arn.name), ())
        found = [resource for resource in held if self.place(resource).may_hold(arn)]
        if found:
            # Of two that it may be, the one that the same provider makes.
            resource = next((each for each in found if at and each.provider == at.provider), found[0])
            return Node(arn.kind, resource.urn, resource, arn.qualifier)
        elsewhere = self._home.told_apart(arn)
        name = f"{arn.name}@{elsewhere}" if elsewhere and arn.kind != arns.OTHER else arn.name
        return Node(arn.kind, f"{arn.kind}:{name}", None, arn.qualifier)

    def place(self, resource: Resource) -> Place:
        """Return where a resource is, as far as it is known or its stack's other ARNs tell."""
        if resource.urn not in self._places:
            said = self.stated(resource)
            likely = said if said.region and said.account else self._likely.get(resource.provider, said)
            self._places[resource.urn] = said.or_else(likely)
        return self._places[resource.urn]

    def are_apart(self, one: Resource, other: Resource) -> bool:
        """Return whether two resources are known to be in different regions or accounts."""
        pairs = zip(_sides(self.stated(one)), _sides(self.stated(other)), strict=True)
        return any(left and right and left != right for left, right in pairs)

    def stated(self, resource: Resource) -> Place:
        """Return where a resource is, as far as itself or its provider says it."""
        if resource.urn not in self._says:
            self._says[resource.urn] = self._read_place(resource)
        return self._says[resource.urn]

    def _read_place(self, resource: Resource) -> Place:
        own = resource.get("arn") if resource.type in NAMED else ABSENT
        return places.of_resource(resource.get("region"), own).or_else(resource.provided)

    @cached_property
    def _likely(self) -> Mapping[str, Place]:
        """Provider to where the ARNs that name its resources, or that these have, are mostly.

        Its account is hardly ever said. A stack that names its resources by ARNs tells it in passing.
        """
        found: dict[str, list[tuple[str, str]]] = {}
        for owner in self.by_urn.values():
            for arn in places.written(owner.props):
                for resource in self._by_name.get((arn.kind, arn.name), ()):
                    found.setdefault(resource.provider, []).append((arn.region, arn.account))
        return {provider: places.commonest(held, above=0.5) for provider, held in found.items()}

    @cached_property
    def _home(self) -> Place:
        """Where most of this stack is."""
        return places.commonest((_sides(self.place(each)) for each in self.by_urn.values()), above=0)

    def follow(self, owner: Resource, key: str, kinds: Sequence[str], *path: str) -> list[Node]:
        """Return what a property refers to. What cannot be resolved is added to `unresolved`.

        Args:
            owner: The resource whose property it is.
            key: The top-level property, by which dependencies are known.
            kinds: What the property may refer to; a bare name is of the first kind. A dependency of another
                kind only delays the resource.
            path: Where the reference, or a list of references, lies inside the property.

        """
        value = owner.get(key, *path)
        values = entries(value)
        found = [self.literal(each, kinds[0], owner) for each in values if isinstance(each, str) and each]
        hidden = sum(each is UNKNOWN for each in values)
        if not hidden:
            return found
        origins = self.origins(owner, key, kinds)
        known = {node.key for node in found}
        fresh = [node for node in origins if node.key not in known] or origins
        apart = self._apart(owner, key, kinds)
        elsewhere = [] if fresh else self._elsewhere(owner, key, kinds[0])
        # One value that depends on two topics may be either of them, and of two values that depend on one
        # topic one may be anything: follow what there is, and report it.
        if value is UNKNOWN:
            resolved = bool(fresh or apart or elsewhere)
        else:
            resolved = bool(elsewhere) or len(fresh) <= hidden <= len(fresh) + apart
        if not resolved:
            self.unresolved.append(Unresolved(owner, key))
        return found + fresh + elsewhere

    def _apart(self, owner: Resource, key: str, kinds: Collection[str]) -> int:
        """Return how many resources a property depends on that can stand there and wake nobody."""
        resources = [self.by_urn.get(urn) for urn in owner.references.get(key, ())]
        return sum(
            part_of(each.type) in APART and each.type not in types.ACTORS
            for each in resources
            if each and NAMED.get(each.type, ("",))[0] not in kinds
        )

    def _elsewhere(self, owner: Resource, key: str, kind: str) -> list[Node]:
        """Return what outputs of other stacks may be that a property depends on."""
        resources = [self.by_urn.get(urn) for urn in owner.references.get(key, ())]
        return [
            Node(kind, f"{kind}:an output of {each.name}")
            for each in resources
            if each and each.type == types.STACK_REFERENCE
        ]

    def origins(self, owner: Resource, key: str, kinds: Collection[str]) -> list[Node]:
        """Return the resources of these kinds that a property's value depends on."""
        found: dict[str, Node] = {}
        for urn in owner.references.get(key, ()):
            resource = self.by_urn.get(urn)
            if resource is None:
                continue
            if resource.type == types.ALIAS and arns.FUNCTION in kinds:
                for node in self.alias(resource):
                    # The alias says more than the function that the same value may depend on.
                    found[node.key] = node
            elif resource.type in LEADS_TO and LEADS_TO[resource.type][0] in kinds:
                kind, named_by = LEADS_TO[resource.type]
                for node in self.follow_quietly(resource, named_by, (kind,)):
                    found.setdefault(node.key, node)
            elif resource.type in NAMED and NAMED[resource.type][0] in kinds:
                found.setdefault(resource.urn, self.node(resource))
        return list(found.values())

    def follow_quietly(self, owner: Resource, key: str, kinds: Sequence[str], *path: str) -> list[Node]:
        """Return what a property refers to, and report nothing: another rule does."""
        before = len(self.unresolved)
        found = self.follow(owner, key, kinds, *path)
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

    def of_kind(self, owner: Resource, key: str, kind: str) -> list[Node]:
        """Return what a property refers to if that is of this kind, and report nothing."""
        value = owner.get(key)
        if isinstance(value, str):
            arn = arns.parse_arn(value)
            return [self.literal(value, kind)] if arn and arn.kind == kind else []
        return self.origins(owner, key, (kind,)) if value is UNKNOWN else []

    def alias(self, alias: Resource) -> Iterable[Node]:
        """Return the function of an alias, qualified by it."""
        name = text(alias.get("name"))
        for node in self.follow(alias, "functionName", (arns.FUNCTION,)):
            yield Node(node.kind, node.key, node.resource, name if isinstance(name, str) else alias.urn)


def _sides(place: Place) -> tuple[str, str]:
    return place.region, place.account
