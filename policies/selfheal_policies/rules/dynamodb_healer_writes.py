"""A healer writes items of its ledger, and circuits that its targets call through; of no other table."""

from collections.abc import Collection, Iterable, Iterator

from selfheal_policies import arns, types
from selfheal_policies.actions import is_on_items
from selfheal_policies.documents import Statement, has_wildcard
from selfheal_policies.grants import grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, string, strings
from selfheal_policies.values import UNKNOWN


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the tables that a healer may write and that are neither its ledger nor a circuit's."""
    for healer in graph.healer_functions:
        targets = [graph.index.by_urn[key] for key in graph.targets_of(healer) if key in graph.index.by_urn]
        for grant in (grant for role in graph.roles_of(healer) for grant in grants_of(graph.index, role)):
            for statement, action, table in _writes(grant.document.allowing):
                if graph.index.literal(table, arns.TABLE).name in config["allowedTables"]:
                    continue
                if _names(graph, healer, config["ledgerVariable"], table):
                    continue
                if any(_is_circuit(graph, statement, table, each, config) for each in targets):
                    continue
                yield Finding(
                    grant.urn,
                    f"{grant.where} allows healer {healer.name} {action} on {table}, which is not known to "
                    "be its ledger, nor the circuit that a target of it calls through",
                )
    yield from _moved_by_machines(graph, config["allowedTables"])


def _moved_by_machines(graph: Graph, allowed: Collection[str]) -> Iterator[Finding]:
    """Yield the levers that workflows move. These have no environment that could name a ledger."""
    for healer in (each for each in graph.healers if each.type == types.STATE_MACHINE):
        for lever in graph.levers.of(healer):
            if graph.index.literal(lever.write.place, arns.TABLE).name not in allowed:
                yield Finding(lever.write.source.urn, f"{healer.label} {lever.deed}")


def _writes(statements: Iterable[Statement]) -> Iterator[tuple[Statement, str, str]]:
    """Yield the writes of items that statements name. Wildcards are refused by rules of their own."""
    for statement in statements:
        for action in statement.single_actions:
            for resource in statement.resources:
                if is_on_items(action) and isinstance(resource, str) and not has_wildcard(resource):
                    yield statement, action, resource


def _is_circuit(graph: Graph, statement: Statement, table: str, target: Resource, config: Config) -> bool:
    """Return whether a statement is limited to the item of the circuit that a target calls through."""
    circuit = target.variable(config["circuitVariable"])
    if not isinstance(circuit, str) or not _names(graph, target, config["tableVariable"], table):
        return False
    partitions = statement.partitions
    return bool(partitions) and all(each == f"{config['circuitPrefix']}{circuit}" for each in partitions)


def _names(graph: Graph, function: Resource, variable: str, table: str) -> bool:
    """Return whether a variable of a function is known to name a table, or to depend on it."""
    value, key = function.variable(variable), graph.index.literal(table, arns.TABLE).key
    if value is UNKNOWN:
        return key in {node.key for node in graph.index.origins(function, "environment", (arns.TABLE,))}
    if not isinstance(value, str) or not value:
        return False
    return graph.index.literal(value, arns.TABLE, function).key == key


RULE = StackRule(
    name="dynamodb-healer-writes",
    level="mandatory",
    severity="critical",
    what=(
        "A healer may write items of its ledger, and the circuit that a function it heals calls through; of "
        "no other table. A workflow may write none by which a function goes that its alarms watch."
    ),
    why="What a service keeps in a table is no setting: a healer that can write it can destroy it.",
    fix=(
        "Name only the ledger in the statement. To force a circuit, limit it by ForAllValues:StringEquals on "
        "dynamodb:LeadingKeys to the circuit's item, and set the table and the circuit in the function's "
        "environment. Another table that holds settings only: name it in `allowedTables`."
    ),
    schema={
        "ledgerVariable": string("Variable of a healer's environment that names its ledger.", "LEDGER_TABLE"),
        "tableVariable": string(
            "Variable of a function's environment that names the table of its circuit.", "BREAKER_TABLE"
        ),
        "circuitVariable": string("Variable of a function's environment that names its circuit.", "CIRCUIT"),
        "circuitPrefix": string("What precedes the circuit in the partition key of its item.", "breaker#"),
        "allowedTables": strings("Names of further tables that healers may write."),
    },
    check=check,
)
