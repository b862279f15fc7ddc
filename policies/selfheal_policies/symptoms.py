"""Where it shows that a function or workflow fails: a queue, a log group, an API, a metric of its logs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from selfheal_policies import arns, types
from selfheal_policies.dead_letters import NAMING
from selfheal_policies.index import Index, Node
from selfheal_policies.links import Link
from selfheal_policies.metrics import Metric
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, get, parsed, text

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
class LogFilter:
    """A metric filter of a log group."""

    namespace: Any
    dimensions: frozenset[str]
    functions: frozenset[str]
    silent: bool
    """Whether it publishes nothing while nothing matches: it has no default value."""


class Symptoms:
    """What shows in one stack that its functions and workflows fail."""

    def __init__(self, index: Index, links_from: Callable[[str], Iterable[Link]]) -> None:
        """Follow nothing yet; `links_from` returns what is wired to begin at a node."""
        self._index, self._links_from = index, links_from

    def of(self, node: Node) -> Iterator[str]:
        """Yield the key of a node, and those of the functions and workflows that fail where it shows it."""
        yield node.key
        yield from self._dead.get(node.key, ())
        if node.kind in (arns.QUEUE, arns.STREAM, arns.MACHINE):
            yield from _ends(self._links_from(node.key), ("mapping", "pipe", "definition"))
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
        return [key for queue in queues for key in _ends(self._links_from(queue), ("mapping", "pipe"))]

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
    def _filters(self) -> dict[Any, list[LogFilter]]:
        """Name of a metric to the filters that publish it; under UNKNOWN those whose metric is not known."""
        found: dict[Any, list[LogFilter]] = {}
        for each in self._index.of(types.LOG_METRIC_FILTER):
            group, transformed = each.get("logGroupName"), each.get("metricTransformation")
            if isinstance(group, str):
                nodes = [self._index.literal(group, arns.LOG_GROUP, each)]
            else:
                nodes = self._index.origins(each, "logGroupName", (arns.LOG_GROUP,))
            dimensions = get(transformed, "dimensions")
            made = LogFilter(
                get(transformed, "namespace"),
                frozenset(cast("dict[str, Any]", dimensions) if isinstance(dimensions, dict) else ()),
                frozenset(key for node in nodes for key in self._loggers.get(node.key, ())),
                get(transformed, "defaultValue") is ABSENT,
            )
            name = get(transformed, "name")
            found.setdefault(name if isinstance(name, str) else UNKNOWN, []).append(made)
        return found

    def filters_of(self, metric: Metric) -> list[LogFilter]:
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
                apis = self.apis_named(owner, api, "", owner.get(api)) if api else [_api(owner)]
                for each in apis:
                    found.setdefault(each.key, []).extend(node.key for node in nodes)
        return found

    def apis_named(self, owner: Resource, key: str, dimension: str, value: Any) -> list[Node]:
        """Return the APIs that a value names; any kind of API if no dimension is given."""
        if value is UNKNOWN:
            return self.apis_behind(owner, key)
        found: list[Node] = []
        for type_, by in API_TYPES.items():
            for api in self._index.of(type_) if dimension in ("", by) else ():
                own = "name" if dimension == "ApiName" else "id"
                if value is not ABSENT and value == api.get(own):
                    found.append(_api(api))
        return found

    def apis_behind(self, owner: Resource, key: str) -> list[Node]:
        """Return the APIs that a property depends on."""
        origins = (self._index.by_urn.get(urn) for urn in owner.references.get(key, ()))
        return [_api(each) for each in origins if each is not None and each.type in API_TYPES]


def _api(resource: Resource) -> Node:
    return Node("api", resource.urn, resource)


def _ends(links: Iterable[Link], kinds: tuple[str, ...]) -> Iterator[str]:
    return (link.target.key for link in links if link.kind in kinds and link.target.kind in ACTOR_KINDS)


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
