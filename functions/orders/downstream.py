"""Calls the third party that does the work: over HTTP, once per idempotency key."""

import json
import urllib.error
import urllib.request
from typing import Protocol

TIMEOUT_SECONDS = 5.0
"""How long a call may take. A slow answer is a failure: the breaker counts no slow calls."""

TOO_MANY = 429
"""HTTP status of a call above the rate. It is the only one below 500 that says nothing about the request."""

SERVER_ERROR = 500


class DownstreamError(Exception):
    """The downstream failed, or did not answer in time. Another attempt may succeed."""


class RejectedError(Exception):
    """The downstream will never do this: the request is wrong. Another attempt is useless."""


class Downstream(Protocol):
    """What consumers need of it."""

    def do(self, key: str, caller: str, data: object) -> None:
        """Have it done, at most once for a key.

        Raises:
            DownstreamError: when it failed.
            RejectedError: when it was rejected.

        """


class HttpDownstream:
    """The third party at a URL.

    Args:
        url: Its URL, of HTTP or HTTPS.
        seconds: Timeout of a call.

    Raises:
        ValueError: when the URL is not one of HTTP.

    """

    def __init__(self, url: str, seconds: float = TIMEOUT_SECONDS) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"DOWNSTREAM_URL must begin with http:// or https://, got {url[:60]!r}")
        self._url, self._seconds = url, seconds

    def do(self, key: str, caller: str, data: object) -> None:
        """Have it done, at most once for a key. Raises as `Downstream.do`."""
        request = urllib.request.Request(  # noqa: S310 - checked above
            self._url,
            data=json.dumps(data).encode(),
            headers={"content-type": "application/json", "idempotency-key": key, "x-caller": caller},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=self._seconds):  # noqa: S310 - checked above
                return
        except urllib.error.HTTPError as error:
            text = error.read(500).decode(errors="replace")
            if error.code >= SERVER_ERROR or error.code == TOO_MANY:
                raise DownstreamError(f"the downstream answered {error.code}: {text}") from error
            raise RejectedError(f"the downstream rejected it with {error.code}: {text}") from error
        except (OSError, ValueError) as error:
            # No connection, no answer in time, or an answer that is no HTTP.
            raise DownstreamError(f"the downstream did not answer: {error}") from error
