"""Parses ARNs and names as they are written in programs. Pure, and never raises."""

import re
from dataclasses import dataclass

ALARM, BUCKET, BUS, FUNCTION, KEY, KEY_ALIAS = "alarm", "bucket", "bus", "function", "key", "key-alias"
DELIVERY, LOG_GROUP, MACHINE, MAPPING, OTHER, POLICY = (
    "delivery-stream",
    "log-group",
    "machine",
    "mapping",
    "other",
    "policy",
)
QUEUE, ROLE, RULE, STREAM, TABLE, TOPIC = "queue", "role", "rule", "stream", "table", "topic"

_PREFIXES = {
    ("cloudwatch", "alarm:"): ALARM,
    ("dynamodb", "table/"): TABLE,
    ("events", "event-bus/"): BUS,
    ("events", "rule/"): RULE,
    ("firehose", "deliverystream/"): DELIVERY,
    ("iam", "policy/"): POLICY,
    ("iam", "role/"): ROLE,
    ("kinesis", "stream/"): STREAM,
    ("kms", "alias/"): KEY_ALIAS,
    ("kms", "key/"): KEY,
    ("lambda", "event-source-mapping:"): MAPPING,
    ("lambda", "function:"): FUNCTION,
    ("logs", "log-group:"): LOG_GROUP,
    ("s3", ""): BUCKET,
    ("sns", ""): TOPIC,
    ("sqs", ""): QUEUE,
    ("states", "stateMachine:"): MACHINE,
}

_PATHS = frozenset({POLICY, ROLE, RULE})
"""Kinds whose ARN has a path or a bus before the name."""

FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:[\w-]+(?::[\w$-]+)?")
"""The ARN of a function, maybe with a qualifier, wherever it is in a text."""

_HTTP = ("https://", "http://")
_ACCOUNT_LENGTH = 12

_QUEUE_REGION = re.compile(r"https?://(?:(?:sqs|queue)(?:-fips)?\.([a-z0-9-]+-\d)|([a-z0-9-]+-\d)\.queue)\.")
"""Source: the reference of Amazon SQS endpoints, which has an older form as well."""


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
    if text.startswith(_HTTP):
        return _parse_url(text)
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return None
    _, _, service, region, account, rest = parts
    for (owner, prefix), kind in _PREFIXES.items():
        if service == owner and rest.startswith(prefix):
            return _named(kind, rest.removeprefix(prefix), region, account)
    return Arn(OTHER, text, region=region, account=account)


def _parse_url(text: str) -> Arn | None:
    """Return the queue that a URL names; None for another URL.

    One of AWS names the service in its host; where another server stands for AWS, a queue is known by the
    account in the path.
    """
    host, *path = text.split("://", 1)[1].split("/")
    if len(path) != 2 or not path[0].isdecimal() or not path[1] or "?" in path[1]:  # noqa: PLR2004 - account and name
        return None
    if "sqs" not in host and "queue" not in host and len(path[0]) != _ACCOUNT_LENGTH:
        return None
    at = _QUEUE_REGION.match(text)
    return Arn(QUEUE, path[1], region=(at[1] or at[2]) if at else "", account=path[0])


def _named(kind: str, name: str, region: str, account: str) -> Arn:
    qualifier = ""
    if kind == FUNCTION:
        name, _, qualifier = name.partition(":")
    elif kind in _PATHS:
        name = name.rsplit("/", 1)[-1]
    elif kind in (BUCKET, STREAM, TABLE):
        # What follows is a key of the bucket, a consumer of the stream, or the stream of the table.
        name = name.split("/", 1)[0]
    elif kind == KEY_ALIAS:
        name = f"alias/{name}"
    elif kind in (LOG_GROUP, TOPIC):
        # What follows is a stream of the group or the id of a subscription.
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
