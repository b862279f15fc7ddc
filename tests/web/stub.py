"""The site and its API by command: web/ with the distribution's headers, and answers that tests choose."""

import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from selfheal.components.patterns import storage_first_templates as templates
from selfheal.components.patterns.security_headers import CONTENT_SECURITY_POLICY, HSTS_SECONDS
from selfheal.components.patterns.site_files import INDEX, cache_control, content_type, files_of
from selfheal.functions.orders.delivery import ID

ROOT = Path(__file__).parents[2]
FILES = files_of(str(ROOT / "web"))
TOKEN = "token-of-ann-" + "x" * 32

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": f"max-age={HSTS_SECONDS}",
    "X-Frame-Options": "DENY",
}

QUIET: Mapping[str, Any] = {
    "at": "2026-11-21T03:12:45.120Z",
    "stack": {"mode": "act", "baseline": "act"},
    "targets": [
        {
            "name": name,
            "alarms": [
                {
                    "name": f"healer-{name}-fast-1a2b3c4",
                    "state": "OK",
                    "since": "2026-11-20T22:01:10.000Z",
                    "reason": "no datapoints were received for 1 period",
                }
            ],
        }
        for name in ("intake", "fulfilment", "billing")
    ],
    "incidents": [],
    "budget": {"used": 0, "limit": 12},
    "circuits": [
        {
            "name": "orders-downstream",
            "state": "closed",
            "at_rest": True,
            "since": "2026-11-20T22:01:10.000Z",
            "next_probe_at": None,
            "forced": None,
            "openings": 0,
            "calls": 0,
            "failures": 0,
        }
    ],
    "queues": [
        {"name": name, "waiting": 0, "in_flight": 0, "delayed": 0}
        for name in ("intake", "fulfilment", "billing")
    ],
    "dead_letters": [{"name": name, "letters": 0} for name in ("intake", "bus", "fulfilment", "billing")],
    "problems": [],
}
"""A stack in which nothing happens."""

INCIDENT: Mapping[str, Any] = {
    "id": "billing@2026-11-21T03:10:05.000Z",
    "target": "billing",
    "status": "VERIFYING",
    "reason": "collecting-evidence",
    "means": "Requests since the change are counted, until they show whether it helped.",
    "open": True,
    "opened_at": "2026-11-21T03:10:05.000Z",
    "closed_at": None,
    "remedy": "rollback_alias:live 8 → 7",
    "drift": False,
    "steps": 2,
    "history": [
        {
            "at": "2026-11-21T03:10:05.000Z",
            "from": "OPEN",
            "to": "ACTING",
            "reason": "alarm-confirmed-by-metrics",
        },
        {"at": "2026-11-21T03:10:05.900Z", "from": "ACTING", "to": "VERIFYING", "reason": "applied"},
    ],
}


@dataclass(frozen=True)
class Answer:
    """How one request is answered."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    does: bool = False
    """Whether what the request asks for is done all the same."""


CUT = Answer(0, does=True)
"""The connection is cut in the middle of the answer, though the request was carried out."""


def gateway(kind: str) -> Answer:
    """Return the API's own refusal of a kind, such as THROTTLED, in its own words."""
    response = templates.gateway_responses("orders", ["status"], 3000, 50, public=False)[kind]
    text = response["response_templates"][templates.CONTENT_TYPE]
    text = text.replace("$context.error.validationErrorString", "[quantity is too large]")
    headers = {"Retry-After": "1"} if kind == "THROTTLED" else {}
    return Answer(int(response["status_code"] or 500), json.loads(text), headers)


NOT_STORED = Answer(502, json.loads(templates.NOT_STORED))


