"""Sends what a stream's mapping discards to its on-failure destination, in the form that AWS documents.

Source: Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source". The
condition of records that became too old is not documented; it is the one that users report.
"""

import asyncio
import json
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from selfheal.sandbox.emulator.queues import enqueued
from selfheal.sandbox.emulator.stream_batches import Batch, sequence_number

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"

_log = logging.getLogger(__name__)


class FailureDestination:
    """Delivers to queues, topics and buckets of the emulator. The role of the function is not checked."""

    def __init__(self, sqs: Any, sns: Any, s3: Any) -> None:
        """Deliver through these modules of ministack."""
        self._sqs, self._sns, self._s3 = sqs, sns, s3

    def send(self, mapping: dict[str, Any], shard_id: str, batch: Batch, condition: str) -> bool | None:
        """Send the record of a discarded batch, and return whether it arrived; None without a destination.

        What cannot be delivered is logged and lost, as on AWS.
        """
        configured = (mapping.get("DestinationConfig") or {}).get("OnFailure") or {}
        arn = configured.get("Destination")
        if not arn:
            return None
        try:
            delivered = self._delivered(arn, mapping, shard_id, batch, condition)
        except Exception:  # noqa: BLE001  (AWS goes on as well, whatever is wrong with the destination)
            _log.exception("on-failure destination %s of mapping %s", arn, mapping["UUID"])
            return False
        if not delivered:
            _log.error("on-failure destination %s of mapping %s does not exist", arn, mapping["UUID"])
        return delivered

    def _delivered(
        self, arn: str, mapping: dict[str, Any], shard_id: str, batch: Batch, condition: str
    ) -> bool:
        now = datetime.now(UTC)
        record = invocation_record(mapping, shard_id, batch, condition, now)
        service, name = arn.split(":")[2], arn.rsplit(":", 1)[-1]
        if service == "sqs":
            return enqueued(self._sqs, arn, json.dumps(record))
        if service == "sns":
            return self._sns.publish_internal(arn, json.dumps(record), "") is not None
        if service != "s3":
            return False
        # Only a bucket gets the records themselves, as an escaped JSON string.
        body = json.dumps(record | {"payload": json.dumps({"Records": batch.records})}).encode()
        stamp = f"{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
        path = f"/{name}/aws/lambda/{mapping['UUID']}/{shard_id}/{stamp}"
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "host": "s3.localhost",
        }
        put = self._s3.handle_request("PUT", path, headers, body, {}, internal=True)
        return asyncio.run(put)[0] == 200  # noqa: PLR2004


def invocation_record(
    mapping: dict[str, Any], shard_id: str, batch: Batch, condition: str, now: datetime
) -> dict[str, Any]:
    """Return the record of a discarded batch, without the data. A batch never invoked has no response."""
    first, last = batch.records[0], batch.records[-1]
    context = {
        "requestId": str(uuid.uuid4()),
        "functionArn": mapping["FunctionArn"],
        "condition": condition,
        "approximateInvokeCount": batch.calls,
    }
    return {
        "requestContext": context,
        **({"responseContext": batch.response} if batch.response else {}),
        "version": "1.0",
        "timestamp": _iso(now.timestamp()),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": sequence_number(first),
            "endSequenceNumber": sequence_number(last),
            "approximateArrivalOfFirstRecord": _iso(first["kinesis"]["approximateArrivalTimestamp"]),
            "approximateArrivalOfLastRecord": _iso(last["kinesis"]["approximateArrivalTimestamp"]),
            "batchSize": len(batch.records),
            "streamArn": mapping["EventSourceArn"],
        },
    }


def _iso(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
