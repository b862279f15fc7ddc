"""Only known accounts may put events on a bus whose rules wake a healer, and nobody else may change it."""

from collections.abc import Iterable, Iterator
from typing import Any

from selfheal_policies import types
from selfheal_policies.buses import DEFAULT_BUS, PUT
from selfheal_policies.documents import Document, has_wildcard
from selfheal_policies.doors import woken_by
from selfheal_policies.evaluation import OTHER, YES, plain_service
from selfheal_policies.graph import Graph
from selfheal_policies.openings import Door, openings, principals
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, entries, get, parsed

CHANGING = (
    *("events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:DeleteRule"),
    *("events:DisableRule", "events:PutPermission", "events:RemovePermission", "events:DeleteEventBus"),
)
"""Actions by which who is let in decides what the bus wakes."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what lets others put events on buses, for rules that match the alarms of any account."""
    buses = graph.wiring.events.buses
    rules = {buses.of(rule): (rule, healer) for rule, healer in _open_rules(graph)}
    for key, (rule, healer) in rules.items():
        bus = graph.index.by_urn.get(key)
        name = "the default bus" if key == DEFAULT_BUS else f"bus {bus.name if bus else key}"
        for holder, document in buses.policies.get(key, []):
            for problem in problems(document, config):
                yield Finding(
                    holder.urn,
                    f"the policy of {name}, whose rule {rule.name} wakes a healer by alarms of any account, "
                    f"{problem}",
                    healer,
                )


def _open_rules(graph: Graph) -> Iterator[tuple[Resource, str]]:
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


def problems(document: Document, config: Config) -> Iterator[str]:
    """Yield how a policy of a bus is open to others, as ends of sentences."""
    if document.problem:
        yield document.problem
        return
    accounts = frozenset(config["accounts"])
    named = {
        plain_service(entry)
        for statement in document
        for kind, entry in principals(statement)
        if kind == "Service" and isinstance(entry, str)
    }
    for send, actions, known in ((PUT, (PUT,), True), (CHANGING[0], CHANGING, False)):
        door = Door(
            resource=lambda _: YES,
            # What is in the account may put events that are no alarm's, and needs no policy for it.
            account=OTHER,
            send=send,
            actions=actions,
            services=frozenset(named if known else ()),
            is_known=lambda name, known=known: known or name in accounts,
        )
        yield from openings(door, document)


RULE = StackRule(
    name="events-bus-policy-closed",
    level="mandatory",
    severity="high",
    what=(
        "Only accounts that are named, or of an organisation that is, may put events on a bus whose rules "
        "wake a healer, unless the pattern names the account; and they may do nothing else there."
    ),
    why="Otherwise any account's alarm of the same name wakes the healer.",
    fix=(
        "Name the accounts in the policy, or the organisation by a condition on aws:PrincipalOrgID, or set "
        "`account` in the event pattern."
    ),
    schema={
        "accounts": strings("Accounts, and ARNs of roles, that may also change the rules of these buses."),
    },
    check=check,
)
