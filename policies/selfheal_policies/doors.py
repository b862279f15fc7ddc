"""Who may wake a healer: the policies of topics, queues, keys and functions, and the requests that test them.

Source: IAM user guide, "AWS global condition context keys": which keys a request of a service has, and which
one of a person or program.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, has_wildcard, parse
from selfheal_policies.evaluation import (
    ANY,
    MAYBE,
    NO,
    OTHER,
    OWN,
    YES,
    Answer,
    Caller,
    Value,
    arn_matches,
    is_part,
    plain_service,
)
from selfheal_policies.graph import Graph
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, text
from selfheal_policies.ways import Ways
from selfheal_policies.wiring import Link

SERVICES: Mapping[str, str] = {
    "action": "cloudwatch.amazonaws.com",
    "event-target": "events.amazonaws.com",
    "notification": "s3.amazonaws.com",
    "subscription": "sns.amazonaws.com",
}
"""Kind of a link to the service that speaks to the topic or queue at its end. The others speak as a role."""

ATTACHED: Mapping[str, tuple[str, str]] = {
    types.TOPIC: (types.TOPIC_POLICY, "arn"),
    types.QUEUE: (types.QUEUE_POLICY, "queueUrl"),
    types.KEY: (types.KEY_POLICY, "keyId"),
    types.KEY_EXTERNAL: (types.KEY_POLICY, "keyId"),
    types.KEY_REPLICA: (types.KEY_POLICY, "keyId"),
}
"""Type to the one that attaches a policy to it, which replaces its own, and the property that names it."""

_ARNS: Mapping[str, str] = {
    arns.ALARM: "cloudwatch:{1}:{2}:alarm:",
    arns.BUCKET: "s3:::",
    arns.BUS: "events:{1}:{2}:event-bus/",
    arns.FUNCTION: "lambda:{1}:{2}:function:",
    arns.KEY: "kms:{1}:{2}:key/",
    arns.LOG_GROUP: "logs:{1}:{2}:log-group:",
    arns.QUEUE: "sqs:{1}:{2}:",
    arns.RULE: "events:{1}:{2}:rule/",
    arns.TOPIC: "sns:{1}:{2}:",
}
"""Kind to its ARN after the partition, with region and account."""

_OF_IDENTITIES = (
    *("aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths"),
    *("aws:userid", "aws:username"),
)
_OF_NETWORKS = ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip")
_OF_SERVICES = (
    *("aws:principalservicename", "aws:principalservicenameslist", "aws:sourceaccount", "aws:sourcearn"),
    *("aws:sourceorgid", "aws:sourceorgpaths"),
)


Sender = tuple[Caller, Mapping[str, Value]]
"""Who sends a request, and its condition keys."""


@dataclass(frozen=True)
class Held:
    """One policy document of a topic, queue or key."""

    holder: Resource
    """The resource to change."""
    document: Document
    replaced: bool = False
    """Whether an attached policy replaces it: it is in force until then, and again when it is changed."""


def policies_of(graph: Graph, resource: Resource) -> list[Held]:
    """Return the policies that somebody gave: those attached, and then its own, which they replace."""
    type_, key = ATTACHED[resource.type]
    attached = graph.index.referring(resource.urn, type_, key, NAMED[resource.type][0])
    held = [Held(policy, parse(policy.get("policy"))) for policy, _ in attached]
    lost = Document(problem=f"may be this one, of which nobody can tell at preview what its {key} names")
    held += [Held(policy, lost) for policy in adrift(graph, type_, key, NAMED[resource.type][0])]
    # What nobody gave is AWS's default, or repeats what an attached policy has set.
    if "policy" in resource.references and resource.get("policy") not in (ABSENT, ""):
        held.append(Held(resource, parse(resource.get("policy")), replaced=bool(held)))
    return held


def adrift(graph: Graph, type_: str, key: str, kind: str) -> list[Resource]:
    """Return the resources of a type whose property names something that nobody can tell at preview."""
    return [
        resource
        for resource in graph.index.of(type_)
        if resource.get(key) is UNKNOWN and not graph.index.origins(resource, key, (kind,))
    ]


def account_of(graph: Graph, resource: Resource) -> str:
    """Return the account of a resource, or OWN if nothing in the stack tells it."""
    return graph.index.place(resource).account or OWN


# Requests


def by_service(name: str, account: str, source: Value, org: str = OWN) -> Sender:
    """Return a service that speaks for a resource, and the condition keys of its requests."""
    return Caller("Service", plain_service(name)), {
        **dict.fromkeys((*_OF_IDENTITIES, *_OF_NETWORKS), ABSENT),
        "aws:principalisawsservice": "true",
        "aws:principalservicename": plain_service(name),
        "aws:principalservicenameslist": plain_service(name),
        "aws:requestedregion": OWN,
        "aws:resourceaccount": OWN,
        "aws:resourceorgid": OWN,
        "aws:securetransport": "true",
        "aws:sourceaccount": account,
        "aws:sourcearn": source,
        "aws:sourceorgid": org,
        "aws:sourceorgpaths": lambda given: _org_path(given, org),
        "aws:sourceowner": account,
        "aws:viaawsservice": "false",
    }


def by_stranger(name: str, service: str = ANY) -> Sender:
    """Return a service that speaks for whatever a stranger has in an account of their own."""
    return by_service(name, OTHER, f"arn:{OWN}:{service}:{ANY}:{OTHER}:{ANY}", OTHER)


def by_identity(account: str = OWN, name: str = "") -> Sender:
    """Return a person or program of an account, by default of ours, and the condition keys of its requests.

    Args:
        account: The account, OWN, or OTHER for any other than those that a policy names.
        name: ARN of a role or user. Default: one that no policy names.

    """
    arn = name or f"arn:{OWN}:iam::{account}:{OTHER}"
    return Caller("AWS", arn, account), {
        **dict.fromkeys(_OF_SERVICES, ABSENT),
        "aws:principalaccount": account,
        "aws:principalarn": arn,
        "aws:principalisawsservice": "false",
        "aws:principalorgid": OTHER if account == OTHER else OWN,
        "aws:requestedregion": OWN,
        "aws:resourceaccount": OWN,
        "aws:resourceorgid": OWN,
        "aws:sourceowner": account,
    }


def by_nobody() -> Sender:
    """Return whoever sends a request without credentials, and its condition keys."""
    keys = (*_OF_IDENTITIES, *_OF_SERVICES, "aws:principalisawsservice", "aws:sourceowner")
    return Caller(""), dict.fromkeys(keys, ABSENT)


def _org_path(given: str | Missing, org: str) -> Answer:
    return is_part(given.split("/", 1)[0], org) if isinstance(given, str) else MAYBE


def named_by(index: Index, holder: Resource, key: str, node: Node) -> Value:
    """Return how a policy names a resource: what compares an ARN in it, or an unknown value, with that.

    Args:
        index: Of the stack.
        holder: The resource whose property holds the policy.
        key: The property.
        node: The resource that may be named.

    """

    def compare(given: str | Missing) -> Answer:
        if not isinstance(given, str):
            found = index.origins(holder, key, tuple(_ARNS))
            return (YES if len(found) == 1 else MAYBE) if node.key in {each.key for each in found} else NO
        if not has_wildcard(given):
            return YES if given.startswith("arn:") and index.literal(given, node.kind).key == node.key else NO
        return YES if given == "*" else arn_matches(given, arn_of(index, node))

    return compare


def arn_of(index: Index, node: Node) -> str:
    """Return the ARN of a resource of this stack, with OWN for the parts that are not known at preview."""
    resource = node.resource
    if resource is None:
        return f"arn:{OWN}:{OTHER}:{OWN}:{OWN}:{OTHER}"
    place, name = index.place(resource), text(resource.get(NAMED[resource.type][1]))
    form = _ARNS.get(node.kind, "{}:{}:{}:").format(OWN, place.region or OWN, place.account or OWN)
    return f"arn:{OWN}:{form}{name if isinstance(name, str) else OWN}"


def senders_to(graph: Graph) -> Mapping[str, list[Link]]:
    """Return the links to each topic, queue and function, by its key."""
    found: dict[str, list[Link]] = {}
    for link in graph.links:
        found.setdefault(link.target.key, []).append(link)
    return found


def roles_at(graph: Graph, links: Iterable[Link]) -> frozenset[str]:
    """Return the URNs of the roles of the functions and state machines at either end of links."""
    ends = [graph.index.by_urn.get(key) for link in links for key in (link.source, link.target.key)]
    actors = [actor for actor in ends if actor and actor.type in types.ACTORS]
    return frozenset(role.urn for actor in actors for role in graph.roles_of(actor))


def is_named(index: Index, arn: str, kind: str, known: Collection[str]) -> bool:
    """Return whether an ARN names one of the resources of a kind whose keys are known."""
    return arn.startswith("arn:") and not has_wildcard(arn) and index.literal(arn, kind).key in known


@dataclass(frozen=True)
class Speaker:
    """A service that passes a notification on to a topic or queue, for one of our resources."""

    service: str
    source: str
    """The resource, as people say it."""
    account: str
    """Of the resource, or OWN."""
    arn: Value


def speakers(graph: Graph, links: Iterable[Link]) -> Iterator[Speaker]:
    """Yield who speaks by these links. What is sent under a role is left out."""
    for link in links:
        source = graph.index.by_urn.get(link.source)
        if link.kind in SERVICES and source and source.type in NAMED:
            arn = arn_of(graph.index, graph.index.node(source))
            yield Speaker(SERVICES[link.kind], source.label, account_of(graph, source), arn)


_DELIVERING = frozenset({"subscription", "https", "mapping", "pipe"})
"""Kinds of links by which whoever sends to a topic or queue wakes what is at their end."""


def woken_by(graph: Graph) -> Mapping[str, str]:
    """Return the keys of what is on a way to a healer, each with the URN of such a healer.

    What is sent to a topic or queue wakes it as well where no alarm sends there.
    """
    found: dict[str, str] = {}
    delivered = Ways(link for link in graph.wiring.links() if link.kind in _DELIVERING)
    for healer in graph.healers:
        for link in graph.wake_links(healer):
            found.setdefault(link.source, healer.urn)
            found.setdefault(link.target.key, healer.urn)
        for key in delivered.behind(healer.urn) - {healer.urn}:
            found.setdefault(key, healer.urn)
    return found
