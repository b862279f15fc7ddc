"""Which alarms are on metrics that a healer publishes by itself, as far as its stack says it.

By PutMetricData its role says to which namespaces: the condition key cloudwatch:namespace. In lines of its
log (embedded metric format) any function may publish to any: of two libraries, variables say it. A filter of
its logs, and a metric with the healer's name as a dimension, are its own health: see watching.py.

Sources: "Using condition keys to limit access to CloudWatch namespaces" (CloudWatch user guide), which keeps
namespaces that begin with AWS/ to AWS; environment variables of Powertools for AWS Lambda, and of the library
aws-embedded-metrics.
"""

from collections.abc import Iterator
from dataclasses import replace

from selfheal_policies.documents import Statement
from selfheal_policies.evaluation import NO, Caller, Request, allowed
from selfheal_policies.grants import grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.metrics import Metric, metrics_of
from selfheal_policies.queries import queries_in
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing

PUT = "cloudwatch:PutMetricData"

_LIBRARIES = (
    ("POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME", "service"),
    ("AWS_EMF_NAMESPACE", "AWS_EMF_SERVICE_NAME", "ServiceName"),
)
"""Variables that hold the namespace and the service, and the dimension that has the service as its value."""


def published(graph: Graph, healer: Resource) -> Iterator[tuple[Resource, str]]:
    """Yield the alarms on metrics that a healer may publish, each with how, as the end of a sentence."""
    statements = _statements(graph, healer)
    named = [each for each in _LIBRARIES if isinstance(healer.variable(each[0]), str)]
    if not statements and not named:
        return
    for alarm in (each for each in graph.alarms if each.urn not in graph.health_alarms):
        if how := _how(graph, alarm, healer, statements):
            yield alarm, how


def _how(graph: Graph, alarm: Resource, healer: Resource, statements: list[Statement]) -> str:
    below = graph.wiring.trees.metric_alarms(alarm)
    for metric in (metric for each in below for metric in metrics_of(each)):
        for namespace in _namespaces(metric):
            told = namespace if isinstance(namespace, str) else "a namespace that is not known at preview"
            if _may_put(statements, namespace):
                return f"it may {PUT} to {told}, and {alarm.label} is on a metric there"
            if namespace is not UNKNOWN and _writes(healer, namespace, metric):
                return f"its logs publish to {told}, and {alarm.label} is on a metric of its service there"
    return ""


def _namespaces(metric: Metric) -> Iterator[str | Missing]:
    """Yield the namespaces of a metric, or of what a query selects, in which not only AWS publishes."""
    found: list[str | Missing] = [metric.given_namespace]
    if isinstance(metric.expression, str):
        found += [query.namespace or ABSENT for query in queries_in(metric.expression)]
    yield from (each for each in found if each is UNKNOWN or (each and not str(each).startswith("AWS/")))


def _statements(graph: Graph, healer: Resource) -> list[Statement]:
    """Return the statements on publishing of a healer's role, if one of them allows it."""
    roles = [role for each in (healer, *graph.actuators_of(healer)) for role in graph.roles_of(each)]
    found = [
        # Whom a policy of an identity is for, it does not say.
        replace(statement, principal="*")
        for role in roles
        for grant in grants_of(graph.index, role)
        for statement in grant.document
        if statement.covers(PUT, if_unknown=False)
    ]
    return found if any(statement.allows for statement in found) else []


def _may_put(statements: list[Statement], namespace: str | Missing) -> bool:
    request = Request(Caller("AWS"), PUT, "*", {"cloudwatch:namespace": namespace})
    return allowed(statements, request) != NO


def _writes(healer: Resource, namespace: str | Missing, metric: Metric) -> bool:
    return any(
        healer.variable(variable) == namespace and metric.pairs.get(dimension) == healer.variable(service)
        for variable, service, dimension in _LIBRARIES
        if isinstance(healer.variable(service), str)
    )
