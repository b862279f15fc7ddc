"""What becomes of a batch of a stream whose invocation failed. Pure.

Source: Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source" and
"Configuring partial batch response with Kinesis Data Streams and Lambda".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

Record = dict[str, Any]
"""A record in the form in which the function gets it."""


@dataclass(frozen=True)
class Batch:
    """Records that are passed to the function together."""

    records: tuple[Record, ...]
    """At least one, in the order of the shard."""

    retries: int = 0
    """How much of MaximumRetryAttempts was used up."""

    calls: int = 0
    """How often the function was invoked with exactly these records."""

    response: dict[str, Any] | None = None
    """The `responseContext` of the latest of these calls; None before the first."""


def sequence_number(record: Record) -> str:
    """Return the sequence number of a record of Kinesis."""
    return str(record["kinesis"]["sequenceNumber"])


def failed_from(answer: Any, records: Sequence[Record]) -> int | None:
    """Return the index of the record at which a partial batch response checkpoints; None for success.

    It is the lowest sequence number of those returned. The whole batch failed (0) if one is empty or not of
    this batch, or if the answer is malformed.
    """
    if not answer:
        return None
    if not isinstance(answer, dict):
        return 0
    failures = cast("dict[str, Any]", answer).get("batchItemFailures")
    if not failures:
        return None
    positions = {sequence_number(record): index for index, record in enumerate(records)}
    try:
        return min(positions[failure["itemIdentifier"]] for failure in failures)
    except (KeyError, TypeError):
        return 0


def after_failure(batch: Batch, index: int, *, bisect: bool, maximum_retries: int) -> list[Batch]:
    """Return what to invoke next, in this order; nothing if the retries are used up.

    Records before `index` succeeded. With `bisect` the batch is cut there, or in two halves if the first
    record failed; splitting uses up no retry. `maximum_retries` is -1 for no limit.
    """
    left = batch.records[index:]
    if bisect and index:
        return [Batch(left, batch.retries)]
    if bisect and len(left) > 1:
        half = len(left) // 2
        return [Batch(left[:half], batch.retries), Batch(left[half:], batch.retries)]
    if 0 <= maximum_retries <= batch.retries:
        return []
    retried = Batch(left, batch.retries + 1)
    return [replace(retried, calls=batch.calls, response=batch.response) if index == 0 else retried]
