"""Delivers the events of EventBridge rules to their targets as AWS does, also dead letters and replays.

Ministack drops what it cannot deliver, and everything for a stream, and replays to every rule. Source:
EventBridge user guide, "How EventBridge retries delivering events" and "Using dead-letter queues to process
undelivered events"; API reference of EventBridge, ReplayDestination.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from selfheal.sandbox.emulator.queues import enqueued

_DEFAULT_RETRIES = 185
_DEFAULT_AGE = 86_400
_RANGES = {"MaximumRetryAttempts": (0, 185), "MaximumEventAgeInSeconds": (60, 86_400)}
"""API reference of EventBridge, RetryPolicy."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
"""Seconds between attempts, doubling. AWS backs off with jitter and does not say how long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why an event did not reach its target."""

    code: str
    """One of the error codes that AWS lists for dead letters."""

    message: str

    retriable: bool = False
    """Whether AWS tries again. It does not for a target that does not exist."""


def last_failure(
    attempt: Callable[[], Failure | None],
    policy: Mapping[str, int],
    first: Failure,
    *,
    sleep: Callable[[float], object] = time.sleep,
    now: Callable[[], float] = time.time,
) -> dict[str, str] | None:
    """Retry after the `first` failure, and return the attributes of the dead letter; None once delivered.

    `policy` is the target's RetryPolicy. It ends with whichever limit is reached first.
    """
    failure, retries, start = first, 0, now()
    exhausted: str | None = None
    while failure.retriable and exhausted is None:
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**retries)
        if retries >= policy.get("MaximumRetryAttempts", _DEFAULT_RETRIES):
            exhausted = "MaximumRetryAttempts"
        elif now() + pause - start > policy.get("MaximumEventAgeInSeconds", _DEFAULT_AGE):
            exhausted = "MaximumEventAgeInSeconds"
        else:
            sleep(pause)
            retries += 1
            if (again := attempt()) is None:
                return None
            failure = again
    return {
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
        "RETRY_ATTEMPTS": str(retries),
        **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
    }


class Deliveries:
    """Replaces functions of ministack's EventBridge."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        """Deliver through these modules of ministack."""
        self._modules = modules
        self._events = modules["eventbridge"]

    def invoking(self, invoke: Callable[..., None]) -> Callable[..., None]:
        """Return the replacement of `_invoke_target`."""

        def invoked(
            target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
        ) -> None:
            if not self._replayed_to(rule, event):
                return
            seen = view or self._events._pattern_event_view(event)  # noqa: SLF001

            def attempt() -> Failure | None:
                arn = target["Arn"]
                if ":kinesis:" in arn:
                    return self._to_stream(target, rule, seen)
                if (missing := self._missing(arn)) is None:
                    invoke(target, event, rule, view)
                return missing

            def finish(first: Failure) -> None:
                attributes = last_failure(attempt, target.get("RetryPolicy") or {}, first)
                if attributes is not None:
                    self._bury(target, rule, seen, attributes)

            failure = attempt()
            if failure is not None and failure.retriable:
                self._modules["concurrency"].spawn_background(finish, failure, thread_name="event-retry")
            elif failure is not None:
                finish(failure)

        return invoked

    def policies_checked(self, put: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_put_targets`, which refuses a RetryPolicy that AWS refuses."""

        def checked(data: dict[str, Any]) -> Any:
            for target in data.get("Targets", []):
                policy = target.get("RetryPolicy") or {}
                for name, (least, most) in _RANGES.items():
                    if name in policy and not least <= policy[name] <= most:
                        return self._events.error_response_json(
                            "ValidationException",
                            f"{name} of target {target['Id']} must be from {least} to {most}; it is "
                            f"{policy[name]}.",
                            400,
                        )
            return put(data)

        return checked

    def _replayed_to(self, rule: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
        """Return whether a rule gets an event: one of a replay only if the replay is for it, or for all."""
        replay: dict[str, Any] = self._events._replays.get(event.get("ReplayName")) or {}  # noqa: SLF001
        rules = (replay.get("Destination") or {}).get("FilterArns")
        return not rules or rule.get("Arn") in rules

    def _missing(self, arn: str) -> Failure | None:
        """Return the failure for a target that does not exist; None for kinds that are not looked up."""
        service, resource = arn.split(":")[2], arn.split(":", 5)[-1]
        exists: Callable[[], object] | None = {
            "sqs": lambda: self._modules["sqs"]._queue_by_arn(arn) is not None,  # noqa: SLF001
            "sns": lambda: arn in self._modules["sns"]._topics,  # noqa: SLF001
            "lambda": lambda: self._modules["lambda_svc"]._get_func_record_for_ref(arn)[0],  # noqa: SLF001
            "states": lambda: self._modules["stepfunctions"]._resolve_state_machine_arn(arn),  # noqa: SLF001
            "events": lambda: (
                not resource.startswith("event-bus/")
                or resource.removeprefix("event-bus/") in self._events._event_buses  # noqa: SLF001
            ),
        }.get(service)
        if exists is None or exists():
            return None
        return Failure("NO_RESOURCE", f"The target {arn} does not exist.")

    def _to_stream(self, target: Mapping[str, Any], rule: Mapping[str, Any], view: Any) -> Failure | None:
        kinesis = self._modules["kinesis"]
        event: dict[str, Any] = view.event_with_detail()
        path = (target.get("KinesisParameters") or {}).get("PartitionKeyPath")
        key = _at(event, path) if path else event["id"]
        if key is None:
            return Failure("INVALID_PARAMETER", f"The event has nothing at PartitionKeyPath {path}.")
        if kinesis._resolve_stream_by_arn(target["Arn"]) is None:  # noqa: SLF001
            return Failure("NO_RESOURCE", f"The target {target['Arn']} does not exist.")
        data = self._input(target, rule, view).encode()
        if kinesis.put_record_internal(target["Arn"], key if isinstance(key, str) else json.dumps(key), data):
            return None
        return Failure("INTERNAL_ERROR", f"The stream {target['Arn']} is not active.", retriable=True)

    def _input(self, target: Mapping[str, Any], rule: Mapping[str, Any], view: Any) -> str:
        if target.get("InputTransformer"):
            return str(self._events._apply_input_transformer(target["InputTransformer"], rule, view))  # noqa: SLF001
        if target.get("Input"):
            return str(target["Input"])
        event = view.event_with_detail()
        chosen = _at(event, target["InputPath"]) if target.get("InputPath") else None
        return json.dumps(event if chosen is None else chosen)

    def _bury(
        self, target: Mapping[str, Any], rule: Mapping[str, Any], view: Any, attributes: dict[str, str]
    ) -> None:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        said = {"RULE_ARN": rule.get("Arn", ""), "TARGET_ARN": target["Arn"], **attributes}
        if not queue:
            _log.warning("dropped an event, as its target has no dead-letter queue: %s", said)
        elif not enqueued(self._modules["sqs"], queue, json.dumps(view.event_with_detail()), said):
            _log.error("dropped an event, as its dead-letter queue %s is no standard queue: %s", queue, said)


def _at(event: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path such as `$.detail.id`; None if there is none."""
    value: Any = event
    for part in filter(None, path.removeprefix("$").split(".")):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value
