"""In production nobody unknown fills a queue. What is no sandbox is production.

An API of storage first puts requests straight into a queue: no code of ours turns anybody away.
"""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN, text

OPEN = "NONE"
SENDS = (":sqs:path/", ":sqs:action/")


def fills_queue(graph: Graph, integration: Resource) -> bool:
    """Return whether an integration puts requests into a queue; one that cannot be followed may do so."""
    uri = integration.get("uri")
    if isinstance(uri, str):
        return any(part in uri for part in SENDS)
    if uri is not UNKNOWN:
        return False
    origins = graph.index.origins(integration, "uri", (arns.QUEUE, arns.FUNCTION))
    return not origins or any(node.kind == arns.QUEUE for node in origins)


def methods_of(graph: Graph, integration: Resource) -> list[Resource]:
    """Return the methods that an integration is of: of the same path, with the same verb."""
    return [
        method
        for method in graph.index.of(types.API_METHOD)
        if method.urn in integration.references.get("httpMethod", ())
        or all(_same(method, integration, key) for key in ("restApi", "resourceId", "httpMethod"))
    ]


def _same(method: Resource, integration: Resource, key: str) -> bool:
    ours, theirs = method.get(key), integration.get(key)
    if ours is not UNKNOWN and theirs is not UNKNOWN:
        return ours == theirs
    # Both depend on the same resources: the same path, as far as it can be told.
    return method.references.get(key, ()) == integration.references.get(key, ())


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the methods of production that let anybody fill a queue."""
    for integration in graph.index.of(types.API_INTEGRATION):
        if integration.sandbox or not fills_queue(graph, integration):
            continue
        for method in methods_of(graph, integration):
            authorization = text(method.get("authorization"))
            if method.name in config["public"] or authorization not in (OPEN, ABSENT, UNKNOWN):
                continue
            known = (
                "is open to everybody" if authorization is not UNKNOWN else "may be (not known at preview)"
            )
            yield Finding(
                method.urn,
                f"{method.label}, which puts requests into a queue in stack {method.stack}, {known}",
            )


RULE = StackRule(
    name="apigateway-method-authorized",
    level="advisory",
    resilience=True,
    severity="critical",
    what=(
        "A method that puts requests straight into a queue has an authorizer, in every stack that is not "
        "declared a sandbox."
    ),
    why="Anybody could fill the queue, at your cost, and the consumers take it for orders.",
    fix="Set authorization to CUSTOM with an authorizer_id, to AWS_IAM, or to COGNITO_USER_POOLS.",
    schema={
        "public": strings("Logical names of methods that are meant to be open."),
    },
    check=check,
)
