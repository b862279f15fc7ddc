"""CloudWatch can publish to an encrypted topic."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.documents import action_matches, parse, principals
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._names import named
from selfheal_policies.values import ABSENT, UNKNOWN, text

MANAGED = "alias/aws/sns"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")
"""Source: Amazon SNS developer guide, "Enable compatibility between event sources and encrypted topics"."""

CLOUDWATCH = "cloudwatch.amazonaws.com"


def problem(graph: Graph, topic: Resource, allowed: list[str]) -> str:
    """Return why CloudWatch may not be able to publish to a topic, as the end of a sentence."""
    value = topic.get("kmsMasterKeyId")
    if text(value) is ABSENT:
        return ""
    if isinstance(value, str) and (value in allowed or value.endswith(MANAGED)):
        if value in allowed:
            return ""
        return f"is encrypted with the AWS-managed key {MANAGED}, which CloudWatch may not use"
    if isinstance(value, str):
        nodes = [graph.index.literal(value, arns.KEY_ALIAS if value.startswith("alias/") else arns.KEY)]
    else:
        nodes = graph.index.origins(topic, "kmsMasterKeyId", (arns.KEY, arns.KEY_ALIAS))
    keys = [key for node in nodes for key in _keys(graph, node)]
    if not keys:
        what = value if isinstance(value, str) else "that is not known at preview"
        return f"is encrypted with a key {what}, of which this stack says nothing"
    return next((text_ for text_ in (_closed(graph, key) for key in keys) if text_), "")


def _keys(graph: Graph, node: Node) -> list[Resource]:
    if node.resource is None or node.kind == arns.KEY:
        return [node.resource] if node.resource else []
    alias = node.resource
    targets = graph.index.follow(alias, "targetKeyId", alias.get("targetKeyId"), (arns.KEY,))
    return [target.resource for target in targets if target.resource]


def _closed(graph: Graph, key: Resource) -> str:
    policies = [key.get("policy")]
    for each in graph.of(KEY_POLICY):
        named_keys = graph.index.follow(each, "keyId", each.get("keyId"), (arns.KEY,))
        if key.urn in {node.key for node in named_keys}:
            policies.append(each.get("policy"))
    documents = [parse(policy) for policy in policies]
    granted = {
        action
        for document in documents
        for statement in document
        if statement.allows and set(principals(statement, "Service")) & {CLOUDWATCH, "*"}
        for action in NEEDED
        for pattern in statement.actions
        if isinstance(pattern, str) and action_matches(pattern, action)
    }
    missing = [action for action in NEEDED if action not in granted]
    if not missing:
        return ""
    unknown = UNKNOWN in policies or any(document.problem for document in documents)
    reason = "cannot be read at preview" if unknown else f"does not let CloudWatch {' and '.join(missing)}"
    return f"is encrypted with key {key.name}, whose policy {reason}"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the encrypted topics of alarms, in a stack with a healer, whose key CloudWatch may not use."""
    alarms = {alarm.urn for healer in graph.healers for alarm in graph.waking_alarms(healer)}
    links = [
        link for urn in sorted(alarms | graph.health_alarms.keys()) for link in graph.wiring.links_from(urn)
    ]
    topics = {link.target.key: link.target.resource for link in links if link.target.kind == arns.TOPIC}
    for topic in topics.values():
        if topic and (found := problem(graph, topic, config["allowedKeys"])):
            yield Finding(topic.urn, f"{named(topic)}, to which alarms publish, {found}")


RULE = StackRule(
    name="sns-topic-key",
    level="mandatory",
    severity="critical",
    what="An encrypted topic that a healer's alarms publish to uses a key that CloudWatch may use.",
    why="Otherwise every alarm vanishes without an error that anyone sees: no healing, and nobody told.",
    fix=(
        "Use a key of your own whose policy allows cloudwatch.amazonaws.com kms:Decrypt and kms:"
        "GenerateDataKey*, leave the topic unencrypted, or name a key that is known good in `allowedKeys`."
    ),
    schema={
        "allowedKeys": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Keys of other stacks that CloudWatch may use, written as the topic names them.",
        }
    },
    check=check,
)
