"""Every bucket says how it is encrypted."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, entries, get

ALGORITHMS = ("AES256", "aws:kms", "aws:kms:dsse")


def algorithms(graph: Graph, bucket: Resource) -> list[object]:
    """Return the algorithms that a bucket is encrypted with by default, UNKNOWN among them; none for none."""
    found = graph.index.referring(bucket.urn, types.BUCKET_ENCRYPTION, "bucket", arns.BUCKET)
    rules = [rule for settings, _ in found for rule in entries(settings.get("rules"))]
    # The older way: a property of the bucket.
    rules += entries(bucket.get("serverSideEncryptionConfiguration", "rule"))
    return [
        UNKNOWN if rule is UNKNOWN else get(rule, "applyServerSideEncryptionByDefault", "sseAlgorithm")
        for rule in rules
    ]


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the buckets that say nothing of encryption, or not enough."""
    for bucket in graph.index.of(types.BUCKET):
        held = algorithms(graph, bucket)
        if UNKNOWN in held:
            yield Finding(bucket.urn, f"how {bucket.label} is encrypted is not known at preview")
        elif not any(each in config["algorithms"] for each in held):
            yield Finding(bucket.urn, f"{bucket.label} does not say how it is encrypted")


RULE = StackRule(
    name="s3-bucket-encrypted",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every bucket is encrypted by a configuration of its own.",
    why="What AWS does where nothing is said is no decision, and is no evidence for an audit.",
    fix="Add a BucketServerSideEncryptionConfiguration for the bucket, with sse_algorithm AES256 or aws:kms.",
    schema={"algorithms": strings("Algorithms that are allowed.", ALGORITHMS)},
    check=check,
)
