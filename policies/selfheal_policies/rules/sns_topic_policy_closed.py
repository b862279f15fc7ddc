"""Nobody but CloudWatch publishes to the topic that wakes a healer."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from selfheal_policies import arns
from selfheal_policies.documents import Document, Statement, action_matches, parse
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._facts import distinct
from selfheal_policies.values import ABSENT, entries

TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"

OPENING = ("sns:Publish", "sns:AddPermission", "sns:SetTopicAttributes")
"""Publishes, or opens the topic for whoever wants to."""

SOURCES = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")
"""Condition keys that keep another account's alarm from making CloudWatch speak for it."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what lets others than CloudWatch publish to the topics that wake healers."""
    for topic in graph.wake_topics():
        policies = list(_policies(graph, topic))
        if not policies:
            yield Finding(
                topic.urn,
                f"topic {topic.name} wakes a healer and has no policy, so everybody in the account who may "
                "publish to topics may wake it",
            )
        for holder, document in policies:
            yield from distinct(problems(topic, holder, document, config))
        # What cannot be read has been said already.
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
    # What nobody gave is AWS's default, or repeats what a TopicPolicy has set.
    if "policy" in topic.references and topic.get("policy") not in (ABSENT, ""):
        yield topic, parse(topic.get("policy"))
    for policy in graph.of(TOPIC_POLICY):
        if any(node.key == topic.urn for node in graph.index.follow_quietly(policy, "arn", (arns.TOPIC,))):
            yield policy, parse(policy.get("policy"))


def _elsewhere(graph: Graph, accepted: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Return the topics of other stacks that wake healers, each with a resource that says so."""
    found: dict[str, tuple[str, str]] = {}
    known = {arns.named(each, arns.TOPIC).name for each in accepted}
    for healer in graph.healers:
        for link in graph.wake_links(healer):
            node = link.target
            if node.kind == arns.TOPIC and node.resource is None and node.label not in known:
                found.setdefault(node.key, (link.via.urn, node.label))
    return found.values()


def problems(topic: Resource, holder: Resource, document: Document, config: Config) -> Iterable[Finding]:
    """Yield whom a policy lets publish beside the configured services."""
    subject = f"the policy of topic {topic.name}, which wakes a healer,"
    if document.problem:
        yield Finding(holder.urn, f"{subject} {document.problem}")
    services = {service.lower() for service in config["publishers"]}
    for statement in document:
        if not statement.allows or not any(_covers(statement, action) for action in OPENING):
            continue
        strangers = list(_strangers(statement, services))
        for stranger in strangers:
            yield Finding(holder.urn, f"{subject} is open to {stranger}")
        if not strangers and not _bound(statement):
            yield Finding(
                holder.urn,
                f"{subject} has a statement without a condition on aws:SourceAccount or aws:SourceArn, so an "
                "alarm of any account may publish",
            )


def _covers(statement: Statement, action: str) -> bool:
    if statement.not_actions:
        return not any(
            isinstance(each, str) and action_matches(each, action) for each in statement.not_actions
        )
    return any(not isinstance(each, str) or action_matches(each, action) for each in statement.actions)


def _strangers(statement: Statement, services: set[str]) -> Iterator[str]:
    if statement.not_principal is not ABSENT:
        yield "everybody but its NotPrincipal"
        return
    if not isinstance(statement.principal, dict):
        yield "everybody (*)" if statement.principal == "*" else "a principal that cannot be read"
        return
    for kind, value in cast("dict[str, Any]", statement.principal).items():
        for entry in entries(value):
            if kind != "Service" or not isinstance(entry, str) or entry.lower() not in services:
                yield (
                    f"{kind} {entry}" if isinstance(entry, str) else f"a {kind} that is not known at preview"
                )


def _conditions(statement: Statement) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield operator, key and values of the conditions, the first two in small letters."""
    if isinstance(statement.condition, dict):
        for operator, keys in cast("dict[str, Any]", statement.condition).items():
            if isinstance(keys, dict):
                for key, value in cast("dict[str, Any]", keys).items():
                    yield operator.lower(), key.lower(), entries(value)


def _bound(statement: Statement) -> bool:
    """Return whether a condition names an account, an alarm or an organisation; `IfExists` does not."""
    return any(
        key in SOURCES
        and operator.startswith(("stringequals", "stringlike", "arnequals", "arnlike"))
        and not operator.endswith("ifexists")
        and all(isinstance(value, str) and value.strip("*?:") not in ("", "arn") for value in values)
        for operator, key, values in _conditions(statement)
        if values
    )


def is_closed(document: Document) -> bool:
    """Return whether a policy denies publishing to whoever is no AWS service, whatever else allows it."""
    return any(
        not statement.allows
        and _covers(statement, OPENING[0])
        and statement.principal in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and any(
            operator in ("bool", "boolifexists")
            and key == "aws:principalisawsservice"
            and [str(value).lower() for value in values] == ["false"]
            for operator, key, values in _conditions(statement)
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
        "publishers": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["cloudwatch.amazonaws.com"],
            "description": "Services that may publish.",
        },
        "requireDeny": {
            "type": "boolean",
            "default": True,
            "description": "Whether whoever is no AWS service must be denied by the topic itself.",
        },
        "topicsElsewhere": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Names or ARNs of topics of other stacks whose policies are known to be closed.",
        },
    },
    check=check,
)
