"""Parses ARNs and names as they are written in programs. Pure, and never raises."""

import re
from dataclasses import dataclass

ALARM, FUNCTION, KEY, KEY_ALIAS, MACHINE = "alarm", "function", "key", "key-alias", "machine"
MAPPING, OTHER, POLICY, QUEUE, ROLE = "mapping", "other", "policy", "queue", "role"
RULE, TABLE, TOPIC = "rule", "table", "topic"

_PREFIXES = {
    ("cloudwatch", "alarm:"): ALARM,
    ("dynamodb", "table/"): TABLE,
    ("events", "rule/"): RULE,
    ("iam", "policy/"): POLICY,
    ("iam", "role/"): ROLE,
    ("kms", "alias/"): KEY_ALIAS,
    ("kms", "key/"): KEY,
    ("lambda", "event-source-mapping:"): MAPPING,
    ("lambda", "function:"): FUNCTION,
    ("sns", ""): TOPIC,
    ("sqs", ""): QUEUE,
    ("states", "stateMachine:"): MACHINE,
}

_PATHS = frozenset({POLICY, ROLE, RULE})
"""Kinds whose ARN has a path or a bus before the name."""

_QUEUE_URL = re.compile(r"https?://[^/]*(?:sqs|queue)[^/]*/(\d+)/([^/?]+)")


@dataclass(frozen=True)
class Arn:
    """What an ARN, a queue's URL or a name says."""

    kind: str
    name: str
    qualifier: str = ""
    """Alias or version of a function; empty for none."""
    region: str = ""
    account: str = ""


def parse_arn(text: str) -> Arn | None:
    """Return what an ARN or a queue's URL names; None for text that is neither."""
    url = _QUEUE_URL.fullmatch(text)
    if url:
        return Arn(QUEUE, url[2], account=url[1])
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return None
    _, _, service, region, account, rest = parts
    for (owner, prefix), kind in _PREFIXES.items():
        if service == owner and rest.startswith(prefix):
            return _named(kind, rest.removeprefix(prefix), region, account)
    return Arn(OTHER, text, region=region, account=account)


def _named(kind: str, name: str, region: str, account: str) -> Arn:
    qualifier = ""
    if kind == FUNCTION:
        name, _, qualifier = name.partition(":")
    elif kind in _PATHS:
        name = name.rsplit("/", 1)[-1]
    elif kind == TABLE:
        name = name.split("/", 1)[0]
    elif kind == KEY_ALIAS:
        name = f"alias/{name}"
    elif kind == TOPIC:
        # What follows a topic's name is the id of a subscription.
        name = name.split(":", 1)[0]
    elif kind == MACHINE:
        name, _, qualifier = name.partition(":")
    return Arn(kind, name, qualifier, region, account)


def named(text: str, kind: str) -> Arn:
    """Return what a text names where AWS takes an ARN or a bare name of one kind."""
    arn = parse_arn(text)
    if arn:
        return arn
    if kind == FUNCTION:
        # AWS also takes account:function:name[:qualifier].
        name, _, qualifier = text.split(":function:", 1)[-1].partition(":")
        return Arn(kind, name, qualifier)
    return Arn(kind, text.rsplit("/", 1)[-1] if kind in _PATHS else text)
