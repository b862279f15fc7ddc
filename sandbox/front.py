"""The sandbox's edge: the emulator's distributions, at an address that a browser on this machine can open.

CloudFront finds a distribution by the request's Host, and tells HTTP from HTTPS. A browser here can neither
resolve that name nor speak HTTPS to the emulator, so this server says both in its place, and changes nothing
else.
"""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.emulator import REGION, ROOT, Emulator

KNOWN_SECONDS = 2.0
"""How long the list of distributions is used again."""

MOST_BYTES = 10 * 1024 * 1024
"""Of a request's body. Source: API Gateway quotas, payload size."""

PATIENCE_SECONDS = 65.0
"""For an answer: more than CloudFront waits for an origin."""

_CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"content-length"}
)
"""Those of one connection."""

_OWN_HEADERS = _CONNECTION_HEADERS | {"host", "x-forwarded-proto"}
"""Of a request: those, and what this server says itself."""


class NoSiteError(Exception):
    """No distribution can be told from the request. The text is for whoever opened the address."""


@dataclass(frozen=True)
class _Distributions:
    """Domain names of the enabled distributions, by id in lower case."""

    domains: Mapping[str, str]

    def find(self, label: str | None, port: int) -> str:
        """Return the domain name that a label names, or without a label the only one.

        Raises:
            NoSiteError: when there is none, or more than one.

        """
        if label is not None and label in self.domains:
            return self.domains[label]
        addresses = ", ".join(f"http://{id_}.localhost:{port}" for id_ in sorted(self.domains))
        if not addresses:
            raise NoSiteError("There is no site yet: deploy one, for example `selfheal pulumi up -s orders`.")
        if label is not None or len(self.domains) > 1:
            raise NoSiteError(f"Which site? Open one of: {addresses}")
        return next(iter(self.domains.values()))


class Front:
    """A server on 127.0.0.1 that shows the emulator's distributions. Use it as a context manager.

    `http://127.0.0.1:<port>` is the only distribution, `http://<its id>.localhost:<port>` one of several.
    Every other Host is refused with 421, so that no other site's name can be made to point here. Requests go
    to the emulator as if they had come by HTTPS; answers come back as they are. Paths that begin with an
    underscore are refused: they are the emulator's own.
    """

    url: str
    """Where it answers: `http://127.0.0.1:<port>`."""

    def __init__(
        self, endpoint: str, region: str = REGION, credentials: Credentials = ROOT, port: int = 0
    ) -> None:
        """Listen, without answering yet.

        Args:
            endpoint: URL of the emulator.
            region: Default: the emulator's.
            credentials: A key that may list distributions. Default: the emulator's root user.
            port: On 127.0.0.1. Default: a free one.

        Raises:
            OSError: when the port is taken.

        """
        self._endpoint = urlsplit(endpoint)
        self._clients = Clients(endpoint, region, credentials)
        self._lock, self._known, self._until = Lock(), _Distributions({}), 0.0
        front = self

        class Handler(_Handler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(front, *arguments)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    @classmethod
    def of(cls, emulator: Emulator, port: int = 0) -> "Front":
        """Return the front of an emulator that runs."""
        return cls(emulator.endpoint, emulator.region, emulator.credentials, port)

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread = Thread(target=self._server.serve_forever, name="front", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def domain_for(self, host: str) -> str:
        """Return the domain name of the distribution that a Host header means.

        Raises:
            PermissionError: when it is not a name of this server.
            NoSiteError: when it is, and no distribution can be told from it.

        """
        name, _, port = host.lower().rpartition(":")
        label = name.removesuffix(".localhost") if name.endswith(".localhost") else None
        own = name in ("127.0.0.1", "localhost") or (label is not None and label.isalnum())
        if not own or port != str(self.port):
            raise PermissionError(host)
        return self._distributions().find(label, self.port)

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection to the emulator."""
        host, port = self._endpoint.hostname or "127.0.0.1", self._endpoint.port
        return http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)

    def _distributions(self) -> _Distributions:
        with self._lock:
            if time.monotonic() >= self._until:
                pages = self._clients.get("cloudfront").get_paginator("list_distributions").paginate()
                items = [item for page in pages for item in page["DistributionList"].get("Items", ())]
                domains = {str(i["Id"]).lower(): str(i["DomainName"]) for i in items if i["Enabled"]}
                self._known, self._until = _Distributions(domains), time.monotonic() + KNOWN_SECONDS
            return self._known


class _Handler(BaseHTTPRequestHandler):
    """Passes one request on, and its answer back."""

    protocol_version = "HTTP/1.1"
    timeout = 75
    disable_nagle_algorithm = True

    def __init__(self, front: Front, *arguments: Any) -> None:
        self._front = front
        super().__init__(*arguments)

    def _answer(self) -> None:
        try:
            domain = self._front.domain_for(self.headers.get("Host", ""))
        except PermissionError:
            known = f"127.0.0.1:{self._front.port} and <distribution>.localhost:{self._front.port}"
            return self._refuse(HTTPStatus.MISDIRECTED_REQUEST, f"This server answers to {known} only.")
        except NoSiteError as error:
            return self._refuse(HTTPStatus.NOT_FOUND, str(error))
        except (BotoCoreError, ClientError) as error:
            return self._refuse(HTTPStatus.BAD_GATEWAY, f"The emulator does not list its sites: {error}")
        if not self.path.startswith("/") or unquote(self.path).lstrip("/").startswith("_"):
            # The emulator answers these itself, whatever the Host, and obeys some.
            return self._refuse(HTTPStatus.FORBIDDEN, "This path is the emulator's own, not of a site.")
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            return self._refuse(HTTPStatus.LENGTH_REQUIRED, "Send the body with a Content-Length.")
        if int(length) > MOST_BYTES:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MOST_BYTES:,} bytes.")
        return self._pass_on(domain, self.rfile.read(int(length)))

    def _pass_on(self, domain: str, body: bytes) -> None:
        connection = self._front.connection()
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _OWN_HEADERS:
                    connection.putheader(name, value)
            connection.putheader("Host", domain)
            connection.putheader("X-Forwarded-Proto", "https")
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            data, headers = answer.read(), answer.getheaders()
        except (OSError, http.client.HTTPException) as error:
            return self._refuse(HTTPStatus.BAD_GATEWAY, f"The emulator did not answer: {error}")
        finally:
            connection.close()
        kept = [pair for pair in headers if pair[0].lower() not in _CONNECTION_HEADERS]
        return self._send(answer.status, kept, data)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True  # its body, if there is one, was not read
        self._send(status, [("Content-Type", "text/plain; charset=utf-8")], f"{why}\n".encode())

    def _send(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD" and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
        except ConnectionError:  # the browser gave the request up
            self.close_connection = True

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _answer  # noqa: N815 - their names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        """Say nothing: standard error is for what people must read."""
