"""Emits the CloudWatch metrics of SQS queues on the number and the age of messages; ministack emits none.

Source: SQS developer guide, "Available CloudWatch metrics for Amazon SQS". As on AWS there is one datapoint a
minute. Not emitted: how many messages were sent, received and deleted, and their size.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

_PERIOD = 60
_ACTIVE_SECONDS = 6 * 3600
"""How long a queue is active after it was last used; one with messages always is."""

_REORDERED_AFTER = 3
"""Receives after which a message of a standard queue no longer counts for the age."""

_INTERVAL = 1.0
_METRICS: Mapping[str, str] = {
    "ApproximateNumberOfMessagesVisible": "Count",
    "ApproximateNumberOfMessagesNotVisible": "Count",
    "ApproximateNumberOfMessagesDelayed": "Count",
    "ApproximateAgeOfOldestMessage": "Seconds",
}
"""Each with its unit."""

_ARRIVAL = "selfheal_dead_since"

_log = logging.getLogger(__name__)


def queue_metrics(queue: Mapping[str, Any], now: float) -> dict[str, float]:
    """Return the metrics of an active queue; those that count something only if there is something to count.

    The age of a dead letter counts from its arrival, see `note_arrivals`. In a standard queue a message that
    was received three times no longer counts for the age: AWS moves it to the back.
    """
    messages: list[dict[str, Any]] = list(queue["messages"])
    visible = [m for m in messages if m["visible_at"] <= now]
    hidden = [m for m in messages if m["visible_at"] > now]
    in_flight = sum(1 for m in hidden if m["receive_count"])
    since = [
        _arrival(m)[0]
        for m in messages
        if queue["is_fifo"] or m["receive_count"] - _arrival(m)[1] < _REORDERED_AFTER
    ]
    counted = {
        "ApproximateNumberOfMessagesNotVisible": in_flight,
        "ApproximateNumberOfMessagesDelayed": len(hidden) - in_flight,
    }
    return {
        "ApproximateNumberOfMessagesVisible": float(len(visible)),
        **{name: float(count) for name, count in counted.items() if count},
        **({"ApproximateAgeOfOldestMessage": float(int(now - min(since)))} if since else {}),
    }


def note_arrivals(queue: Mapping[str, Any], now: float) -> None:
    """Note in each dead letter that is new when it came and how often it had been received before."""
    for message in list(queue["messages"]):
        if "DeadLetterQueueSourceArn" in (message.get("sys") or {}):
            message.setdefault(_ARRIVAL, [now, message["receive_count"]])


def _arrival(message: Mapping[str, Any]) -> tuple[float, int]:
    at, receives = message.get(_ARRIVAL) or (message.get("enqueued_at", message["sent_at"]), 0)
    return float(at), int(receives)


class QueueMetrics:
    """Keeps the datapoint of the running minute up to date, for every active queue of every account."""

    def __init__(self, sqs: Any, cloudwatch: Any, scope: Callable[[str, str], Any]) -> None:
        """Read and write through these modules of ministack, in the `scope` of an account and region."""
        self._sqs, self._cloudwatch, self._scope = sqs, cloudwatch, scope
        self._used: dict[str, float] = {}

    def used(self, find: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_get_q`, through which every operation on a queue goes."""

        def found(url: str, action: Any = None) -> Any:
            queue = find(url, action)
            self._used[queue["attributes"]["QueueArn"]] = time.time()
            return queue

        return found

    def run(self) -> None:
        """Update the datapoints once a second, for ever."""
        while True:
            try:
                self.update(time.time())
            except Exception:  # noqa: BLE001  (the next second may be better)
                _log.exception("the metrics of queues were not updated")
            time.sleep(_INTERVAL)

    def update(self, now: float) -> None:
        """Write the datapoints of the minute that `now` is in."""
        for (account, region, _), queue in list(self._sqs._queues._data.items()):  # noqa: SLF001
            note_arrivals(queue, now)
            attributes = queue["attributes"]
            last = max(self._used.get(attributes["QueueArn"], 0.0), float(attributes["CreatedTimestamp"]))
            if queue["messages"] or now - last < _ACTIVE_SECONDS:
                name = attributes["QueueArn"].rsplit(":", 1)[-1]
                with self._scope(account, region):
                    self._write(name, queue_metrics(queue, now), now // _PERIOD * _PERIOD)

    def _write(self, name: str, metrics: Mapping[str, float], minute: float) -> None:
        dimensions = {"QueueName": name}
        for metric, unit in _METRICS.items():
            key = ("AWS/SQS", metric, self._cloudwatch._dims_key(dimensions))  # noqa: SLF001
            points = self._cloudwatch._metric_bucket(key)  # noqa: SLF001
            if points and points[-1]["Timestamp"] == minute:
                points.pop()
            if metric in metrics:
                point = {"Timestamp": minute, "Unit": unit, "Dimensions": dimensions}
                points.append({**point, "Value": metrics[metric]})
