"""No bucket is public."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, flag

FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the buckets that may be made public."""
    for bucket in graph.index.of(types.BUCKET):
        if bucket.name in config["accepted"]:
            continue
        found = graph.index.referring(bucket.urn, types.BUCKET_PUBLIC_ACCESS, "bucket", arns.BUCKET)
        if not found:
            yield Finding(bucket.urn, f"nothing blocks public access to {bucket.label}")
        for block, _ in found:
            states = {key: flag(block.get(key)) for key in FLAGS}
            hidden = [key for key, state in states.items() if state is UNKNOWN]
            off = [key for key, state in states.items() if state is not True and state is not UNKNOWN]
            if off:
                yield Finding(
                    block.urn, f"public access to {bucket.label} is not blocked by {', '.join(off)}"
                )
            if hidden:
                yield Finding(block.urn, f"{', '.join(hidden)} of {bucket.label} is not known at preview")


RULE = StackRule(
    name="s3-bucket-private",
    level="advisory",
    resilience=True,
    severity="critical",
    what="Public access to every bucket is blocked in all four ways.",
    why="A bucket of dead letters holds what customers sent.",
    fix="Add a BucketPublicAccessBlock for the bucket with all four flags true.",
    schema={"accepted": strings("Logical names of buckets that are meant to be public.")},
    check=check,
)
