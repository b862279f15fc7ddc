"""What an alarm watches: the functions, workflows, queues and tables to which its metrics belong.

A function is watched by its own metrics, and by those of what shows that it fails: its dead-letter queue, the
queue that it reads, a metric filter of its logs, the API that calls it, a query that selects it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from selfheal_policies import arns, types
from selfheal_policies.composite import AlarmRule, parse_rule
from selfheal_policies.dead_letters import NAMING
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.metrics import APIS, COUNTED, LAMBDA, NAMES, NAMES_LOWER, OWNERS, Metric, metrics_of
from selfheal_policies.queries import Condition, Query, queries_in
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, get, parsed, text

if TYPE_CHECKING:
    from selfheal_policies.wiring import Link, Wiring

KINDS = tuple(dict.fromkeys(NAMES.values()))
ACTOR_KINDS = (arns.FUNCTION, arns.MACHINE)

API_TYPES = {
    "aws:apigateway/restApi:RestApi": "ApiName",
    "aws:apigatewayv2/api:Api": "ApiId",
    "aws:appsync/graphQLApi:GraphQLApi": "GraphQLAPIId",
}
"""Type of an API to the dimension that names it."""

_INTEGRATIONS = (
    (types.API_INTEGRATION, "restApi", "uri"),
    ("aws:apigatewayv2/integration:Integration", "apiId", "integrationUri"),
    ("aws:appsync/dataSource:DataSource", "apiId", "lambdaConfig"),
    ("aws:apigateway/restApi:RestApi", "", "body"),
    ("aws:apigatewayv2/api:Api", "", "body"),
    ("aws:apigatewayv2/api:Api", "", "target"),
)
"""Type, the property that names the API (none if it is one), and the property that names functions."""

_ENDS_OF = {
    types.FUNCTION: None,
    types.EVENT_INVOKE_CONFIG: ("functionName",),
    types.EVENT_SOURCE_MAPPING: ("functionName",),
    types.SUBSCRIPTION: ("endpoint",),
    types.EVENT_TARGET: ("arn",),
    types.SCHEDULE: ("target", "arn"),
}
"""Type of what names a dead-letter queue, to where it names the function whose failures end there."""


@dataclass(frozen=True)
class Sight:
    """What one alarm watches."""

    named: frozenset[str]
    """Keys of what its metrics name, and of the functions behind that."""
    wide: frozenset[str]
    """Keys of what its metrics cover without naming it: the account's functions, all that a query selects."""
    problems: tuple[tuple[Resource, str], ...]
    """Metric alarms that get no data for ever, each with the reason."""
    meant: frozenset[str]
    """Keys of what those metrics were meant to name."""


@dataclass(frozen=True)
class _Filter:
    """A metric filter of a log group."""

    namespace: Any
    dimensions: frozenset[str]
    functions: frozenset[str]
    silent: bool
    """Whether it publishes nothing while nothing matches: it has no default value."""


