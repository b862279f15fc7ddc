"""A dependency that can be down, and remembers who called it."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CALL_SECONDS = 0.05


@dataclass(frozen=True)
class Call:
    """One call, as it began."""

    at: float
    message: str
    worker: str
    beside: int
    """Other calls that were being made then."""
    served: bool


@dataclass
class Dependency:
    """An HTTP server: `/health`, and `/call?message=...&worker=...`."""

    up: bool = True
    calls: list[Call] = field(default_factory=list[Call])
    url: str = ""
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str) -> int:
        """Answer a call with a status."""
        if not path.startswith("/call"):
            return 200 if self.up else 503
        given = dict(parse_qsl(urlsplit(path).query))
        with self._lock:
            self.calls.append(Call(time.time(), given["message"], given["worker"], self._now, self.up))
            served, self._now = self.up, self._now + 1
        time.sleep(CALL_SECONDS)
        with self._lock:
            self._now -= 1
        return 200 if served else 503

    def served(self) -> list[str]:
        """Return the messages of the calls that succeeded."""
        return [call.message for call in self.calls if call.served]

    def since(self, moment: float) -> list[Call]:
        """Return the calls that began after a moment."""
        return [call for call in self.calls if call.at > moment]


@contextmanager
def dependency() -> Generator[Dependency]:
    """Run one meanwhile."""
    made = Dependency()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(made.answer(self.path))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
