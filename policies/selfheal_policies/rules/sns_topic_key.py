"""Who publishes to an encrypted topic on the way of alarms may use its key."""

import re
from collections.abc import Iterable, Mapping

from selfheal_policies import arns
from selfheal_policies.doors import (
    Sender,
    by_service,
    named_by,
    policies_of,
    senders_to,
    speakers,
    woken_by,
)
from selfheal_policies.evaluation import NO, YES, Answer, Request, Value, allowed
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN, flag, text
from selfheal_policies.wiring import Link

MANAGED = "alias/aws/sns"
NEEDED = ("kms:Decrypt", "kms:GenerateDataKey")
"""Source: Amazon SNS developer guide, "Enable compatibility between event sources from AWS services and
encrypted topics"."""

EVENTS = "events.amazonaws.com"
UNSUPPORTED = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")
"""Condition keys that EventBridge does not send with a topic's key: the same page."""

VIA = re.compile(r"\*|sns\.[\w*-]+\.amazonaws\.com(\.cn)?")
CONTEXT = "kms:encryptioncontext:aws:sns:topicarn"
OF_SNS: Mapping[str, Value] = {
    "kms:encryptioncontextkeys": "aws:sns:topicArn",
    "kms:viaservice": lambda given: YES if isinstance(given, str) and VIA.fullmatch(given) else NO,
}
"""Condition keys of the requests that SNS sends to KMS for who publishes."""

SYMMETRIC = {"keyUsage": "ENCRYPT_DECRYPT", "customerMasterKeySpec": "SYMMETRIC_DEFAULT"}
"""What SNS can encrypt with, which is the default. Source: the same guide, "Key management"."""


def problem(graph: Graph, topic: Resource, links: list[Link], accepted: list[str]) -> str:
    """Return why a service may not be able to publish to a topic, as the end of a sentence."""
    value = topic.get("kmsMasterKeyId")
    if text(value) is ABSENT:
        return ""
    if isinstance(value, str) and (value in accepted or value.endswith(MANAGED)):
        if value in accepted:
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
    problems = (_unusable(graph, key, topic) or _closed(graph, key, topic, links) for key in keys)
    return next((f"is encrypted with key {found}" for found in problems if found), "")


def _keys(graph: Graph, node: Node) -> list[Resource]:
    if node.resource is None or node.kind == arns.KEY:
        return [node.resource] if node.resource else []
    targets = graph.index.follow_quietly(node.resource, "targetKeyId", (arns.KEY,))
    return [target.resource for target in targets if target.resource]


def _unusable(graph: Graph, key: Resource, topic: Resource) -> str:
    """Return why nobody can use a key for a topic, as the end of a sentence; empty if somebody can."""
    for name in ("isEnabled", "enabled"):
        if flag(key.get(name)) is UNKNOWN:
            return f"{key.name}, of which it is not known at preview whether it is enabled"
        if flag(key.get(name)) is False:
            return f"{key.name}, which is disabled"
    for name, wanted in SYMMETRIC.items():
        if text(key.get(name)) not in (ABSENT, wanted):
            return f"{key.name}, which SNS cannot use ({name} must be {wanted})"
    here, there = graph.index.place(topic).region, graph.index.place(key).region
    if here and there and here != there:
        return f"{key.name} of region {there}, and the topic is in {here}"
    return ""


def _closed(graph: Graph, key: Resource, topic: Resource, links: list[Link]) -> str:
    """Return why a service may not be able to use a key, as the end of a sentence; empty if it may."""
    policies = [held for held in policies_of(graph, key) if not held.replaced]
    if any(held.document.problem for held in policies):
        return f"{key.name}, whose policy cannot be read at preview"
    for service, requests in _requests(graph, links).items():
        answers = {action: _answer(graph, key, topic, requests, action) for action in NEEDED}
        missing = " and ".join(action for action, answer in answers.items() if answer != YES)
        if NO in answers.values():
            return f"{key.name}, whose policy does not let {service} {missing}"
        if missing:
            return f"{key.name}, whose policy lets {service} {missing} on conditions that cannot be judged"
    return ""


def _answer(graph: Graph, key: Resource, topic: Resource, requests: list[Sender], action: str) -> Answer:
    """Return whether every policy that may be in force on a key allows all requests."""
    answers: list[Answer] = []
    for held in policies_of(graph, key):
        named = named_by(graph.index, held.holder, "policy", graph.index.node(key))
        context = named_by(graph.index, held.holder, "policy", graph.index.node(topic))
        answers += [
            allowed(held.document, Request(caller, action, named, {**keys, CONTEXT: context}))
            for caller, keys in requests
            if not held.replaced
        ]
    # The default policy of a key lets nobody use it but its account.
    return min(answers, default=NO)


def _requests(graph: Graph, links: list[Link]) -> Mapping[str, list[Sender]]:
    """Return the services that publish by links, each with the requests that it sends to KMS."""
    found: dict[str, list[Sender]] = {}
    for each in speakers(graph, links):
        caller, keys = by_service(each.service, each.account, each.arn)
        unsupported = dict.fromkeys(UNSUPPORTED if each.service == EVENTS else (), ABSENT)
        found.setdefault(each.service, []).append((caller, {**keys, **unsupported, **OF_SNS}))
    return found


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the encrypted topics on the way of alarms, in a stack with a healer, whose key is of no use."""
    alarms = graph.wake_alarms | graph.health_alarms
    links = [link for urn in sorted(alarms) for link in graph.wiring.links_from(urn)]
    topics = {link.target.key: link.target.resource for link in links if link.target.kind == arns.TOPIC}
    topics |= {key: node.resource for key, (node, _) in graph.wake_topics.items()}
    healers = {link.target.key: graph.concerned(alarms[link.source]) for link in reversed(links)}
    healers |= woken_by(graph)
    senders = senders_to(graph)
    for topic in topics.values():
        if topic and (found := problem(graph, topic, senders.get(topic.urn, []), config["allowedKeys"])):
            yield Finding(
                topic.urn, f"{topic.label}, to which alarms publish, {found}", healers.get(topic.urn, "")
            )


RULE = StackRule(
    name="sns-topic-key",
    level="mandatory",
    severity="critical",
    what="An encrypted topic that a healer's alarms publish to uses a key that CloudWatch may use.",
    why="Otherwise notifications are lost without a visible error: nothing is healed and nobody is told.",
    fix=(
        "Use an enabled key of your own in the topic's region whose policy allows cloudwatch.amazonaws.com "
        "(and events.amazonaws.com for a rule's topic) kms:Decrypt and kms:GenerateDataKey*, leave the topic "
        "unencrypted, or name a key that is known good in `allowedKeys`."
    ),
    schema={
        "allowedKeys": strings(
            "Keys of other stacks that CloudWatch may use, written as the topic names them."
        ),
    },
    check=check,
)