class Watching:
    """What the alarms of one stack watch."""

    def __init__(self, index: Index, wiring: "Wiring") -> None:
        """Follow nothing yet."""
        self._index, self._wiring = index, wiring
        self._sights: dict[str, Sight] = {}
        self._rules: dict[str, AlarmRule] = {}

    def sight(self, alarm: Resource) -> Sight:
        """Return what an alarm watches; a composite watches what its alarms watch."""
        if alarm.urn not in self._sights:
            below = [self._sight(each) for each in self.metric_alarms(alarm)]
            if len(below) == 1:
                self._sights[alarm.urn] = below[0]
            else:
                none = frozenset[str]()
                self._sights[alarm.urn] = Sight(
                    none.union(*(each.named for each in below)),
                    none.union(*(each.wide for each in below)),
                    tuple(problem for each in below for problem in each.problems),
                    none.union(*(each.meant for each in below)),
                )
        return self._sights[alarm.urn]

    def watched(self, alarm: Resource) -> frozenset[str]:
        """Return the keys of what an alarm watches, by name or among others."""
        sight = self.sight(alarm)
        return sight.named | sight.wide

    def metric_alarms(self, alarm: Resource) -> list[Resource]:
        """Return the metric alarms under an alarm: itself, or what a composite is made of, at any depth."""
        return [each for each in self._below(alarm) if each.type != types.COMPOSITE_ALARM]

    def rule(self, composite: Resource) -> AlarmRule:
        """Return the rule of a composite alarm. One that is not known asks the alarms that it comes from."""
        if composite.urn not in self._rules:
            value = composite.get("alarmRule")
            if isinstance(value, str):
                self._rules[composite.urn] = parse_rule(value)
            elif value is UNKNOWN and self._index.origins(composite, "alarmRule", (arns.ALARM,)):
                self._rules[composite.urn] = AlarmRule((), "")
            else:
                missing = "it is not known at preview and comes from no alarm of this stack"
                problem = missing if value is UNKNOWN else "there is none"
                self._rules[composite.urn] = AlarmRule((), problem)
        return self._rules[composite.urn]

    def asks_itself(self, composite: Resource) -> bool:
        """Return whether a composite alarm depends on itself, through others as well."""
        children = [node.resource for node in self._children(composite) if node.resource]
        return any(composite in self._below(child) for child in children)

    def unreadable(self, alarm: Resource) -> bool:
        """Return whether what an alarm watches cannot be read, for the rule of a composite cannot."""
        composites = (each for each in self._below(alarm) if each.type == types.COMPOSITE_ALARM)
        return any(self.rule(each).problem for each in composites)

    def with_parents(self, alarm: Resource) -> list[Resource]:
        """Return an alarm and the composite alarms that ask it, at any depth."""
        return [alarm, *self._parents.get(alarm.urn, ())]

    def silent(self, metric: Metric) -> bool:
        """Return whether a metric has no data while nothing happens."""
        if metric.fails or metric.namespace in ("AWS/SQS", LAMBDA):
            return True
        return any(each.silent for each in self._filters_of(metric))

    # Composites

    def _below(self, alarm: Resource) -> list[Resource]:
        found, todo = {alarm.urn: alarm}, [alarm]
        while todo:
            each = todo.pop()
            if each.type == types.COMPOSITE_ALARM:
                fresh = [node.resource for node in self._children(each) if node.resource]
                todo += [child for child in fresh if child.urn not in found]
                found |= {child.urn: child for child in fresh}
        return list(found.values())

    def _children(self, composite: Resource) -> list[Node]:
        if composite.get("alarmRule") is UNKNOWN:
            return self._index.origins(composite, "alarmRule", (arns.ALARM,))
        return [self._index.literal(name, arns.ALARM, composite) for name in self.rule(composite).names]

    @cached_property
    def _parents(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for composite in self._index.of(types.COMPOSITE_ALARM):
            for each in self._below(composite):
                if each is not composite:
                    found.setdefault(each.urn, []).append(composite)
        return found

    # Metrics

    def _sight(self, alarm: Resource) -> Sight:
        if alarm.urn in self._sights:
            return self._sights[alarm.urn]
        named, wide, meant = set[str](), set[str](), set[str]()
        problems: list[tuple[Resource, str]] = []
        for metric in metrics_of(alarm):
            problem = metric.problem() or self._unnamed(alarm, metric)
            nodes = [*self._nodes(alarm, metric), *self._log_groups(alarm)]
            keys = {key for node in nodes for key in self._with_actors(node)}
            if problem:
                problems.append((alarm, problem))
                meant |= keys
                continue
            named |= keys.union(*(each.functions for each in self._filters_of(metric)))
            if metric.namespace == LAMBDA and not metric.pairs and metric.dimensions is not UNKNOWN:
                functions = self._index.of(types.FUNCTION)
                wide |= {each.urn for each in functions if not self._index.are_apart(alarm, each)}
            for query in queries_in(metric.expression) if isinstance(metric.expression, str) else ():
                selected, by_name = self._selected(query, alarm)
                (named if by_name else wide).update(selected)
        sight = Sight(frozenset(named), frozenset(wide), tuple(problems), frozenset(meant))
        self._sights[alarm.urn] = sight
        return sight

    def _nodes(self, alarm: Resource, metric: Metric) -> Iterator[Node]:
        """Yield what the dimensions of a metric name."""
        if UNKNOWN in (metric.dimensions, metric.expression):
            yield from self._index.origins(alarm, metric.key, KINDS)
            yield from self._apis_behind(alarm, metric.key)
        for name, value in metric.pairs.items():
            kind = NAMES.get(name) or NAMES_LOWER.get(name.lower())
            if name in APIS or name == "GraphQLAPIId":
                yield from self._apis_named(alarm, metric.key, name, value)
            elif kind is None or (name == "Resource" and metric.namespace != LAMBDA):
                continue
            elif isinstance(value, str) and value:
                yield self._index.literal(value, kind, alarm)
            elif value is UNKNOWN:
                yield from self._index.origins(alarm, metric.key, (kind,))

    def _log_groups(self, alarm: Resource) -> Iterator[Node]:
        """Yield the log groups whose lines a log alarm counts."""
        key = "scheduledQueryConfiguration"
        for value in entries(alarm.get(key, "logGroupIdentifiers")):
            if isinstance(value, str):
                yield self._index.literal(value, arns.LOG_GROUP, alarm)
            else:
                yield from self._index.origins(alarm, key, (arns.LOG_GROUP,))

    def _unnamed(self, alarm: Resource, metric: Metric) -> str:
        """Return which dimension is no name: its value is unknown, and all names that it could have are not.

        A name is known at preview, an ARN is not.
        """
        if metric.namespace not in COUNTED:
            return ""
        for name, value in metric.pairs.items():
            if value is not UNKNOWN or name not in NAMES or name.endswith(("Arn", "UUID")):
                continue
            nodes = self._index.origins(alarm, metric.key, (NAMES[name],))
            origins = [self._index.by_urn.get(urn) for urn in alarm.references.get(metric.key, ())]
            if nodes and all(origin is not None and self._has_known_name(origin) for origin in origins):
                return (
                    f"the value of {name} is not known at preview, though the name of {nodes[0].name} is: "
                    "it is an ARN or an id, and the metric has the name"
                )
        return ""

    def _has_known_name(self, resource: Resource) -> bool:
        if resource.type == types.ALIAS:
            return isinstance(resource.get("name"), str)
        return resource.type in NAMED and isinstance(resource.get(NAMED[resource.type][1]), str)

    # Queries

    def _selected(self, query: Query, alarm: Resource) -> tuple[set[str], bool]:
        """Return the keys of what a query selects, and whether it does so by name."""
        found, by_name = set[str](), False
        metric = Metric("", query.namespace or ABSENT, query.metric or ABSENT, ABSENT)
        for each in self._filters_of(metric):
            found, by_name = found | each.functions, True
        asked = {each.label for each in query.conditions} | (query.labels or frozenset[str]())
        for kind in KINDS:
            labels = {label for label, of in NAMES.items() if of == kind}
            if query.namespace not in {OWNERS.get(label) for label in labels} and not labels & asked:
                continue
            choices = [
                [each for each in choice if each.label in labels or each.label.startswith("tag.")]
                for choice in query.choices
            ]
            for condition in query.conditions:
                if condition.label in labels and not condition.negated:
                    by_name = True
                    exact = condition.values if condition.exact else ()
                    nodes = [self._index.literal(value, kind, alarm) for value in exact]
                    found |= {key for node in nodes if not node.resource for key in self._with_actors(node)}
            for resource in self._index.of(*(type_ for type_, (of, _) in NAMED.items() if of == kind)):
                name = text(resource.get(NAMED[resource.type][1]))
                if self._index.are_apart(alarm, resource):
                    continue
                if any(all(_holds(each, resource, name) for each in held) for held in choices):
                    found |= set(self._with_actors(self._index.node(resource)))
        return found, by_name

    # What is behind a queue, a log group, an API

    def _with_actors(self, node: Node) -> Iterator[str]:
        """Yield the key of a node, and those of the functions and workflows that fail where it shows it."""
        yield node.key
        yield from self._dead.get(node.key, ())
        if node.kind in (arns.QUEUE, arns.STREAM, arns.MACHINE):
            yield from _ends(self._wiring.links_from(node.key), ("mapping", "pipe", "definition"))
        if node.kind == arns.LOG_GROUP:
            yield from self._loggers.get(node.key, ())
        if node.kind == arns.MAPPING and node.resource:
            yield from self._actors(node.resource, "functionName")
        if node.kind == "api":
            yield from self._called_by.get(node.key, ())

    def _actors(self, owner: Resource, key: str, *path: str) -> list[str]:
        value = owner.get(key, *path)
        if isinstance(value, str):
            nodes = [self._index.literal(value, arns.FUNCTION, owner)]
        else:
            nodes = self._index.origins(owner, key, ACTOR_KINDS) if value is UNKNOWN else []
        return [node.key for node in nodes if node.kind in ACTOR_KINDS]

    @cached_property
    def _dead(self) -> dict[str, list[str]]:
        """Key of a dead-letter queue to the keys of those whose failures end there."""
        found: dict[str, list[str]] = {}
        for type_, key, path in NAMING:
            for owner in self._index.of(type_):
                value = get(parsed(owner.get(key)), *path)
                if isinstance(value, str) and value:
                    nodes = [self._index.literal(value, arns.QUEUE, owner)]
                else:
                    nodes = self._index.origins(owner, key, (arns.QUEUE,)) if value is UNKNOWN else []
                for node in nodes or ():
                    found.setdefault(node.key, []).extend(self._failing(owner))
        return found

    def _failing(self, owner: Resource) -> list[str]:
        """Return the keys of those whose failures one resource sends to a dead-letter queue."""
        if owner.type == types.FUNCTION:
            return [owner.urn]
        path = _ENDS_OF.get(owner.type)
        if path:
            return self._actors(owner, *path)
        if owner.type == types.REDRIVE_POLICY:
            queues = [node.key for node in self._index.follow_quietly(owner, "queueUrl", (arns.QUEUE,))]
        else:
            queues = [owner.urn]
        return [key for queue in queues for key in _ends(self._wiring.links_from(queue), ("mapping", "pipe"))]

    @cached_property
    def _loggers(self) -> dict[str, list[str]]:
        """Key of a log group to the keys of the functions that write to it."""
        found: dict[str, list[str]] = {}
        for function in self._index.of(types.FUNCTION):
            chosen, name = function.get("loggingConfig", "logGroup"), text(function.get("name"))
            if chosen is UNKNOWN:
                nodes = self._index.origins(function, "loggingConfig", (arns.LOG_GROUP,))
            elif isinstance(chosen, str) and chosen:
                nodes = [self._index.literal(chosen, arns.LOG_GROUP, function)]
            else:
                nodes = (
                    [self._index.literal(f"/aws/lambda/{name}", arns.LOG_GROUP, function)]
                    if isinstance(name, str)
                    else []
                )
            for node in nodes:
                found.setdefault(node.key, []).append(function.urn)
        for group in self._index.of(types.LOG_GROUP):
            if group.get("name") is UNKNOWN:
                for node in self._index.origins(group, "name", (arns.FUNCTION,)):
                    found.setdefault(group.urn, []).append(node.key)
        return found

    @cached_property
    def _filters(self) -> dict[Any, list[_Filter]]:
        """Name of a metric to the filters that publish it; under UNKNOWN those whose metric is not known."""
        found: dict[Any, list[_Filter]] = {}
        for each in self._index.of(types.LOG_METRIC_FILTER):
            group, transformed = each.get("logGroupName"), each.get("metricTransformation")
            if isinstance(group, str):
                nodes = [self._index.literal(group, arns.LOG_GROUP, each)]
            else:
                nodes = self._index.origins(each, "logGroupName", (arns.LOG_GROUP,))
            dimensions = get(transformed, "dimensions")
            made = _Filter(
                get(transformed, "namespace"),
                frozenset(cast("dict[str, Any]", dimensions) if isinstance(dimensions, dict) else ()),
                frozenset(key for node in nodes for key in self._loggers.get(node.key, ())),
                get(transformed, "defaultValue") is ABSENT,
            )
            name = get(transformed, "name")
            found.setdefault(name if isinstance(name, str) else UNKNOWN, []).append(made)
        return found

    def _filters_of(self, metric: Metric) -> list[_Filter]:
        """Return the metric filters that publish a metric."""
        if not isinstance(metric.name, str) or not isinstance(metric.given_namespace, str):
            return []
        return [
            each
            for name in (metric.name, UNKNOWN)
            for each in self._filters.get(name, ())
            if each.namespace in (metric.given_namespace, UNKNOWN)
            and (each.dimensions == frozenset(metric.pairs) or not metric.key)
        ]

    @cached_property
    def _called_by(self) -> dict[str, list[str]]:
        """URN of an API to the keys of the functions that it calls."""
        found: dict[str, list[str]] = {}
        for type_, api, key in _INTEGRATIONS:
            for owner in self._index.of(type_):
                value = owner.get(key)
                if value is ABSENT:
                    continue
                nodes = self._index.origins(owner, key, (arns.FUNCTION,))
                literal = {arn for each in _texts(value) for arn in arns.FUNCTION_ARN.findall(each)}
                nodes += [self._index.literal(arn, arns.FUNCTION, owner) for arn in sorted(literal)]
                apis = self._apis_named(owner, api, "", owner.get(api)) if api else [_api(owner)]
                for each in apis:
                    found.setdefault(each.key, []).extend(node.key for node in nodes)
        return found

    def _apis_named(self, owner: Resource, key: str, dimension: str, value: Any) -> list[Node]:
        """Return the APIs that a value names; any kind of API if no dimension is given."""
        if value is UNKNOWN:
            return self._apis_behind(owner, key)
        found: list[Node] = []
        for type_, by in API_TYPES.items():
            for api in self._index.of(type_) if dimension in ("", by) else ():
                own = "name" if dimension == "ApiName" else "id"
                if value is not ABSENT and value == api.get(own):
                    found.append(_api(api))
        return found

    def _apis_behind(self, owner: Resource, key: str) -> list[Node]:
        origins = (self._index.by_urn.get(urn) for urn in owner.references.get(key, ()))
        return [_api(each) for each in origins if each is not None and each.type in API_TYPES]


def _api(resource: Resource) -> Node:
    return Node("api", resource.urn, resource)


def _ends(links: "Iterable[Link]", kinds: tuple[str, ...]) -> Iterator[str]:
    return (link.target.key for link in links if link.kind in kinds and link.target.kind in ACTOR_KINDS)


def _holds(condition: Condition, resource: Resource, name: Any) -> bool:
    """Return whether a resource may meet a condition on its name, or on a tag."""
    if not condition.label.startswith("tag."):
        if condition.label == "Resource":
            # One version left out leaves others of the same function.
            functions = tuple(each.split(":", 1)[0] for each in condition.values)
            return condition.negated or not isinstance(name, str) or name in functions
        return not isinstance(name, str) or condition.holds(name)
    tag = condition.label.removeprefix("tag.")
    value = resource.get("tags", tag)
    value = resource.get("tagsAll", tag) if value is ABSENT else value
    if value is ABSENT:
        # A resource without the tag is not selected by a value of it.
        return condition.negated
    return not isinstance(value, str) or condition.holds(value)


def _texts(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            todo += cast("dict[str, Any]", each).values()
        elif isinstance(each, list):
            todo += cast("list[Any]", each)
