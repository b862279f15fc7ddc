"""Event buses whose rules wake healers, and the policies that let others put events on them.

Nobody can put an event whose source begins with "aws." by themselves: others send the changes of their own
alarms, by a rule whose target is the bus. Source: EventBridge user guide, "Sending and receiving events
between AWS accounts" and "Permissions for event buses".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, has_wildcard, parse
from selfheal_policies.doors import Held, woken_by
from selfheal_policies.events import DEFAULT_BUS
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, get, parsed, text


def open_rules(graph: Graph) -> Iterator[tuple[Resource, str]]:
    """Yield the rules that wake healers by alarms of any account, each with the URN of such a healer."""
    healers = {
        **{waker.key: healer.urn for healer in graph.healers for waker in graph.woken_from_outside(healer)},
        **woken_by(graph),
    }
    for rule in graph.index.of(types.EVENT_RULE):
        if rule.urn in healers and rule.get("eventPattern") is not ABSENT and not _names_account(rule):
            yield rule, healers[rule.urn]


def _names_account(rule: Resource) -> bool:
    """Return whether the pattern of a rule matches the events of accounts only that it names."""
    pattern = parsed(rule.get("eventPattern"))
    return _are_accounts(entries(get(pattern, "account"))) or _are_accounts(
        [_account(each) for each in entries(get(pattern, "resources"))]
    )


def _are_accounts(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) and value.isdecimal() for value in values)


def _account(matcher: Any) -> Any:
    """Return the account in a matcher of ARNs, or in what they begin with."""
    for each in (matcher, get(matcher, "prefix"), get(matcher, "wildcard")):
        parts = each.split(":") if isinstance(each, str) else []
        if len(parts) > 5:  # noqa: PLR2004 - arn:partition:service:region:account:resource
            before = ":".join(parts[:4])
            # What a wildcard stands for may have colons in it.
            return parts[4] if each is matcher or not has_wildcard(before) else ABSENT
    return ABSENT


def bus_of(graph: Graph, holder: Resource) -> str:
    """Return the key of the bus that a rule is on, or that a policy is attached to."""
    value = text(holder.get("eventBusName"))
    if value is ABSENT or (isinstance(value, str) and value.rsplit("/", 1)[-1] == "default"):
        return DEFAULT_BUS
    nodes = graph.index.follow_quietly(holder, "eventBusName", (arns.BUS,))
    return nodes[0].key if len(nodes) == 1 else ""


def policies_of_buses(graph: Graph) -> Mapping[str, list[Held]]:
    """Return the policies of buses by the key of the bus: documents, and permissions as statements."""
    found: dict[str, list[Held]] = {}
    for policy in graph.index.of(types.EVENT_BUS_POLICY):
        held = Held(policy, parse(policy.get("policy")))
        found.setdefault(bus_of(graph, policy), []).append(held)
    for permission in graph.index.of(types.EVENT_PERMISSION):
        found.setdefault(bus_of(graph, permission), []).append(Held(permission, _document(permission)))
    return found


def _document(permission: Resource) -> Document:
    action, principal = text(permission.get("action")), text(permission.get("principal"))
    condition = permission.get("condition")
    operator, key, value = (text(get(condition, name)) for name in ("type", "key", "value"))
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "events:PutEvents" if action is ABSENT else action,
        "Principal": "*" if principal == "*" else {"AWS": principal},
        "Resource": "*",
    }
    if condition is UNKNOWN:
        statement["Condition"] = UNKNOWN
    elif isinstance(operator, str) and isinstance(key, str):
        statement["Condition"] = {operator: {key: value}}
    return parse({"Statement": [statement]})
