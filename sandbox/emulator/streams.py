"""Runs the event source mappings of Kinesis streams as AWS does, in place of ministack's poller.

Ministack ignores bisection, retry limits, record age, partial batch responses and failure destinations, and
runs the handlers in the one thread that also polls queues. Source: Lambda developer guide, "How Lambda
processes records from stream and queue-based event sources" and the pages that `stream_batches` names.
"""

import base64
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from selfheal.sandbox.emulator.stream_batches import (
    Batch,
    Record,
    after_failure,
    failed_from,
    sequence_number,
)
from selfheal.sandbox.emulator.stream_failures import RETRIES_EXHAUSTED, TOO_OLD, FailureDestination
from selfheal.sandbox.emulator.stream_metrics import StreamMetrics

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
"""Seconds between retries, doubling. AWS backs off as well and does not say how long."""

_DEFAULT_BATCH = 100
_BEGINNING = -1
"""A position before every sequence number."""


def shards_read(
    functions: Any,
    kinesis: Any,
    destination: FailureDestination,
    metrics: StreamMetrics,
    scope: Callable[[str, str], Any],
) -> Callable[[], bool]:
    """Return the replacement of `_poll_kinesis`, which starts a thread for every shard with new records.

    Like ministack's, it returns whether something was started. A mapping's position in a shard is the
    sequence number up to which everything was processed or discarded. Not done: ParallelizationFactor,
    batching windows and starting at a timestamp.
    """
    busy: set[tuple[str, str]] = set()  # only the polling thread adds to it

    def read(shard: _Shard) -> None:
        try:
            shard.read()
        finally:
            busy.discard(shard.key)

    def poll() -> bool:
        started = False
        for account, region, mapping in functions._iter_all_esms():  # noqa: SLF001
            with scope(account, region):
                for shard_id in _shards(functions, kinesis, mapping):
                    shard = _Shard(functions, kinesis, destination, metrics, mapping, shard_id)
                    if shard.key not in busy and shard.unread():
                        busy.add(shard.key)
                        functions._dispatch_esm_batch(mapping["UUID"], read, shard)  # noqa: SLF001
                        started = True
        return started

    return poll


def _shards(functions: Any, kinesis: Any, mapping: dict[str, Any]) -> list[str]:
    """Return the shards of a mapping's stream, and set its position in those it has not seen."""
    stream = _stream(kinesis, mapping)
    if stream is None:
        return []
    all_positions = functions._kinesis_positions  # noqa: SLF001
    latest = mapping.get("StartingPosition", "LATEST") != "TRIM_HORIZON"
    if (positions := all_positions.get(mapping["UUID"])) is None:
        positions = all_positions[mapping["UUID"]] = {
            shard_id: int(shard["records"][-1]["SequenceNumber"])
            if latest and shard["records"]
            else _BEGINNING
            for shard_id, shard in stream["shards"].items()
        }
    for shard_id in stream["shards"]:
        positions.setdefault(shard_id, _BEGINNING)  # born of a split or merge: read from its start
    return list(stream["shards"])


def _stream(kinesis: Any, mapping: dict[str, Any]) -> dict[str, Any] | None:
    arn = str(mapping.get("EventSourceArn", ""))
    parts = arn.split(":", 5)
    if parts[2:3] != ["kinesis"] or not mapping.get("Enabled", True):
        return None
    name = parts[5].removeprefix("stream/")
    stream = kinesis._streams.get_scoped(parts[4], parts[3], name)  # noqa: SLF001
    if stream is None or stream.get("StreamARN") != arn or stream["StreamStatus"] != "ACTIVE":
        return None
    return stream


