import io
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws

from selfheal.functions.breaker.probes import PROBE_ATTRIBUTE, Probe, health_route, http_get, message
from selfheal.functions.shared.breaker.circuit import Outcome, State
from selfheal.functions.shared.breaker.client import CircuitOpen
from tests.functions.breaker.world import DownError, InvalidOrderError, World


def fails() -> int:
    raise TimeoutError


@pytest.mark.parametrize(
    ("get", "outcome"),
    [
        (lambda: 200, Outcome.SUCCESS),
        (lambda: 404, Outcome.FAILURE),
        (lambda: 503, Outcome.FAILURE),
        (fails, Outcome.FAILURE),
    ],
)
def test_a_health_route_is_judged_by_its_status(get: Callable[[], int], outcome: Outcome) -> None:
    assert health_route(get)("lease") is outcome


def test_a_health_route_over_http() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 503)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert health_route(http_get(f"{base}/health"))("lease") is Outcome.SUCCESS
        assert health_route(http_get(f"{base}/down"))("lease") is Outcome.FAILURE
        server.shutdown()
    assert health_route(http_get(f"{base}/health"))("lease") is Outcome.FAILURE


def test_a_health_route_is_http() -> None:
    with pytest.raises(ValueError, match="must begin with http"):
        http_get("file:///etc/passwd")


class Consumer:
    """The function that a real message is released to. It calls through the breaker, and returns failures."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.error: type[Exception] | None = None
        self.crash = ""
        self.knows_probes = True
        self.bodies: list[str] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        assert FunctionName == "fulfil"
        (record,) = json.loads(Payload)["Records"]
        self.bodies.append(record["body"])
        failed: list[dict[str, str]] = []
        if self.crash != "before":
            try:
                with self.world.breaker().call(probe=record[PROBE_ATTRIBUTE] if self.knows_probes else None):
                    if self.error is not None:
                        raise self.error
            except InvalidOrderError:
                pass  # dead at once, with a reason
            except (DownError, CircuitOpen):
                failed.append({"itemIdentifier": record["messageId"]})
        if self.crash:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        return {"Payload": io.BytesIO(json.dumps({"batchItemFailures": failed}).encode())}


class Setup:
    def __init__(self, sqs: Any) -> None:
        self.world = World()
        self.world.open()
        self.world.clock.now = self.world.circuit.until
        self.world.controller().run(1)  # pause
        self.world.controller().run(1)  # half-open
        assert self.world.circuit.state is State.HALF_OPEN
        self.consumer = Consumer(self.world)
        self.sqs = sqs
        self.url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        self.world.probing = self.probe()

    def probe(self) -> Probe:
        return message(self.sqs, self.consumer, self.url, "fulfil", self.world.health)

    def send(self) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody='{"order": 1}')

    def left(self) -> tuple[int, int]:
        """Messages that are visible, and in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


@pytest.fixture
def setup() -> Any:
    with mock_aws():
        yield Setup(boto3.client("sqs", region_name="us-east-1"))


def test_one_message_is_released_and_gone_when_the_consumer_is_done_with_it(setup: Setup) -> None:
    setup.send()
    setup.send()
    setup.world.controller().run(1)
    assert (setup.consumer.bodies, setup.left()) == (['{"order": 1}'], (1, 0))
    assert (setup.world.circuit.successes, setup.world.circuit.lease) == (1, None)


def test_a_failed_message_goes_back_and_the_circuit_opens_again(setup: Setup) -> None:
    setup.send()
    setup.consumer.error = DownError
    setup.world.controller().run(1)
    assert (setup.world.circuit.state, setup.world.circuit.openings, setup.left()) == (State.OPEN, 2, (0, 1))


def test_an_invalid_message_says_nothing_and_the_next_one_is_released(setup: Setup) -> None:
    setup.send()
    setup.consumer.error = InvalidOrderError
    setup.world.controller().run(1)
    circuit = setup.world.circuit
    assert (circuit.state, circuit.successes, circuit.lease, setup.left()) == (
        State.HALF_OPEN,
        0,
        None,
        (0, 0),
    )


@pytest.mark.parametrize(("crash", "successes"), [("before", 0), ("after", 1)])
def test_a_consumer_that_dies_fails_the_probe_unless_its_call_had_succeeded(
    setup: Setup, crash: str, successes: int
) -> None:
    setup.send()
    setup.consumer.crash = crash
    setup.world.controller().run(1)
    assert setup.world.circuit.successes == successes
    assert setup.world.circuit.state is (State.HALF_OPEN if successes else State.OPEN)
    assert setup.left() == (0, 1), "it is not lost"


def test_a_consumer_that_does_not_know_probes_does_not_keep_the_circuit_half_open_for_ever(
    setup: Setup,
) -> None:
    setup.send()
    setup.consumer.knows_probes = False
    setup.world.controller().run(1)
    assert (setup.world.circuit.state, setup.left()) == (State.OPEN, (0, 1))


def test_with_an_empty_queue_the_health_route_is_asked(setup: Setup) -> None:
    setup.world.controller().run(1)
    assert (setup.world.probes, setup.world.circuit.successes, setup.consumer.bodies) == (1, 1, [])


def test_messages_of_the_queue_close_the_circuit(setup: Setup) -> None:
    for _ in range(5):
        setup.send()
    setup.world.control()
    assert setup.world.circuit.at_rest
    assert (len(setup.consumer.bodies), setup.left()) == (3, (2, 0))
