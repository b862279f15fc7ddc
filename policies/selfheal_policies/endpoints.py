"""What of this stack an address leads to: a function with a URL, or what an API passes a request to.

Subscriptions over https have an address, and API destinations of EventBridge.
"""

from collections.abc import Callable, Iterator

from selfheal_policies import arns, types
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, text

HTTP = frozenset({"http", "https"})
"""Protocols of these subscriptions."""

KINDS = (arns.FUNCTION, arns.MACHINE, arns.QUEUE, arns.TOPIC)
"""What an API may pass a request to."""

_ADDRESSES = {
    types.FUNCTION_URL: "functionUrl",
    types.HTTP_API: "apiEndpoint",
    types.HTTP_API_STAGE: "invokeUrl",
    types.API_STAGE: "invokeUrl",
}
"""Type of what has an address of its own, and the property that holds it."""

_PARENTS = {types.HTTP_API_STAGE: "apiId", types.API_STAGE: "restApi"}
_INTEGRATIONS = (
    (types.API_INTEGRATION, "restApi", "uri"),
    (types.HTTP_API_INTEGRATION, "apiId", "integrationUri"),
)


def behind(index: Index, owner: Resource, key: str = "endpoint") -> list[Node]:
    """Return what of this stack the address in a property leads to; none for one elsewhere."""
    found: dict[str, Node] = {}
    for each in _addressed(index, owner, key):
        if each.type == types.FUNCTION_URL:
            nodes = index.follow_quietly(each, "functionName", (arns.FUNCTION,))
        else:
            nodes = list(_of_api(index, each))
        found |= {node.key: node for node in nodes}
    return list(found.values())


def behind_destinations(index: Index, owner: Resource, key: str) -> Iterator[Node]:
    """Yield what of this stack the API destinations lead to that a property names."""
    for each in index.of(types.API_DESTINATION):
        written, name = owner.get(key), text(each.get("name"))
        # Of the ARN, the last part is not known at preview.
        named = isinstance(written, str) and isinstance(name, str) and f":api-destination/{name}/" in written
        if named or each.urn in owner.references.get(key, ()):
            yield from behind(index, each, "invocationEndpoint")


def _addressed(index: Index, owner: Resource, key: str) -> Iterator[Resource]:
    referred = {*owner.references.get(key, ())}
    endpoint = owner.get(key)
    for type_, own in (*_ADDRESSES.items(), (types.REST_API, "")):
        for each in index.of(type_):
            address = text(each.get(own)) if own else None
            named = isinstance(address, str) and isinstance(endpoint, str)
            if each.urn in referred or (named and _is_under(str(endpoint), str(address))):
                yield each


def behind_apis(index: Index, may_be: Callable[[Resource], bool]) -> Iterator[Node]:
    """Yield what the APIs of this stack pass requests to, of those that somebody may call."""
    for api in index.of(types.HTTP_API, types.REST_API):
        if may_be(api):
            yield from _of_api(index, api)


def _is_under(endpoint: str, address: str) -> bool:
    return f"{endpoint}/".startswith(f"{address.rstrip('/')}/")


def _of_api(index: Index, resource: Resource) -> Iterator[Node]:
    parent = _PARENTS.get(resource.type)
    apis = {*resource.references.get(parent, ())} if parent else {resource.urn}
    for api in (index.by_urn[urn] for urn in apis if urn in index.by_urn):
        # An HTTP API that is made with a target has no integration of its own.
        if api.type == types.HTTP_API and api.get("target") is not ABSENT:
            yield from index.follow_quietly(api, "target", KINDS)
    for type_, key, address in _INTEGRATIONS:
        for integration in index.of(type_):
            if apis.isdisjoint(integration.references.get(key, ())):
                continue
            uri = integration.get(address)
            if isinstance(uri, str):
                named = uri.rpartition("/functions/")[2].removesuffix("/invocations")
                yield index.literal(named, arns.FUNCTION, integration)
            else:
                yield from index.origins(integration, address, KINDS)
