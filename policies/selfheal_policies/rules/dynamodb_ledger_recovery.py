"""The deployment has a ledger that can be put back."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._names import listed, named
from selfheal_policies.values import UNKNOWN, flag

TABLE = "aws:dynamodb/table:Table"


def ledgers(graph: Graph) -> list[Resource]:
    """Return the tables of this stack in which a healer may write items."""
    found: dict[str, Resource] = {}
    for healer in graph.healers:
        for write in graph.writes_of(healer):
            if write.control or not isinstance(write.resource, str):
                continue
            node = graph.index.literal(write.resource, arns.TABLE)
            if node.resource and node.resource.type == TABLE:
                found[node.key] = node.resource
    return list(found.values())


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the tables of healers without point-in-time recovery, or the stack that has none."""
    if not graph.healers:
        return
    tables = ledgers(graph)
    for table in tables:
        enabled = flag(table.get("pointInTimeRecovery", "enabled"))
        if enabled is not True:
            state = "is not known at preview" if enabled is UNKNOWN else "is off"
            yield Finding(table.urn, f"point-in-time recovery of the ledger, {named(table)}, {state}")
    if not tables and not config["ledgers"] and not _unreadable(graph):
        names = {healer.name for healer in graph.healers}
        yield Finding(
            graph.healers[0].urn, f"no healer ({listed(names)}) may write to a table of this stack: no ledger"
        )


def _unreadable(graph: Graph) -> bool:
    """Return whether a policy that cannot be read, which is another finding, may hide the ledger."""
    return any(graph.access(healer).problems for healer in graph.healers)


RULE = StackRule(
    name="dynamodb-ledger-recovery",
    level="mandatory",
    severity="high",
    what="A deployment with a healer has a ledger: a table with point-in-time recovery that it writes to.",
    why="Without its memory a healer repeats what did not help, and nobody can tell or undo what it did.",
    fix=(
        "Add a DynamoDB table with point_in_time_recovery enabled and let the healer record what it does; or "
        "name a ledger of another stack in `ledgers`."
    ),
    schema={
        "ledgers": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Names of ledgers that another stack owns.",
        }
    },
    check=check,
)
