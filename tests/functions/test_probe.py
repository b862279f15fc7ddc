import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
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


@pytest.fixture
def overloaded() -> Iterator[tuple[str, list[str]]]:
    """An endpoint that answers 429 to everything, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"Type": "User", "message": "Rate exceeded"}'
            self.send_response(429)
            self.send_header("x-amzn-ErrorType", "TooManyRequestsException")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_probe_is_one_call_and_never_a_retried_one(
    overloaded: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, asked = overloaded
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    client = aws.connect("ledger", "people").prober
    assert probe(client, "shop-fn", PAYLOAD, 3, 60, lambda: 0.0) == (3, 3)
    assert len(asked) == 3
    retrying = boto3.client("lambda", config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    assert probe(retrying, "shop-fn", PAYLOAD, 1, 60, lambda: 0.0) == (1, 1)
    assert len(asked) == 5  # what the test could not see if the endpoint were not asked again
