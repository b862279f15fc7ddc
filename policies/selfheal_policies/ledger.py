"""The ledgers of healers: which tables they are, and which statements may write items in them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.actions import is_on_items
from selfheal_policies.documents import Statement, has_wildcard, is_pattern, resource_matches
from selfheal_policies.graph import Graph
from selfheal_policies.index import NAMED, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, Missing, text

ITEM_WRITES = (
    *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
    *("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"),
)
"""Actions that write items. Source: Service Authorization Reference; a transaction needs these."""

TABLE_CHANGES = ("dynamodb:DeleteTable", "dynamodb:PutResourcePolicy", "dynamodb:UpdateTimeToLive")
"""Actions on a whole table that lose its items, or let others write them."""

_SOMEWHERE = ("us-east-1", "000000000000")
"""Region and account for a pattern of which only the rest can be compared."""


@dataclass(frozen=True)
class Ledger:
    """A table that is the memory of a healer."""

    node: Node
    healer: Resource

    @property
    def name(self) -> str:
        """The name of the table; empty if it is not known at preview."""
        table = self.node.resource
        if table is None:
            return self.node.name.partition("@")[0]
        found = text(table.get(NAMED[table.type][1]))
        return found if isinstance(found, str) else ""

    def may_be(self, graph: Graph, resource: str | Missing) -> bool:
        """Return whether a resource of a statement, an ARN or a pattern, may be this table.

        One that is not known at preview is not this one: a document that depends on the table names it.
        """
        if isinstance(resource, Missing):
            return False
        arn = arns.parse_arn(resource)
        if arn and arn.kind == arns.TABLE and not is_pattern(arn.name):
            return graph.index.literal(resource, arns.TABLE).key == self.node.key
        if not is_pattern(resource):
            return False
        place = graph.index.place(self.node.resource) if self.node.resource else None
        region, account = (place.region, place.account) if place else ("", "")
        if arn:
            region = region or (arn.region if not has_wildcard(arn.region) else "")
            account = account or (arn.account if not has_wildcard(arn.account) else "")
        own = f"arn:aws:dynamodb:{region or _SOMEWHERE[0]}:{account or _SOMEWHERE[1]}:table/{self.name}"
        return resource_matches(resource.replace("${", "*").replace("}", "*"), own)


def ledgers(graph: Graph, variable: str) -> list[Ledger]:
    """Return the table that the environment of each healer names; without that, those that it may write."""
    found: dict[tuple[str, str], Ledger] = {}
    for healer in graph.healers:
        for node in _named(graph, healer, variable) or _written(graph, healer):
            found.setdefault((node.key, healer.urn), Ledger(node, healer))
    # A table of two healers is guarded once.
    return list({ledger.node.key: ledger for ledger in found.values()}.values())


def _named(graph: Graph, healer: Resource, variable: str) -> list[Node]:
    value = text(healer.variable(variable))
    if isinstance(value, str):
        return [graph.index.literal(value, arns.TABLE, healer)]
    return graph.index.origins(healer, "environment", (arns.TABLE,)) if value is UNKNOWN else []


def _written(graph: Graph, healer: Resource) -> list[Node]:
    access = graph.access(healer)
    nodes = [
        write.named(graph.index) for write in (*access.writes, *access.records) if is_on_items(write.action)
    ]
    return [node for node in nodes if node and node.kind == arns.TABLE]


def writes_in(
    graph: Graph, statement: Statement, ledger: Ledger, actions: Sequence[str] = ITEM_WRITES
) -> Iterator[tuple[str, str]]:
    """Yield the actions, as they are written, by which a statement writes items of a ledger, and on what.

    `actions` are those that count: by default, those that write items.
    """
    if not statement.allows:
        return
    on = [each for each in statement.resources if ledger.may_be(graph, each)]
    # It leaves out what it names, and hardly ever the ledger.
    if statement.not_resources and not any(
        ledger.may_be(graph, each) for each in statement.not_resources if isinstance(each, str)
    ):
        on.append("everything but what its NotResource names")
    if not on:
        return
    if statement.not_actions:
        if any(statement.covers(action, if_unknown=False) for action in actions):
            yield "everything but what its NotAction names", str(on[0])
        return
    for action in statement.actions:
        name = action if isinstance(action, str) else "an action that is not known at preview"
        if isinstance(action, Missing) or _may_be(action, actions):
            yield name, str(on[0])


def _may_be(action: str, wanted: Sequence[str]) -> bool:
    if is_on_items(action):
        return wanted is ITEM_WRITES
    return any(resource_matches(action.lower(), each.lower()) for each in wanted)


def denies(denials: Iterable[Statement], graph: Graph, ledger: Ledger, item: str) -> bool:
    """Return whether all writes of an item of a ledger are denied, whoever allows them."""
    found = [
        each
        for each in denials
        if each.concerns_every_item(item) and any(ledger.may_be(graph, on) for on in each.resources)
    ]
    return all(any(each.covers(action, if_unknown=False) for each in found) for action in ITEM_WRITES)


def items_of(statement: Statement, protected: Sequence[str]) -> list[str]:
    """Return which of these items, patterns of partition keys, a statement may concern."""
    return [item for item in protected if statement.may_concern_item(item)]


def seeded(graph: Graph) -> list[tuple[Resource, Node]]:
    """Return the items that the program itself puts into tables, each with its table."""
    return [
        (item, node)
        for item in graph.index.of(types.TABLE_ITEM)
        for node in graph.index.follow_quietly(item, "tableName", (arns.TABLE,))
    ]
