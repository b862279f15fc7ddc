"""CloudWatch may use the key of an encrypted topic."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.documents import parse
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, text

MANAGED = "alias/aws/sns"
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
        kind = arns.KEY_ALIAS if value.startswith("alias/") else arns.KEY
        nodes = [graph.index.literal(value, kind, topic)]
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
    targets = graph.index.follow_quietly(node.resource, "targetKeyId", (arns.KEY,))
    return [target.resource for target in targets if target.resource]


def _closed(graph: Graph, key: Resource) -> str:
    """Return why CloudWatch may not be able to use a key, as the end of a sentence; empty if it may."""
    attached = [each for each, _ in graph.index.referring(key.urn, types.KEY_POLICY, "keyId", arns.KEY)]
    documents = [parse(holder.get("policy")) for holder in (key, *attached)]
    statements = [
        statement
        for document in documents
        for statement in document.allowing
        if set(statement.principals("Service")) & {CLOUDWATCH, "*"}
    ]
    missing = [
        action
        for action in NEEDED
        if not any(statement.covers(action, if_unknown=False) for statement in statements)
    ]
    if not missing:
        return ""
    unreadable = any(document.problem for document in documents)
    reason = "cannot be read at preview" if unreadable else f"does not let CloudWatch {' and '.join(missing)}"
    return f"is encrypted with key {key.name}, whose policy {reason}"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the encrypted topics of alarms, in a stack with a healer, whose key CloudWatch may not use."""
    alarms = graph.wake_alarms | graph.health_alarms
    links = [link for urn in sorted(alarms) for link in graph.wiring.links_from(urn)]
    topics = {link.target.key: link.target.resource for link in links if link.target.kind == arns.TOPIC}
    for topic in topics.values():
        if topic and (found := problem(graph, topic, config["allowedKeys"])):
            yield Finding(topic.urn, f"{topic.label}, to which alarms publish, {found}")


RULE = StackRule(
    name="sns-topic-key",
    level="mandatory",
    severity="critical",
    what="An encrypted topic that a healer's alarms publish to uses a key that CloudWatch may use.",
    why="Otherwise notifications are lost without a visible error: nothing is healed and nobody is told.",
    fix=(
        "Use a key of your own whose policy allows cloudwatch.amazonaws.com kms:Decrypt and kms:"
        "GenerateDataKey*, leave the topic unencrypted, or name a key that is known good in `allowedKeys`."
    ),
    schema={
        "allowedKeys": strings(
            "Keys of other stacks that CloudWatch may use, written as the topic names them."
        ),
    },
    check=check,
)