@dataclass
class Stub:
    """What it holds, and what it was asked."""

    url: str = ""
    picture: dict[str, Any] | None = field(default_factory=lambda: deepcopy(dict(QUIET)))
    """None: there is no status API, and the site's bucket answers, as it does for every unknown path."""
    token: str = TOKEN
    orders: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What GET tells, by id."""
    next_puts: list[Answer] = field(default_factory=list[Answer])
    """How the next PUTs are answered. Those after them: 202."""
    status_answer: Answer | None = None
    """How GET /status/now is answered instead of with the picture."""
    puts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Id and body of every PUT, in order."""
    gets: list[str] = field(default_factory=list[str])
    """Path of every other request of the API, in order."""
    files: list[str] = field(default_factory=list[str])
    """Path of every other request, in order."""
    at_once: int = 0
    """Requests by GET to the API that are under way."""
    most_at_once: int = 0
    """The most of them that ever were."""
    lock: Lock = field(default_factory=Lock)

    def set(
        self, order_id: str, state: str, reason: str = "", work: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Bring an order into a state."""
        self.orders[order_id] |= {"state": state, "reason": reason, "work": work or {}}

    def set_all(self, state: str) -> None:
        """Bring all orders into a state."""
        for order_id in self.orders:
            self.set(order_id, state)

    def looking(self, by: int) -> None:
        """Count a request by GET that begins (1) or ends (-1)."""
        with self.lock:
            self.at_once += by
            self.most_at_once = max(self.most_at_once, self.at_once)

    def answer(self, method: str, path: str, authorization: str | None, body: str) -> Answer:
        """Return the answer to a request of the API."""
        if method == "GET":
            self.gets.append(path)
        else:
            self.puts.append((path.removeprefix("/orders/"), body))
        if path == "/status/now" and self.picture is None:
            return Answer(
                403, "<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"}
            )
        if not authorization:
            return gateway("UNAUTHORIZED")
        if authorization != f"Bearer {self.token}":
            return gateway("ACCESS_DENIED")
        if path == "/status/now":
            return self.status_answer or Answer(200, self.picture)
        order_id = path.removeprefix("/orders/")
        if not ID.fullmatch(order_id):
            return gateway("MISSING_AUTHENTICATION_TOKEN")
        return self._put(order_id) if method == "PUT" else self._get(order_id)

    def _get(self, order_id: str) -> Answer:
        if order_id not in self.orders:
            return Answer(404, {"error": "there is no such order of yours"})
        return Answer(200, self.orders[order_id])

    def _put(self, order_id: str) -> Answer:
        stored = Answer(202, {"id": order_id, "state": "stored", "requestId": "r"}, does=True)
        answer = self.next_puts.pop(0) if self.next_puts else stored
        if answer.does and order_id not in self.orders:
            now = time.time()
            self.orders[order_id] = {"id": order_id, "receivedAt": now, "conflicts": 0}
            self.set(order_id, "received")
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, stub: Stub, *arguments: Any) -> None:
        self._stub = stub
        super().__init__(*arguments)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(("/orders/", "/status/")):
            self._stub.looking(1)
            time.sleep(0.02)  # as long as there is a way to the API; two at once would be seen
            self._api("GET", path)
            self._stub.looking(-1)
            return
        self._stub.files.append(path)
        key = path.removeprefix("/") or INDEX
        if key not in FILES:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
            return
        headers = {"Content-Type": content_type(FILES[key]), "Cache-Control": cache_control(key)}
        self._send(200, FILES[key].read_bytes(), headers)

    def do_PUT(self) -> None:
        self._api("PUT", self.path)

    def _api(self, method: str, path: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        with self._stub.lock:
            answer = self._stub.answer(method, path, self.headers.get("authorization"), body)
        if answer is CUT:
            self.send_response(202)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.close_connection = True
            return
        content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **answer.headers}
        self._send(answer.status, content.encode(), headers)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


@contextmanager
def served(port: int = 0) -> Generator[Stub]:
    """Serve on 127.0.0.1."""
    stub = Stub()
    server = ThreadingHTTPServer(("127.0.0.1", port), lambda *arguments: _Handler(stub, *arguments))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
