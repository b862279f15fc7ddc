"""Checks on identifiers of AWS resources that components take: a name where an ARN was given, and the like.

A wrong one is refused by AWS at best. At worst nothing refuses it, and nothing is ever seen: no metric has an
ARN as FunctionName. An ARN is not shortened to a name, because its account and region would be lost silently.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pulumi

from selfheal.components.errors import ComponentError

_SHOWN = 120
"""Characters of a wrong identifier that are shown."""


def _last_part(given: str) -> str:
    return f"Give what follows the last colon or slash: {re.split('[:/]', given)[-1]!r}."


def _trimmed(given: str) -> str:
    return f"Give it without the space around it: {given.strip()!r}."


@dataclass(frozen=True)
class Identifier:
    """One kind of identifier: what it is, and what people give in its place."""

    what: str
    """Completes "must be"."""
    form: re.Pattern[str]
    example: str
    advice: Callable[[str], str | None] = lambda _given: None
    """Returns what to give instead, if what was given shows it."""

    def check(self, where: str, given: Any) -> str:
        """Return an identifier that is one.

        Raises:
            ComponentError: when it is not.

        """
        if isinstance(given, str) and self.form.fullmatch(given):
            return given
        hint = _hint(self, given) if isinstance(given, str) else None
        shown = given[:_SHOWN] if isinstance(given, str) else given
        raise ComponentError(
            f"{where} must be {self.what}, got {shown!r}. {hint or f'For example {self.example}.'}"
        )

    def of(self, where: str, given: pulumi.Input[str]) -> pulumi.Input[str]:
        """Return an identifier that is checked: now, or as soon as its value is known.

        Args:
            where: The argument, for the message.
            given: The identifier, or an output of it. An output that is unknown at preview stays unknown.

        Raises:
            ComponentError: when it is known and none. In an output it fails what uses that.

        """
        if isinstance(given, (pulumi.Output, Awaitable)):
            return pulumi.Output.from_input(given).apply(lambda known: self.check(where, known))
        return self.check(where, given)


def _hint(kind: Identifier, given: str) -> str | None:
    if not given.strip():
        return None
    if kind.form.fullmatch(given.strip()):
        return _trimmed(given)
    return kind.advice(given)


_QUALIFIED = re.compile(
    r"(?:.*:)?function:(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?|(?P<bare>[\w-]+):(?P<alias>[\w$-]+)"
)


def _of_function(given: str) -> str | None:
    found = _QUALIFIED.fullmatch(given.strip())
    if found is None:
        return None
    name, qualifier = found["name"] or found["bare"], found["qualifier"] or found["alias"]
    if qualifier == "$LATEST":
        return f"Give {name!r}, and no alias: traffic on $LATEST needs none."
    if qualifier is not None and qualifier.isdecimal():
        return f"Give {name!r}, and the alias through which its traffic comes, not version {qualifier}."
    more = f", and as `alias` {qualifier!r} where there is such an argument" if qualifier else ""
    return f"Give {name!r}{more}. Account and region are those of the provider: no other can be meant."


def _of_alias(given: str) -> str | None:
    if given == "$LATEST":
        return "Leave it out: traffic on $LATEST uses no alias."
    if given.isdecimal():
        return "A number is a version, and what has a version cannot be rolled back. Make an alias of it."
    return _last_part(given) if ":" in given else None


def _of_certificate(given: str) -> str | None:
    elsewhere = re.fullmatch(r"arn:[\w-]+:acm:([\w-]+):\d{12}:certificate/.+", given)
    if elsewhere is None:
        return None
    return f"CloudFront takes certificates of us-east-1 only, and this one is in {elsewhere[1]}."


def _if_arn(given: str) -> str | None:
    return _last_part(given) if given.startswith(("arn:", "https:")) else None


_PARTITION = r"arn:aws[\w-]*"

FUNCTION = Identifier(
    "the name of a Lambda function: 1 to 64 letters, digits, hyphens and underscores, and neither account, "
    "region nor qualifier",
    re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "'orders'",
    _of_function,
)
ALIAS = Identifier(
    "the name of an alias: 1 to 128 letters, digits, hyphens and underscores, not all of them digits",
    re.compile(r"(?![0-9]+$)[A-Za-z0-9_-]{1,128}"),
    "'live'",
    _of_alias,
)
MAPPING = Identifier(
    "the UUID of an event source mapping",
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "the property `uuid` of the EventSourceMapping",
    _if_arn,
)
TABLE = Identifier(
    "the name of a DynamoDB table: 3 to 255 letters, digits, dots, hyphens and underscores",
    re.compile(r"[A-Za-z0-9_.-]{3,255}"),
    "'ledger'",
    _if_arn,
)
TOPIC = Identifier(
    "the ARN of an SNS topic",
    re.compile(rf"{_PARTITION}:sns:[a-z0-9-]+:\d{{12}}:[A-Za-z0-9_-]{{1,256}}(\.fifo)?"),
    '`OnCall("on-call").topic_arn`',
)
ALARM = Identifier(
    "the name of an alarm, not its ARN",
    re.compile(r"(?!arn:)\S(.{0,253}\S)?"),
    "the property `name` of the MetricAlarm",
    lambda given: f"Give {given.rpartition(':alarm:')[2]!r}." if ":alarm:" in given else None,
)
SUBNET = Identifier(
    "the id of a subnet", re.compile(r"subnet-[0-9a-f]{8,17}"), "'subnet-0a1b2c3d4e5f60718'", _if_arn
)
SECURITY_GROUP = Identifier(
    "the id of a security group", re.compile(r"sg-[0-9a-f]{8,17}"), "'sg-0a1b2c3d4e5f60718'", _if_arn
)
REST_API = Identifier(
    "the id of a REST API, not its URL or ARN",
    re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "the property `id` of the RestApi",
)
SOURCE = Identifier(
    "the source of events: 1 to 256 characters without spaces, of which the first four are not aws.",
    re.compile(r"(?!aws\.)\S{1,256}"),
    "'shop.orders'",
)
STAGE = Identifier("the name of a stage", re.compile(r"[A-Za-z0-9_-]{1,128}"), "'live'")
HOST = Identifier(
    "the name of a host, without scheme and path",
    re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"),
    "'orders.example.com'",
)
CERTIFICATE = Identifier(
    "the ARN of a certificate in us-east-1",
    re.compile(rf"{_PARTITION}:acm:us-east-1:\d{{12}}:certificate/[\w-]+"),
    "the property `arn` of the Certificate",
    _of_certificate,
)
URL = Identifier(
    "a URL that begins with http:// or https://",
    re.compile(r"https?://[^\s/]+(/\S*)?"),
    "'https://example.com/health'",
)
