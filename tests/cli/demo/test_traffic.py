"""Traffic is steady, bounded, and never hangs."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from selfheal.cli.demo.traffic import Traffic
from selfheal.cli.demo.watch import traffic_url
from tests.support.processes import until


class Handler(BaseHTTPRequestHandler):
    """Fails every third request."""

    count = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        with Handler.lock:
            Handler.count += 1
            failing = Handler.count % 3 == 0
        self.send_response(502 if failing else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base names it so
        """Stay silent."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_requests_are_sent_at_the_rate_and_their_outcome_is_kept(service: str) -> None:
    sent = Traffic(service, time.monotonic(), rate=50.0)
    sent.start()
    time.sleep(0.6)
    sent.stop()
    samples = sent.samples()
    assert 20 <= len(samples) <= 35
    assert {sample.status for sample in samples} == {200, 502}
    assert all(sample.failed == (sample.status == 502) for sample in samples)
    assert all(0 <= sample.sent <= sample.done for sample in samples)


def test_a_service_that_never_answers_is_given_up_and_never_flooded() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        sent = Traffic(url, time.monotonic(), rate=50.0, workers=3, answer_seconds=0.3)
        sent.start()
        time.sleep(0.8)
        began = time.monotonic()
        sent.stop()
        assert time.monotonic() - began < 1.0
    assert {sample.status for sample in sent.samples()} == {None}
    assert len(sent.samples()) <= 12  # 3 workers, 0.3 s each
    assert sent.skipped > 15
    assert sent.waiting(0) == ()


def test_what_waits_for_long_is_known_before_it_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        sent = Traffic(url, time.monotonic(), rate=50.0, workers=3, answer_seconds=60)
        sent.start()
        until(lambda: len(sent.waiting(0.1)) == 3, 30)
        assert all(each.status is None and each.done - each.sent >= 0.1 for each in sent.waiting(0.1))
        assert (sent.waiting(60), sent.samples()) == ((), ())
        sent.end()


def test_nobody_there_is_an_error_and_not_an_exception() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    sent = Traffic(url, time.monotonic(), rate=50.0)
    sent.start()
    time.sleep(0.2)
    sent.stop()
    assert sent.samples()
    assert all(sample.failed for sample in sent.samples())


AWS_URL = "https://abc.execute-api.us-east-1.amazonaws.com"
LOCAL = "http://127.0.0.1:4566"
LOCAL_URL = f"{LOCAL}/_aws/execute-api/abc/$default"


@pytest.mark.parametrize(
    ("url", "endpoint", "real"),
    [
        (AWS_URL, "https://lambda.us-east-1.amazonaws.com", AWS_URL),
        (AWS_URL, LOCAL, LOCAL_URL),
        ("http://abc.execute-api.localhost:4566", LOCAL, LOCAL_URL),
        (LOCAL_URL, LOCAL, LOCAL_URL),
    ],
)
@pytest.mark.parametrize("end", ["", "/"])
def test_the_service_is_asked_where_it_answers(url: str, endpoint: str, real: str, end: str) -> None:
    assert traffic_url(url + end, endpoint) == f"{real}/"
