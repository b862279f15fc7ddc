"""Keeps the worker of a Python function alive when its handler raises, as AWS does, and while it works.

AWS reuses an execution environment after an exception: module variables live on, and only an exit or a
timeout ends it (Lambda developer guide, "Understanding the Lambda execution environment lifecycle").
Ministack ends the worker, and calls every error `Runtime.HandlerError`. A process that died is a
`Runtime.ExitError` on AWS (the same guide, "Troubleshoot execution issues in Lambda").

Environments do not know of each other on AWS. One that fails to start is started once more for the
invocation that waits for it (the same page, "Failures during the Init phase"), and an update or a deletion of
the function lets invocations end that have begun. Ministack ends all workers of the function in each of these
cases, and what they were doing fails: a batch of a queue is then gone for the queue's visibility timeout.
"""

import contextlib
import logging
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

_MARK = f"selfheal-raised-{secrets.token_hex(8)}"
"""The key by which a worker tells an exception from a value that the handler returned."""

_DIED = re.compile(r"Worker process (died|exited immediately\. .*)", re.DOTALL)
"""What ministack says of a process that ended without an answer, the second while it started."""

_RETIRED = "selfheal_retired"
"""Attribute of a worker that is to end once it is not in use any more."""

_STARTS = 2
"""Attempts to start an environment for one invocation."""

_log = logging.getLogger(__name__)

_WHOLE_TIMEOUT = 'float(os.environ.get("_LAMBDA_TIMEOUT", "3"))'
"""From which ministack's worker counts the time that is left."""

_AS_FAILURE = (
    '            _real_stdout.write(json.dumps({"status": "error", "error": str(e), '
    '"trace": traceback.format_exc()}) + "\\n")\n'
)
"""The line of ministack's worker after which it ends the worker."""

_AS_RESULT = f"""\
            print("[ERROR] " + "".join(traceback.format_exception_only(type(e), e)).strip(), file=sys.stderr)
            traceback.print_exc()
            _real_stdout.write(json.dumps({{"status": "ok", "result": {{"{_MARK}": {{
                "errorMessage": str(e), "errorType": type(e).__name__,
                "requestId": context.aws_request_id,
                "stackTrace": traceback.format_tb(e.__traceback__)[1:]}}}}}}) + "\\n")
"""


def raising_survived(script: str) -> str:
    """Return the replacement of `_PYTHON_WORKER_SCRIPT`, which reports an exception as a marked result.

    The form of the error, and the line in the log, are those of the Lambda developer guide, "Lambda function
    errors in Python". Raises RuntimeError if the script is not the one that this was written for.
    """
    if script.count(_AS_FAILURE) != 1:
        raise _unexpected("reports exceptions")
    return script.replace(_AS_FAILURE, _AS_RESULT)


def time_left(script: str) -> str:
    """Return the replacement of `_PYTHON_WORKER_SCRIPT`, in which the timeout is that of the invocation.

    A part of it may be used up before the function's code runs. Raises RuntimeError as `raising_survived`.
    """
    if script.count(_WHOLE_TIMEOUT) != 1:
        raise _unexpected("counts the time that is left")
    return script.replace(_WHOLE_TIMEOUT, '(_ms_ctx["timeout_ms"] / 1000)')


def raised_as_error(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the replacement of `_execute_function_warm`, which turns a marked result into an error."""

    def executed(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = execute(func, event, request_id)
        body = result.get("body")
        if not (isinstance(body, dict) and _MARK in body):
            return result
        return {**result, "body": body[_MARK], "error": True}

    return executed


def crash_named(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the replacement of `_execute_function_warm`, which tells a process that died as AWS does."""

    def executed(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = execute(func, event, request_id)
        body = result.get("body")
        if not (
            result.get("error") and isinstance(body, dict) and _DIED.fullmatch(str(body.get("errorMessage")))
        ):
            return result
        text = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        return {**result, "body": {"errorMessage": text, "errorType": "Runtime.ExitError"}}

    return executed


def started_alone(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the replacement of `Worker.invoke`, in which a start that fails is tried again once.

    Then it is this invocation's error, and no other worker's. A worker that dies while it starts is not
    started again: somebody may have asked for just that, see `faults.py`.
    """

    def invoked(worker: Any, *args: Any, **options: Any) -> dict[str, Any]:
        failed = ""
        for _ in range(_STARTS):
            try:
                return invoke(worker, *args, **options)
            except Exception as error:  # noqa: BLE001  (whatever it is, the event was not sent yet)
                failed = str(error)
            _end(worker)
            _log.warning("%s did not start: %s", worker.func_name, failed)
            if _DIED.fullmatch(failed):
                break
        return {"status": "error", "error": failed, "cold_start": True}

    return invoked


def _end(worker: Any) -> None:
    """End what has started of a worker: the next invocation must not find it still ending."""
    process, worker._proc = worker._proc, None  # noqa: SLF001
    if process is not None:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()


def busy_spared(kill: Callable[[Iterable[Any]], None], lock: Any) -> Callable[[Iterable[Any]], None]:
    """Return the replacement of `kill_workers`, which lets those end what they do that are in use."""

    def killed(workers: Iterable[Any]) -> None:
        found = [worker for worker in workers if worker is not None]
        with lock:
            busy = [worker for worker in found if worker.in_use]
            for worker in busy:
                setattr(worker, _RETIRED, True)
        kill([worker for worker in found if worker not in busy])

    return killed


def retired_ended(
    release: Callable[[Any], None], kill: Callable[[Iterable[Any]], None], lock: Any
) -> Callable[[Any], None]:
    """Return the replacement of `release_worker`, which ends a worker that was to be ended while in use."""

    def released(worker: Any) -> None:
        release(worker)
        with lock:
            retired = getattr(worker, _RETIRED, False)
        if retired:
            kill([worker])

    return released


def _unexpected(what: str) -> RuntimeError:
    return RuntimeError(
        f"the Python worker of this version of ministack {what} differently than expected. "
        "Install the version pinned in requirements-dev.txt, or change sandbox/emulator/workers.py."
    )
