"""A healer cannot write the items by which people restrain it."""

from collections.abc import Iterable, Iterator, Sequence

from selfheal_policies import arns
from selfheal_policies.actions import is_on_items
from selfheal_policies.documents import Statement, has_wildcard, resource_matches
from selfheal_policies.grants import Grant, grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, string, strings
from selfheal_policies.values import UNKNOWN


def is_ledger(graph: Graph, healer: Resource, variable: str, table: str) -> bool:
    """Return whether a variable of a healer names a table. One whose value is not known may name any."""
    value = healer.variable(variable)
    key = graph.index.literal(table, arns.TABLE).key
    if value is not UNKNOWN:
        found = graph.index.literal(value, arns.TABLE, healer).key if isinstance(value, str) and value else ""
        return found == key
    origins = {node.key for node in graph.index.origins(healer, "environment", (arns.TABLE,))}
    # If nothing at all is known of the environment, it need not have the variable.
    named = healer.get("environment", "variables") is not UNKNOWN
    return key in origins or (named and not origins)


def problems(grants: Sequence[Grant], protected: Sequence[str]) -> Iterator[tuple[Grant, str, str, str]]:
    """Yield each document with an action on a table that it allows, and the items that it may write."""
    denials = [each for grant in grants for each in grant.document if not each.allows]
    for grant in grants:
        for statement in grant.document.allowing:
            for action, resource in _writes(statement):
                found = [
                    item
                    for item in protected
                    if statement.may_concern_item(item) and not _denied(denials, action, resource, item)
                ]
                if found:
                    yield grant, action, resource, ", ".join(found)


def _writes(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield the writes of items that a statement names. Wildcards are refused by rules of their own."""
    for action in statement.single_actions:
        for resource in statement.resources:
            if is_on_items(action) and isinstance(resource, str) and not has_wildcard(resource):
                yield action, resource


def _denied(denials: Iterable[Statement], action: str, resource: str, item: str) -> bool:
    return any(
        statement.covers(action, if_unknown=False)
        and any(isinstance(each, str) and resource_matches(each, resource) for each in statement.resources)
        and statement.concerns_every_item(item)
        for statement in denials
    )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that may approve their own plans or set their own mode."""
    for healer in graph.healer_functions:
        grants = [grant for role in graph.roles_of(healer) for grant in grants_of(graph.index, role)]
        for grant, action, table, items in problems(grants, config["protected"]):
            if is_ledger(graph, healer, config["ledgerVariable"], table):
                yield Finding(
                    grant.urn,
                    f"{grant.where} allows healer {healer.name} {action} on {items} of its ledger {table}",
                )


RULE = StackRule(
    name="dynamodb-ledger-approvals",
    level="mandatory",
    severity="critical",
    what="A healer cannot write the items of its ledger that restrain it: mode, approvals and commands.",
    why="A healer that can approve its own plans, or set its own mode, is restrained by nothing.",
    fix=(
        "Limit each write by a condition ForAllValues:StringLike on dynamodb:LeadingKeys that names the "
        "healer's own items only. A ledger that is laid out otherwise: name its items in `protected`."
    ),
    schema={
        "ledgerVariable": string(
            "Variable of a healer's environment that names its ledger; without it, no ledger.", "LEDGER_TABLE"
        ),
        "protected": strings(
            "Partition keys of items that only people may write; * is a wildcard.",
            ["approval#*", "command#*", "mode"],
        ),
    },
    check=check,
)
