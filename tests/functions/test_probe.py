import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from selfheal.functions.healer import aws
from selfheal.functions.healer.probe import probe
from tests.functions.support.faults import aws_error

PAYLOAD = '{"rawPath": "/health"}'
CRASHED = {"FunctionError": "Unhandled"}


class Service:
    """Gives one answer after the other, the last one for ever; each takes so many seconds."""

    def __init__(self, *answers: Any, seconds: float = 1) -> None:
        self.answers, self.seconds, self.now = list(answers), seconds, 0.0
        self.asked: list[dict[str, Any]] = []

    def clock(self) -> float:
        return self.now

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        self.now += self.seconds
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            return {**answer, "Payload": io.BytesIO(b'{"errorMessage": "x"}')}
        return {"StatusCode": 200, "Payload": io.BytesIO(answer)}


def run(service: Service, most: int = 1, seconds: float = 100) -> tuple[int, int]:
    return probe(service, "shop-fn", PAYLOAD, most, seconds, service.clock)


def status(code: Any) -> bytes:
    return json.dumps({"statusCode": code, "body": "x"}).encode()


def test_it_sends_the_declared_request_and_waits_for_the_answer() -> None:
    service = Service(status(200))
    assert run(service) == (1, 0)
    assert service.asked == [{"FunctionName": "shop-fn", "Payload": PAYLOAD.encode()}]


def test_it_ends_after_so_many_probes() -> None:
    assert run(Service(status(200), CRASHED, status(200)), most=7) == (7, 1)


def test_it_begins_none_after_its_time() -> None:
    assert run(Service(status(200), seconds=4), most=100, seconds=10) == (3, 0)
    assert run(Service(status(200)), most=0) == (0, 0)
    assert run(Service(status(200)), most=5, seconds=0) == (0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        CRASHED,
        status(500),
        status(503),
        status("502"),
        ReadTimeoutError(endpoint_url="https://lambda"),
        aws_error("TooManyRequestsException", "Invoke"),
    ],
)
def test_a_failure_of_the_service_counts(answer: Any) -> None:
    assert run(Service(answer)) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        status(200),
        status(404),
        status(None),
        status("good"),
        b"",
        b"null",
        b"[500]",
        b"\xff\xfe",
        b'{"statusCode": Infinity}',
        b"[" * 100_000,
        b'"plain"',
    ],
)
def test_any_other_answer_is_a_good_one(answer: bytes) -> None:
    assert run(Service(answer)) == (1, 0)


def test_the_healers_own_trouble_is_not_the_services() -> None:
    for code in ("AccessDeniedException", "ResourceNotFoundException", "ServiceException"):
        with pytest.raises(ClientError):
            run(Service(aws_error(code, "Invoke")))
    with pytest.raises(EndpointConnectionError):
        run(Service(EndpointConnectionError(endpoint_url="https://lambda")))


def test_what_the_healers_own_limit_refuses_is_no_sample_and_ends_the_probes() -> None:
    refused = aws_error("TooManyRequestsException", "Invoke")
    service = Service(status(200), status(500), refused, status(200))
    assert probe(service, "shop-fn", PAYLOAD, 20, 100, service.clock, limited=True) == (2, 1)
    assert len(service.asked) == 3


class Body:
    """The body of an HTTP response."""

    def stream(self) -> Iterator[bytes]:
        yield b'{"Type": "User", "message": "Rate exceeded"}'


def calls_of(client: Any, most: int) -> int:
    """Probe with a client that gets the answer 429 to each request; return how many requests it sent."""
    sent: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request.url)
        headers = {"x-amzn-ErrorType": "TooManyRequestsException"}
        return AWSResponse(request.url, 429, headers, Body())

    client.meta.events.register("before-send.lambda", answer)
    assert probe(client, "shop-fn", PAYLOAD, most, 60, lambda: 0.0) == (most, most)
    return len(sent)


def test_a_probe_is_one_call_and_never_a_retried_one() -> None:
    assert calls_of(aws.connect("ledger", "people").prober, 3) == 3
    # With a client that retries, the test would see that.
    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    assert calls_of(boto3.client("lambda", config=Config(retries=retries)), 1) == 2
