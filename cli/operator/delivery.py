"""Sends a letter to its target, and nowhere else."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.operator.aws_access import ClientSource, PatientSource
from selfheal.cli.operator.letters import Letter, function_payload, queue_message

LONGEST_INVOCATION_SECONDS = 900 + 10
"""How long a function may take, and its answer."""

QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
"""Source: API reference of CreateQueue."""

_ARN = re.compile(
    r"arn:[a-z0-9-]+:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d*):(?P<rest>.+)"
)
_REGION_OF_HOST = re.compile(r"(?:sqs\.)?([a-z]{2}-[a-z-]+-\d)\.(?:queue\.)?amazonaws\.com(?:\.cn)?")


class NotSentError(Exception):
    """A letter was not sent. Its text says why, for people."""


class NoAddressError(NotSentError):
    """It was not even tried: there is nowhere to send the letter."""


@dataclass(frozen=True)
class Address:
    """Where letters can be sent."""

    service: str
    """`sqs` or `lambda`."""

    place: str
    """The queue's URL, or the function's ARN."""


@dataclass
class Deliveries:
    """Sends letters from one dead-letter place."""

    clients: PatientSource
    origin: str
    """URL of the dead-letter queue, or s3://BUCKET, that the letters lie in. Nothing is sent there."""

    override: str = ""
    """Where all letters go. Default: each to its own target."""

    _known: dict[str, Address] = field(default_factory=dict[str, Address], repr=False)
    _patient: ClientSource | None = field(default=None, repr=False)

    def target(self, letter: Letter) -> str:
        """Return where a letter is to go, as it is written on it or was given; empty if it cannot be told."""
        return self.override or letter.target

    def address(self, letter: Letter) -> Address:
        """Return where a letter goes.

        Raises:
            NoAddressError: when that cannot be told, or the letter does not hold what failed.

        """
        if letter.payload is None:
            raise NoAddressError("it does not hold what failed: for a stream only a bucket does")
        return self.resolve(self.target(letter))

    def resolve(self, target: str) -> Address:
        """Return the address of a target.

        Args:
            target: ARN of a queue or function, or a queue's name or URL.

        Raises:
            NoAddressError: when it is neither, is not there, or is the dead-letter queue itself.

        """
        if target not in self._known:
            self._known[target] = self._resolved(target)
        return self._known[target]

    def send(self, letter: Letter, address: Address) -> str:
        """Send a letter, and return the id of the message that was sent; empty for a function.

        Raises:
            NotSentError: when it was refused, or the function failed.

        """
        try:
            return (
                self._queued(letter, address) if address.service == "sqs" else self._invoked(letter, address)
            )
        except (ValueError, ClientError, BotoCoreError) as error:
            raise NotSentError(str(error)) from error

    def _resolved(self, target: str) -> Address:
        if not target:
            raise NoAddressError("its target cannot be told: name one with --to")
        arn = _ARN.fullmatch(target)
        if arn is None:
            return self._queue(*_queue_of(target))
        service, region, own_region = arn["service"], arn["region"], self._sqs.meta.region_name
        if service not in {"sqs", "lambda"} or (
            service == "lambda" and not arn["rest"].startswith("function:")
        ):
            raise NoAddressError(f"{target} is neither a queue nor a function")
        if service == "lambda":
            if region != own_region:
                raise NoAddressError(_elsewhere(target, region, own_region))
            return Address(service, target)
        return self._queue(arn["rest"], arn["account"], region)

    def _queue(self, name: str, account: str, region: str) -> Address:
        own_region = self._sqs.meta.region_name
        if not QUEUE_NAME.fullmatch(name):
            raise NoAddressError(f"{name!r} is neither an ARN nor a queue's name")
        if region and region != own_region:
            raise NoAddressError(_elsewhere(name, region, own_region))
        owner = {"QueueOwnerAWSAccountId": account} if account else {}
        try:
            url = str(self._sqs.get_queue_url(QueueName=name, **owner)["QueueUrl"])
        except ClientError as error:
            raise NoAddressError(f"the queue {name} cannot be had: {error}") from error
        if urlsplit(url).path == urlsplit(self.origin).path:  # a host may have several names
            raise NoAddressError("this is the dead-letter queue itself")
        return Address("sqs", url)

    @property
    def _sqs(self) -> Any:
        return self.clients.get("sqs")

    def _queued(self, letter: Letter, address: Address) -> str:
        body, attributes = queue_message(letter)
        more: dict[str, Any] = {"MessageGroupId": letter.group} if letter.group else {}
        if address.place.endswith(".fifo"):
            # The same for the same letter: one that was sent, but not deleted, is dropped within 5 minutes.
            more |= {"MessageDeduplicationId": f"{letter.digest}-{letter.id[:64]}-{letter.redriven + 1}"}
        answer = self._sqs.send_message(
            QueueUrl=address.place, MessageBody=body, MessageAttributes=attributes, **more
        )
        return str(answer["MessageId"])

    def _invoked(self, letter: Letter, address: Address) -> str:
        # A call that is repeated, because its answer took long, would run the function once more.
        self._patient = self._patient or self.clients.patient(LONGEST_INVOCATION_SECONDS)
        answer = self._patient.get("lambda").invoke(
            FunctionName=address.place, Payload=function_payload(letter).encode()
        )
        if failed := _failure(answer):
            raise NotSentError(failed)
        return ""


def _queue_of(text: str) -> tuple[str, str, str]:
    """Return the name, account and region of a queue's URL; of a name the name alone."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"}:
        return text, "", ""
    account, _, name = parts.path.strip("/").partition("/")
    region = _REGION_OF_HOST.fullmatch(parts.hostname or "")
    return name, account, region[1] if region else ""


def _elsewhere(target: str, region: str, own: str) -> str:
    return f"{target} is in region {region or 'unknown'}, and this works in {own}"


def _failure(answer: Mapping[str, Any]) -> str | None:
    """Return how an invocation failed; None if it did not."""
    text = answer["Payload"].read().decode("utf-8", "replace")
    try:
        said = json.loads(text) if text else None
    except ValueError:
        said = None
    told = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    if kind := answer.get("FunctionError"):
        what = (told.get("errorType"), told.get("errorMessage"))
        return f"the function failed ({kind}): {': '.join(str(each) for each in what if each) or text[:200]}"
    if failures := told.get("batchItemFailures"):
        many = len(failures) if isinstance(failures, list) else 1
        return f"the function did not take {many} of its records"
    return None
