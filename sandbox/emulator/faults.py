"""The faults that the emulator makes itself, and their control: throttled calls, and workers that die.

    PUT     /_selfheal/faults/ID    {"kind": "throttle", "service", "operation", "share", "until"}
    PUT     /_selfheal/faults/ID    {"kind": "kill", "function"}: kills once, answers {"killed": workers}
    GET     /_selfheal/faults       {"faults": [those that stand]}
    GET     /_selfheal/faults/ID    the fault, or 404
    DELETE  /_selfheal/faults/ID    {"ended": whether it stood}

`sandbox/faults.py` is the client. A throttle has an end and is in memory only, so none outlives its time, nor
the emulator. Calls are throttled whoever makes them: functions, workflows, the healer, people.
"""

import contextlib
import json
import random
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from threading import Lock
from typing import Any, cast

from selfheal.sandbox.emulator.throttling import (
    MESSAGE,
    FaultRefusedError,
    Throttle,
    operation_of,
    parse_throttle,
    refusal,
)

Answer = tuple[int, dict[str, str], Any]
"""Status, headers and body, as ministack's handlers return them."""

Handler = Callable[..., Awaitable[Answer]]
"""A handler of ministack, called with method, path, headers, body and query parameters."""

PATH = "/_selfheal/faults"

_DEATH_SECONDS = 1.0


class EmulatorFaults:
    """The faults of this emulator, through these modules of ministack."""

    def __init__(self, modules: Mapping[str, Any], clock: Callable[[], float] = time.time) -> None:
        """Begin without a fault."""
        self._modules, self._clock = modules, clock
        self._throttles: dict[str, Throttle] = {}
        self._lock = Lock()

    def throttling(self, name: str, handler: Handler) -> Handler:
        """Return a service's handler that also throttles; `name` is ministack's for the service."""

        async def handled(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Answer:
            refused = self._refused(name, method, path, headers, body, query) if self._throttles else None
            return refused or await handler(method, path, headers, body, query)

        return handled

    def controlled(
        self, shortcuts: Callable[..., Awaitable[Answer | None]]
    ) -> Callable[..., Awaitable[Answer | None]]:
        """Return the replacement of `_handle_post_body_shortcuts`, which also answers the control."""

        async def handled(  # noqa: PLR0917  (ministack's signature)
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query: dict[str, Any],
            request_id: str,
        ) -> Answer | None:
            if path != PATH and not path.startswith(f"{PATH}/"):
                return await shortcuts(method, path, headers, body, query, request_id)
            status, answer = self.control(method, path, headers, body)
            return status, {"Content-Type": "application/json"}, json.dumps(answer).encode()

        return handled

    def control(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        """Answer one request of the control."""
        id_ = path.removeprefix(PATH).removeprefix("/")
        # Pages of the web must not break the sandbox: ministack lets all of them call, but browsers say so.
        if "origin" in headers:
            return 403, {"message": "faults are not controlled by web pages: use `selfheal chaos`"}
        try:
            if method == "PUT" and id_:
                return 200, self._made(id_, body)
            if method == "DELETE" and id_:
                return 200, {"ended": self._ended(id_)}
        except FaultRefusedError as error:
            return error.status, {"message": str(error)}
        if method != "GET":
            return 405, {
                "message": f"allowed are GET {PATH}, and GET, PUT and DELETE {PATH}/ID, got {method} {path}"
            }
        standing = {found.id: {"kind": "throttle", **asdict(found)} for found in self._standing()}
        if not id_:
            return 200, {"faults": [standing[key] for key in sorted(standing)]}
        missing = {"message": f"no fault {id_!r} stands: GET {PATH} lists those that do"}
        return (200, standing[id_]) if id_ in standing else (404, missing)

    def _made(self, id_: str, body: bytes) -> dict[str, Any]:
        try:
            given = json.loads(body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise FaultRefusedError("a fault is a JSON object")
        asked = cast("dict[str, Any]", given)
        match asked.get("kind"):
            case "throttle":
                fault = parse_throttle(id_, asked, self._operations, self._clock())
                with self._lock:
                    self._throttles = {**self._throttles, id_: fault}
                return {"kind": "throttle", **asdict(fault)}
            case "kill":
                return {"killed": self._killed(asked.get("function"))}
            case other:
                raise FaultRefusedError(f"kind must be throttle or kill, got {other!r}")

    def _ended(self, id_: str) -> bool:
        stood = id_ in {fault.id for fault in self._standing()}
        with self._lock:
            self._throttles = {key: fault for key, fault in self._throttles.items() if key != id_}
        return stood

    def _standing(self) -> list[Throttle]:
        now = self._clock()
        return [fault for fault in self._throttles.values() if now < fault.until]

    def _refused(  # noqa: PLR0917  (a request, as ministack passes it)
        self,
        name: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
    ) -> Answer | None:
        service = self._botocore_name(name)
        faults = [fault for fault in self._standing() if fault.service == service]
        if not faults:
            return None
        actions = self._modules["iam_actions"]
        operation = operation_of(actions, name, method, path, headers, body, query)
        now, roll = self._clock(), random.random()  # noqa: S311  (chance, not a secret)
        if not any(fault.hits(service, operation, now, roll) for fault in faults):
            return None
        model = self._modules["responses"]._service_model(name)  # noqa: SLF001
        code, status = refusal(service, model.metadata["protocol"])
        # Ministack's answer to a denied call has the form of each protocol, and takes any code.
        _, told, text = actions.access_denied_response(
            name, "", "", "", error_code=code, message=MESSAGE, headers=headers
        )
        return status, told, text

    def _operations(self, service: str) -> list[str]:
        responses, handlers = self._modules["responses"], self._modules["app"].SERVICE_HANDLERS
        name = next((name for name in handlers if self._botocore_name(name) == service), None)
        model = responses._service_model(name) if name else None  # noqa: SLF001
        if model is None:
            return []
        rest = str(model.metadata["protocol"]).startswith("rest")
        routed = name in self._modules["iam_actions"]._BOTOCORE_SERVICE_MAP  # noqa: SLF001
        return list(model.operation_names) if routed or not rest else []

    def _botocore_name(self, name: str) -> str:
        return str(self._modules["responses"]._BOTOCORE_NAME.get(name, name))  # noqa: SLF001

    def _killed(self, function: object) -> int:
        functions, runtime = self._modules["lambda_svc"], self._modules["lambda_runtime"]
        find = functions._get_func_record_for_qualifier  # noqa: SLF001
        if not isinstance(function, str) or find(function, None)[0] is None:
            raise FaultRefusedError(f"there is no function {function!r}", 404)
        account, region = self._modules["responses"].get_account_id(), self._modules["responses"].get_region()
        with runtime._lock:  # noqa: SLF001
            workers = [
                worker
                for key, pool in runtime._workers.items()  # noqa: SLF001
                if key.rsplit(":", 1)[0] == f"{account}:{region}:{function}"
                for worker in pool
            ]
        # The pool keeps them: the next invocation starts another process, and who waits is told of the crash.
        processes = [worker._proc for worker in workers]  # noqa: SLF001
        living = [each for each in processes if each is not None and each.poll() is None]
        for process in living:
            process.kill()
        for process in living:  # together, since nothing else is answered meanwhile
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_DEATH_SECONDS)  # so that it is not counted, nor used, again
        return len(living)
