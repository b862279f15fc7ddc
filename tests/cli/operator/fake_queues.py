"""SQS and Lambda as a redrive sees them, in memory: a clock to turn, and a crash where one is wanted."""

import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

REGION = "us-east-1"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/"
ARN = "arn:aws:sqs:us-east-1:123456789012:"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
START = 1_790_000_000.0


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def written(**values: str) -> dict[str, Any]:
    """Message attributes."""
    return {name: text(value) for name, value in values.items()}


@dataclass
class Sqs:
    """Standard queues."""

    queues: dict[str, list[dict[str, Any]]]
    """By name, what lies in them."""
    now: float = START
    policy: str = ""
    """Redrive policy of every queue."""
    receive_seconds: float = 0.0
    """How long a receive takes."""
    crash: dict[str, BaseException] = field(default_factory=dict[str, BaseException])
    """By the name of a call, what it raises instead of doing anything."""
    on_sent: Callable[[str, dict[str, Any]], None] = lambda _name, _message: None
    """Is told the queue and the message: a consumer."""
    meta: Any = field(default_factory=lambda: SimpleNamespace(region_name=REGION))
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def put(
        self, queue: str, body: str, attributes: dict[str, Any] | None = None, **more: str
    ) -> dict[str, Any]:
        """Put a message into a queue, with system attributes."""
        message = {
            "MessageId": f"m-{next(self._numbers)}",
            "Body": body,
            "Attributes": {"SentTimestamp": str(int(self.now * 1000)), **more},
            "MessageAttributes": attributes or {},
            "visible_at": 0.0,
            "receives": 0,
        }
        self.queues[queue].append(message)
        return message

    def bodies(self, queue: str) -> list[str]:
        return [each["Body"] for each in self.queues[queue]]

    def visible(self, queue: str) -> int:
        return sum(each["visible_at"] <= self.now for each in self.queues[queue])

    def get_queue_url(self, QueueName: str, **_owner: str) -> dict[str, str]:
        if QueueName not in self.queues:
            raise refused("AWS.SimpleQueueService.NonExistentQueue", "no such queue", "GetQueueUrl")
        return {"QueueUrl": URL + QueueName}

    def get_queue_attributes(self, QueueUrl: str, **_names: Any) -> dict[str, Any]:
        name = self._name(QueueUrl)
        visible = self.visible(name)
        told = {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(self.queues[name]) - visible),
        }
        return {"Attributes": told | ({"RedrivePolicy": self.policy} if self.policy else {})}

    def receive_message(
        self, QueueUrl: str, MaxNumberOfMessages: int, VisibilityTimeout: int, **_more: Any
    ) -> dict[str, Any]:
        name = self._name(QueueUrl)
        self.now += self.receive_seconds
        found = [each for each in self.queues[name] if each["visible_at"] <= self.now][:MaxNumberOfMessages]
        for each in found:
            each["visible_at"] = self.now + VisibilityTimeout
            each["receives"] += 1
            each["ReceiptHandle"] = f"{each['MessageId']}/{next(self._numbers)}"
        answer = [
            {**each, "Attributes": {**each["Attributes"], "ApproximateReceiveCount": str(each["receives"])}}
            for each in found
        ]
        return {"Messages": answer} if answer else {}

    def send_message(
        self, QueueUrl: str, MessageBody: str, MessageAttributes: dict[str, Any], **more: str
    ) -> dict[str, str]:
        self._may("send_message")
        assert len(MessageAttributes) <= 10
        name = self._name(QueueUrl)
        message = self.put(name, MessageBody, MessageAttributes, **more)
        self.on_sent(name, message)
        return {"MessageId": message["MessageId"]}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:
        self._may("delete_message")
        name = self._name(QueueUrl)
        self.queues[name] = [each for each in self.queues[name] if each.get("ReceiptHandle") != ReceiptHandle]

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        assert len(Entries) <= 10
        for entry in Entries:
            for each in self.queues[self._name(QueueUrl)]:
                if each.get("ReceiptHandle") == entry["ReceiptHandle"]:
                    each["visible_at"] = self.now + entry["VisibilityTimeout"]

    def _may(self, call: str) -> None:
        if call in self.crash:
            raise self.crash[call]

    @staticmethod
    def _name(url: str) -> str:
        assert url.startswith(URL)
        return url.removeprefix(URL)


@dataclass
class Lambda:
    """Functions."""

    answers: dict[str, Any]
    """By ARN: what they answer, or the exception that they raise."""
    payloads: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.payloads.append((FunctionName, json.loads(Payload)))
        answer = self.answers[FunctionName]
        if isinstance(answer, Exception):
            told = {"errorType": type(answer).__name__, "errorMessage": str(answer)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


@dataclass
class Fakes:
    """Hands them out as clients."""

    clients: dict[str, Any]
    waits: list[int] = field(default_factory=list[int])

    def get(self, service: str) -> Any:
        return self.clients[service]

    def patient(self, seconds: int) -> "Fakes":
        self.waits.append(seconds)
        return self


def refused(code: str, message: str, call: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, call)
