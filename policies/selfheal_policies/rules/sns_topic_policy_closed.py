"""Only CloudWatch may publish to a topic that wakes a healer."""

from collections.abc import Iterable, Iterator

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, Statement, parse
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, boolean, strings
from selfheal_policies.values import ABSENT

OPENING = ("sns:Publish", "sns:AddPermission", "sns:SetTopicAttributes")
"""Actions that publish to a topic, or that open it to others."""

SOURCES = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")
"""Condition keys that keep another account's alarm from making CloudWatch speak for it."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what lets others than CloudWatch publish to the topics that wake healers."""
    for topic in _wake_topics(graph):
        policies = list(_policies(graph, topic))
        if not policies:
            yield Finding(
                topic.urn,
                f"topic {topic.name} wakes a healer and has no policy, so everybody in the account who may "
                "publish to topics may wake it",
            )
        for holder, document in policies:
            yield from problems(topic, holder, document, config)
        # A policy that cannot be read has been reported already.
        closed = any(is_closed(document) or document.problem for _, document in policies)
        if config["requireDeny"] and policies and not closed:
            yield Finding(
                policies[0][0].urn,
                f"the policy of topic {topic.name}, which wakes a healer, does not deny publishing to "
                "whoever is no AWS service, so a person's or program's own policy is enough to wake it",
            )
    for urn, name in _elsewhere(graph, config["topicsElsewhere"]):
        yield Finding(
            urn,
            f"topic {name} wakes a healer and is not part of this stack, so who may publish cannot be seen",
        )


def _policies(graph: Graph, topic: Resource) -> Iterator[tuple[Resource, Document]]:
    # A policy that nobody gave is AWS's default, or repeats what a TopicPolicy has set.
    if "policy" in topic.references and topic.get("policy") not in (ABSENT, ""):
        yield topic, parse(topic.get("policy"))
    for policy, _ in graph.index.referring(topic.urn, types.TOPIC_POLICY, "arn", arns.TOPIC):
        yield policy, parse(policy.get("policy"))


def _wake_topics(graph: Graph) -> list[Resource]:
    """Return the topics of this stack on a way from an alarm to a healer."""
    return [node.resource for node, _ in graph.wake_topics.values() if node.resource]


def _elsewhere(graph: Graph, accepted: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Return the topics of other stacks that wake healers, each with a resource that says so."""
    known = {arns.named(each, arns.TOPIC).name for each in accepted}
    return [
        (via.urn, node.name)
        for node, via in graph.wake_topics.values()
        if node.resource is None and node.name not in known
    ]


def problems(topic: Resource, holder: Resource, document: Document, config: Config) -> Iterable[Finding]:
    """Yield whom a policy lets publish beside the configured services."""
    subject = f"the policy of topic {topic.name}, which wakes a healer,"
    if document.problem:
        yield Finding(holder.urn, f"{subject} {document.problem}")
    services = {service.lower() for service in config["publishers"]}
    for statement in document.allowing:
        if not any(statement.covers(action, if_unknown=True) for action in OPENING):
            continue
        strangers = list(statement.strangers(services))
        for stranger in strangers:
            yield Finding(holder.urn, f"{subject} is open to {stranger}")
        if not strangers and not _bound(statement):
            yield Finding(
                holder.urn,
                f"{subject} has a statement without a condition on aws:SourceAccount or aws:SourceArn, so an "
                "alarm of any account may publish",
            )


def _bound(statement: Statement) -> bool:
    """Return whether a condition names an account, an alarm or an organisation; `IfExists` does not."""
    return any(
        key in SOURCES
        and operator.startswith(("stringequals", "stringlike", "arnequals", "arnlike"))
        and not operator.endswith("ifexists")
        and all(isinstance(value, str) and value.strip("*?:") not in ("", "arn") for value in values)
        for operator, key, values in statement.conditions
        if values
    )


def is_closed(document: Document) -> bool:
    """Return whether a policy denies publishing to whoever is no AWS service, whatever else allows it."""
    return any(
        not statement.allows
        and statement.covers(OPENING[0], if_unknown=False)
        and statement.principal in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and any(
            operator in ("bool", "boolifexists")
            and key == "aws:principalisawsservice"
            and [str(value).lower() for value in values] == ["false"]
            for operator, key, values in statement.conditions
        )
        for statement in document
    )


RULE = StackRule(
    name="sns-topic-policy-closed",
    level="mandatory",
    severity="high",
    what="Only CloudWatch, for alarms of known accounts, may publish to a topic that wakes a healer.",
    why="Whoever may publish there decides when production is changed.",
    fix=(
        "Attach a TopicPolicy that allows sns:Publish to the service cloudwatch.amazonaws.com, on condition "
        "of aws:SourceAccount, and denies it to * where aws:PrincipalIsAWSService is false."
    ),
    schema={
        "publishers": strings("Services that may publish.", ["cloudwatch.amazonaws.com"]),
        "requireDeny": boolean(
            "Whether whoever is no AWS service must be denied by the topic itself.", default=True
        ),
        "topicsElsewhere": strings(
            "Names or ARNs of topics of other stacks whose policies are known to be closed."
        ),
    },
    check=check,
)
