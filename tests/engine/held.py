"""A place between Pulumi and the emulator where the answers to some actions are kept back.

Whoever waits for one is in the middle of a deployment for as long as a test likes, however slow the machine
is: AWS has made the resource, and Pulumi does not know it yet.
"""

import contextlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.stacks import Account

SECONDS = 120.0
"""How long the emulator may take to answer, and a test to let the answer go."""

Answer = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, body."""

_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length"}


@dataclass
class Held:
    """Actions that are carried out at once, and answered when the test says so; all others just pass."""

    account: Account
    """The account as it is reached through here."""
    actions: tuple[str, ...]
    """As AWS names them in its JSON and query protocols, for example `CreateTable`."""
    _answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    _free: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def made(self) -> bool:
        """Whether AWS has carried out all of them."""
        return self._answers.keys() == set(self.actions)

    def release(self) -> None:
        """Let the answers go; from now on everything passes."""
        self._free.set()

    def pass_on(self, request: BaseHTTPRequestHandler) -> Answer:
        """Have the emulator answer a call, and return that when it may be known."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        action = _action(request, body)
        if self._free.is_set() or action not in self.actions:
            return self._call(request, body)
        with self._lock:  # what is repeated for want of an answer is no second call
            if action not in self._answers:
                self._answers[action] = self._call(request, body)
        self._free.wait(SECONDS)
        return self._answers[action]

    def _call(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        place = urlsplit(self.account.clients.endpoint).netloc
        with contextlib.closing(HTTPConnection(place, timeout=SECONDS)) as there:
            there.request(request.command, request.path, body, dict(request.headers.items()))
            response = there.getresponse()
            return response.status, response.getheaders(), response.read()


class _Server(ThreadingHTTPServer):
    held: Held


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        status, headers, body = self.server.held.pass_on(self)
        with contextlib.suppress(OSError):  # whoever asked was killed meanwhile
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _OF_ONE_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing of every call."""


@contextmanager
def holding(account: Account, *actions: str) -> Generator[Held]:
    """Keep back the answers to these actions of whoever reaches the account by `Held.account`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        here = replace(account, environment={**account.environment, "AWS_ENDPOINT_URL": endpoint})
        server.held = held = Held(here, actions)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield held
        finally:
            held.release()
            server.shutdown()
            thread.join()


def _action(request: BaseHTTPRequestHandler, body: bytes) -> str:
    """Return what is called; empty for an action of a REST protocol."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    form = request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    return parse_qs(body.decode()).get("Action", [""])[0] if form else ""
