"""Only known accounts may put events on a bus whose rules wake a healer, and nobody else may change it."""

from collections.abc import Iterable, Iterator

from selfheal_policies.buses import bus_of, open_rules, policies_of_buses
from selfheal_policies.documents import Document
from selfheal_policies.evaluation import OTHER, YES, plain_service
from selfheal_policies.events import DEFAULT_BUS
from selfheal_policies.graph import Graph
from selfheal_policies.openings import Door, openings, principals
from selfheal_policies.rule import Config, Finding, StackRule, strings

PUT = "events:PutEvents"
CHANGING = (
    *("events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:DeleteRule"),
    *("events:DisableRule", "events:PutPermission", "events:RemovePermission", "events:DeleteEventBus"),
)
"""Actions by which who is let in decides what the bus wakes."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what lets others put events on buses, for rules that match the alarms of any account."""
    policies = policies_of_buses(graph)
    buses = {bus_of(graph, rule): (rule, healer) for rule, healer in open_rules(graph)}
    for key, (rule, healer) in buses.items():
        bus = graph.index.by_urn.get(key)
        name = "the default bus" if key == DEFAULT_BUS else f"bus {bus.name if bus else key}"
        for held in policies.get(key, []):
            for problem in problems(held.document, config):
                yield Finding(
                    held.holder.urn,
                    f"the policy of {name}, whose rule {rule.name} wakes a healer by alarms of any account, "
                    f"{problem}",
                    healer,
                )


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
