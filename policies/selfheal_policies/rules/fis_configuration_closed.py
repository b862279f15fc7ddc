"""Only experiments write what makes functions fail.

Functions with the extension of AWS FIS read from a bucket which faults are in force. Its ARN is in a variable
of their environment.
"""

from collections.abc import Iterable, Iterator

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, is_pattern, parse, resource_matches
from selfheal_policies.experiments import roles_of, templates
from selfheal_policies.grants import grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, Missing, text

LOCATION = "AWS_FIS_CONFIGURATION_LOCATION"

WRITES = ("s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy")


def buckets(graph: Graph) -> list[Resource]:
    """Return the buckets of this stack that functions read their faults from."""
    found: dict[str, Resource] = {}
    for function in graph.index.of(types.FUNCTION):
        value = text(function.variable(LOCATION))
        nodes = (
            [graph.index.literal(value, arns.BUCKET)]
            if isinstance(value, str)
            else graph.index.origins(function, "environment", (arns.BUCKET,))
            if value is UNKNOWN
            else []
        )
        found |= {node.key: node.resource for node in nodes if node.resource}
    return list(found.values())


def writes(document: Document, bucket: Resource) -> Iterator[str]:
    """Yield the actions by which what a document allows may write into a bucket."""
    for statement in document.allowing:
        for action in WRITES:
            if statement.covers(action, if_unknown=True) and (
                statement.not_resources or any(_is_of(each, bucket) for each in statement.resources)
            ):
                yield action


def _is_of(resource: str | Missing, bucket: Resource) -> bool:
    """Return whether a resource of a statement may be a bucket, or an object in it."""
    name = text(bucket.get("bucket"))
    if not isinstance(resource, str) or not isinstance(name, str):
        return True
    arn = arns.parse_arn(resource)
    if arn is None:
        return is_pattern(resource)
    return arn.kind == arns.BUCKET and resource_matches(arn.name, name)


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what may write into the buckets and is no role of an experiment."""
    experiments = {
        node.key for template in templates(graph.index) for node in roles_of(graph.index, template)
    }
    for bucket in buckets(graph):
        for role in graph.index.of(types.ROLE):
            if role.urn in experiments or role.name in config["writers"]:
                continue
            for grant in grants_of(graph.index, role):
                told = list(dict.fromkeys(writes(grant.document, bucket)))
                if grant.document.problem and bucket.urn in grant.resource.references.get("policy", ()):
                    yield Finding(
                        grant.urn,
                        f"{grant.where}, which says something of {bucket.label}, {grant.document.problem}",
                    )
                if told:
                    yield Finding(
                        grant.urn,
                        f"{grant.where} allows {', '.join(told)} on {bucket.label}, from which functions "
                        "read which faults are in force",
                    )
        for policy, _ in graph.index.referring(bucket.urn, types.BUCKET_POLICY, "bucket", arns.BUCKET):
            document = parse(policy.get("policy"))
            if document.problem:
                yield Finding(policy.urn, f"the policy of {bucket.label} {document.problem}")
            told = list(dict.fromkeys(writes(document, bucket)))
            if told:
                yield Finding(
                    policy.urn,
                    f"the policy of {bucket.label}, from which functions read which faults are in force, "
                    f"allows {', '.join(told)} to others",
                )


RULE = StackRule(
    name="fis-configuration-closed",
    level="mandatory",
    severity="critical",
    what="Only experiments may write into the bucket from which functions read which faults are in force.",
    why="Whoever writes there decides whether these functions work, past every stop condition.",
    fix="Take the right away, or narrow it to other buckets; a policy of the bucket needs to allow nobody.",
    schema={"writers": strings("Logical names of roles that may write there.")},
    check=check,
)
