"""The client of the faults that the emulator makes: calls that are throttled, and workers that die.

Every fault but a kill has an end, so that one whose author died ends by itself. None outlives the emulator.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Literal, TypedDict, cast

from selfheal.sandbox.clients import DIRECT, is_loopback
from selfheal.sandbox.errors import SandboxError

TIMEOUT_SECONDS = 10.0
"""How long the emulator may take to answer."""


class FaultError(SandboxError):
    """The emulator did not make, end or list a fault; the text says why."""


class Throttle(TypedDict):
    """A fault that stands: calls of one operation are refused as AWS throttles them."""

    id: str
    kind: Literal["throttle"]
    service: str
    operation: str
    share: float
    until: float


class Faults:
    """The faults of one emulator.

    Args:
        endpoint: The emulator's URL, for example `http://127.0.0.1:4566`. AWS has no such faults.

    Raises:
        FaultError: when the endpoint is not on this machine.

    """

    def __init__(self, endpoint: str) -> None:
        if not is_loopback(endpoint):
            raise FaultError(
                f"faults are made by an emulator on this machine only, got {endpoint!r}. On AWS, use AWS FIS."
            )
        self._url = endpoint.rstrip("/") + "/_selfheal/faults"

    def throttle(self, id_: str, service: str, operation: str, share: float, until: float) -> None:
        """Refuse calls with the throttling error that the service has on AWS. Repeating it changes the fault.

        Args:
            id_: Names the fault: 1 to 100 letters, digits, `-`, `_` and `.`.
            service: botocore's name for it, for example `ssm`.
            operation: Its operation as AWS names it, for example `GetParameters`.
            share: The share of the calls, by chance. Above 0, at most 1.
            until: Seconds since the epoch, at which it ends by itself; in the future, by at most a day.

        Raises:
            FaultError: when something given is out of its range, or the emulator does not answer.

        """
        self._call(
            "PUT",
            f"/{urllib.parse.quote(id_, safe='')}",
            {"kind": "throttle", "service": service, "operation": operation, "share": share, "until": until},
        )

    def kill(self, function: str) -> int:
        """Kill the workers of a function, once, and return how many there were.

        Who waits for one gets the error of a crashed worker; a message that it held comes back.

        Raises:
            FaultError: when there is no such function, or the emulator does not answer.

        """
        return int(self._call("PUT", "/kill", {"kind": "kill", "function": function})["killed"])

    def end(self, id_: str) -> bool:
        """End a fault. Return whether it stood; one that has ended is no error.

        Raises:
            FaultError: when the emulator does not answer.

        """
        return bool(self._call("DELETE", f"/{urllib.parse.quote(id_, safe='')}")["ended"])

    def list(self) -> list[Throttle]:
        """Return the faults that stand, by id.

        Raises:
            FaultError: when the emulator does not answer.

        """
        return cast("list[Throttle]", self._call("GET", "")["faults"])

    def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  (our own http URL)
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
            method=method,
        )
        try:
            with DIRECT.open(request, timeout=TIMEOUT_SECONDS) as response:
                return cast("dict[str, Any]", json.load(response))
        except urllib.error.HTTPError as error:
            raise FaultError(_said(error)) from error
        except (OSError, ValueError) as error:
            raise FaultError(
                f"the emulator did not answer at {self._url} ({error}). Start one with `selfheal serve`."
            ) from error


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the emulator answered {error.code} at {error.url}: it is of a version without faults"
