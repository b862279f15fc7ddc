"""A poisoned record does not block its shard for ever."""

from collections.abc import Iterable

from selfheal_policies.consumers import of_streams
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, integer
from selfheal_policies.values import ABSENT, UNKNOWN, flag, number

LIMITS = (
    ("maximumRecordAgeInSeconds", "maximumAgeSeconds", "seconds of a record's age"),
    ("maximumRetryAttempts", "maximumRetries", "retries"),
)


def problems(mapping: Resource, config: Config) -> Iterable[Finding]:
    """Yield the limits that a mapping of a stream lacks."""
    for key, setting, what in LIMITS:
        limit = number(mapping.get(key))
        if limit is UNKNOWN:
            yield Finding(mapping.urn, f"`{key}` of {mapping.label} is not known at preview")
        elif limit is ABSENT or limit < 0:
            yield Finding(mapping.urn, f"{mapping.label} has no limit on the {what} (`{key}`)")
        elif limit > config[setting]:
            yield Finding(
                mapping.urn, f"{mapping.label} allows {limit:g} {what}; at most {config[setting]:g}"
            )
    bisects = flag(mapping.get("bisectBatchOnFunctionError"))
    if bisects is UNKNOWN:
        yield Finding(mapping.urn, f"whether {mapping.label} bisects a failed batch is not known at preview")
    elif bisects is not True:
        yield Finding(mapping.urn, f"{mapping.label} does not bisect a failed batch")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the mappings of streams that try for ever, or a whole batch at once."""
    for consumer in of_streams(graph.index):
        yield from problems(consumer.mapping, config)


RULE = StackRule(
    name="lambda-stream-bounded",
    level="advisory",
    resilience=True,
    severity="high",
    what="A consumer of a stream limits a record's age and the retries, and bisects a batch that fails.",
    why=(
        "By default one poisoned record blocks its shard until it expires; and throttled batches are "
        "given up by age only."
    ),
    fix=(
        "Set maximum_record_age_in_seconds, maximum_retry_attempts and bisect_batch_on_function_error of the "
        "mapping."
    ),
    schema={
        "maximumAgeSeconds": integer("Most seconds of a record's age.", 86_400, minimum=60),
        "maximumRetries": integer("Most retries.", 100, minimum=0),
    },
    check=check,
)
