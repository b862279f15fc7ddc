"""What a consumer of a stream gives up on is kept with its data."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.consumers import of_streams
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the mappings of streams without a failure destination, or with one that holds no data."""
    for consumer in of_streams(graph.index):
        ending = graph.dead_letters.ending_of(consumer.mapping)
        if ending is None:
            yield Finding(
                consumer.mapping.urn, f"{consumer.label} has no failure destination: what it gives up is lost"
            )
            continue
        # The rows of a table are still there. What cannot be resolved: sqs-dead-letters-resolved reports it.
        for node in ending.nodes if consumer.source.kind == arns.STREAM else ():
            if node.kind not in config["kinds"]:
                yield Finding(
                    consumer.mapping.urn,
                    f"{consumer.label} sends what it gives up to {node.kind} {node.name}, which is told "
                    "sequence numbers and no data",
                )


RULE = StackRule(
    name="lambda-stream-failures",
    level="advisory",
    resilience=True,
    severity="high",
    what="A consumer of a stream has a failure destination, and that of a Kinesis stream is a bucket.",
    why="A queue or topic is given sequence numbers, and the records themselves expire with the stream.",
    fix="Set destination_config.on_failure.destination_arn of the mapping to the ARN of an S3 bucket.",
    schema={"kinds": strings("Kinds of destinations that hold the data of Kinesis records.", ["bucket"])},
    check=check,
)