@dataclass(frozen=True)
class _Shard:
    """A shard as one mapping reads it."""

    functions: Any
    kinesis: Any
    destination: FailureDestination
    metrics: StreamMetrics
    mapping: dict[str, Any]
    shard_id: str

    @property
    def key(self) -> tuple[str, str]:
        return self.mapping["UUID"], self.shard_id

    def unread(self) -> list[dict[str, Any]]:
        """Return the next records as ministack stores them; none while the mapping may not read."""
        stream = _stream(self.kinesis, self.mapping)
        positions = self.functions._kinesis_positions.get(self.mapping["UUID"])  # noqa: SLF001
        if stream is None or positions is None or self.shard_id not in stream["shards"]:
            return []
        function = self._function()
        arn, name = self.mapping["EventSourceArn"], self.mapping["FunctionName"]
        foreign = arn.split(":")[4] != self.functions.get_account_id()
        if function is None or (
            foreign and self.functions._cross_account_read_blocked(arn, function, name)  # noqa: SLF001
        ):
            return []
        position = positions[self.shard_id]
        records = stream["shards"][self.shard_id]["records"]
        start = bisect_right(records, position, key=lambda record: int(record["SequenceNumber"]))
        return records[start : start + self.mapping.get("BatchSize", _DEFAULT_BATCH)]

    def read(self) -> None:
        """Process until the shard has no more records, or the mapping is disabled or deleted."""
        while raw := self.unread():
            records = self.functions._apply_filter_criteria(  # noqa: SLF001
                [self._event_record(record) for record in raw], self.mapping
            )
            if records and not self._process(Batch(tuple(records))):
                return
            self._checkpoint(raw[-1]["SequenceNumber"])  # includes what the filter left out

    def _process(self, batch: Batch) -> bool:
        """Return whether all records were processed or discarded."""
        waiting = deque([batch])
        while waiting:
            if not self.unread():  # disabled or deleted; a new start begins at the checkpoint
                return False
            current = self._without_expired(waiting.popleft())
            if current is None:
                continue
            self.metrics.invoked(self.mapping, current.records)
            result = self.functions._execute_function(  # noqa: SLF001
                self._function(), {"Records": list(current.records)}
            )
            if result.get("throttle"):  # no invocation: neither a retry nor a reason to split
                waiting.appendleft(current)
                time.sleep(_LONGEST_PAUSE)
                continue
            waiting.extendleft(reversed(self._after(current, result)))
        return True

    def _after(self, batch: Batch, result: dict[str, Any]) -> list[Batch]:
        """Return what is to be invoked after this result; checkpoint and discard what is to be."""
        error = bool(result.get("error"))
        partial = "ReportBatchItemFailures" in (self.mapping.get("FunctionResponseTypes") or [])
        index = 0 if error else failed_from(result.get("body"), batch.records) if partial else None
        if index is None:
            self.mapping["LastProcessingResult"] = "OK"
            self._checkpoint(sequence_number(batch.records[-1]))
            return []
        self.mapping["LastProcessingResult"] = "PROBLEM: Function call failed"
        if index:
            self._checkpoint(sequence_number(batch.records[index - 1]))
        response: dict[str, Any] = {"statusCode": 200, "executedVersion": self._version()}
        if error:
            response["functionError"] = result.get("function_error") or "Unhandled"
        called = replace(batch, calls=batch.calls + 1, response=response)
        following = after_failure(
            called,
            index,
            bisect=bool(self.mapping.get("BisectBatchOnFunctionError")),
            maximum_retries=int(self.mapping.get("MaximumRetryAttempts", -1)),
        )
        if not following:
            self._discard(replace(called, records=batch.records[index:]), RETRIES_EXHAUSTED)
        elif following[0].retries > batch.retries:
            time.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**batch.retries))
        return following

    def _without_expired(self, batch: Batch) -> Batch | None:
        """Discard the records that are older than MaximumRecordAgeInSeconds, and return the others."""
        maximum = int(self.mapping.get("MaximumRecordAgeInSeconds", -1))
        oldest = time.time() - maximum if maximum >= 0 else 0.0
        kept = tuple(r for r in batch.records if r["kinesis"]["approximateArrivalTimestamp"] > oldest)
        expired = batch.records[: len(batch.records) - len(kept)]
        if not expired:
            return batch
        self._discard(replace(batch, records=expired), TOO_OLD)
        return Batch(kept, batch.retries) if kept else None

    def _discard(self, batch: Batch, condition: str) -> None:
        delivered = self.destination.send(self.mapping, self.shard_id, batch, condition)
        self.metrics.discarded(self.mapping, len(batch.records), delivered=delivered)
        self._checkpoint(sequence_number(batch.records[-1]))

    def _checkpoint(self, number: str) -> None:
        positions = self.functions._kinesis_positions.get(self.mapping["UUID"])  # noqa: SLF001
        if positions is not None:  # the mapping may have been deleted meanwhile
            positions[self.shard_id] = max(int(number), positions[self.shard_id])

    def _function(self) -> dict[str, Any] | None:
        name, qualifier = self.mapping["FunctionName"], self.mapping.get("Qualifier")
        return self.functions._get_func_record_for_qualifier(name, qualifier)[0]  # noqa: SLF001

    def _version(self) -> str:
        function = self._function() or {}
        return str((function.get("config") or {}).get("Version", "$LATEST"))

    def _event_record(self, record: dict[str, Any]) -> Record:
        data = record["Data"]
        function = self._function() or {}
        region = self.mapping["EventSourceArn"].split(":")[3]
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
                "data": base64.b64encode(data).decode() if isinstance(data, bytes) else data,
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self.shard_id}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": (function.get("config") or {}).get("Role", ""),
            "awsRegion": region,
            "eventSourceARN": self.mapping["EventSourceArn"],
        }
