"""One message that fails does not bring back the others of its batch."""

from collections.abc import Iterable

from selfheal_policies.consumers import Consumer, consumers
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, entries, number

PARTIAL = "ReportBatchItemFailures"
SOURCES = ("queue", "stream", "table")


def problem(consumer: Consumer) -> str:
    """Return what is wrong with the responses of a consumer; empty if nothing is."""
    if number(consumer.mapping.get("batchSize")) == 1:
        return ""
    types = entries(consumer.mapping.get("functionResponseTypes"))
    if PARTIAL in types:
        return ""
    if UNKNOWN in types:
        return f"whether {consumer.label} takes partial responses is not known at preview"
    return f"{consumer.label} takes no partial responses: one failure brings back the whole batch"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the consumers of batches that answer for all messages at once."""
    for consumer in consumers(graph.index):
        told = problem(consumer) if consumer.source.kind in config["sources"] else ""
        if told:
            yield Finding(consumer.mapping.urn, told)


RULE = StackRule(
    name="lambda-mapping-partial",
    level="advisory",
    resilience=True,
    severity="medium",
    what="Every consumer of batches reports which messages failed (ReportBatchItemFailures).",
    why="Otherwise one poisoned message repeats the effects of all others, and makes dead letters of them.",
    fix=(
        "Set function_response_types to ['ReportBatchItemFailures'], and have the function answer "
        "batchItemFailures; or set batch_size to 1."
    ),
    schema={
        "sources": strings("Kinds of event sources: queue, stream (Kinesis), table (its stream).", SOURCES)
    },
    check=check,
)
