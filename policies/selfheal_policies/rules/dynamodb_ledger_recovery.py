"""A deployment with a healer has a ledger that can be restored."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.actions import is_on_items
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, listed, strings
from selfheal_policies.values import UNKNOWN, flag


def ledgers(graph: Graph) -> list[Resource]:
    """Return the tables of this stack in which a healer may write items."""
    held = [graph.access(healer) for healer in graph.healers]
    writes = [write for access in held for write in (*access.writes, *access.records)]
    nodes = [write.named(graph.index) for write in writes if is_on_items(write.action)]
    tables = {node.key: node.resource for node in nodes if node and node.kind == arns.TABLE}
    return [table for table in tables.values() if table]


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the tables of healers without point-in-time recovery, or the stack that has none."""
    tables = ledgers(graph)
    for table in tables:
        enabled = flag(table.get("pointInTimeRecovery", "enabled"))
        if enabled is not True:
            state = "is not known at preview" if enabled is UNKNOWN else "is off"
            yield Finding(table.urn, f"point-in-time recovery of the ledger, {table.label}, {state}")
    # A policy that cannot be read, which is another finding, may hide the ledger.
    held = [graph.access(healer) for healer in graph.healers]
    hidden = any(access.unreadable or access.opaque for access in held)
    if graph.healers and not (tables or config["ledgers"] or hidden):
        names = listed(healer.name for healer in graph.healers)
        yield Finding(
            graph.healers[0].urn, f"no healer ({names}) may write to a table of this stack: no ledger"
        )


RULE = StackRule(
    name="dynamodb-ledger-recovery",
    level="mandatory",
    severity="high",
    what="A deployment with a healer has a ledger: a table with point-in-time recovery that it writes to.",
    why="Without its ledger a healer repeats what did not help, and nobody can see or undo what it did.",
    fix=(
        "Add a DynamoDB table with point_in_time_recovery enabled and let the healer record what it does; or "
        "name a ledger of another stack in `ledgers`."
    ),
    schema={
        "ledgers": strings("Names of ledgers that another stack owns."),
    },
    check=check,
)
