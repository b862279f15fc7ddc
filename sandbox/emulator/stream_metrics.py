"""Emits the CloudWatch metrics of stream mappings on lag and on discarded records; ministack emits none.

Source: Lambda developer guide, "Types of metrics for Lambda functions". AWS emits the counts for mappings
whose `metrics_config` names EventCount; ministack forgets that setting, so here they always are. Not emitted:
how many records were polled, filtered, invoked and deleted.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfheal.sandbox.emulator.metrics import Store

_NAMESPACE = "AWS/Lambda"


class StreamMetrics:
    """Of all mappings."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        """Emit with ministack's `_store_datum`."""
        self._store, self._now = store, now

    def invoked(self, mapping: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> None:
        """Emit how old the last record of a batch is as it is passed to the function."""
        arrived: float = records[-1]["kinesis"]["approximateArrivalTimestamp"]
        age = max(0.0, (self._now() - arrived) * 1000)
        self._emit("IteratorAge", {"FunctionName": mapping["FunctionName"]}, age, "Milliseconds")

    def discarded(self, mapping: Mapping[str, Any], records: int, *, delivered: bool | None) -> None:
        """Emit what became of discarded records; `delivered` is None without an on-failure destination."""
        of_mapping = {"EventSourceMappingUUID": mapping["UUID"]}
        if delivered:
            self._emit("OnFailureDestinationDeliveredEventCount", of_mapping, records)
            return
        self._emit("DroppedEventCount", of_mapping, records)
        if delivered is False:
            self._emit("DestinationDeliveryFailures", {"FunctionName": mapping["FunctionName"]}, 1)

    def _emit(self, name: str, dimensions: dict[str, str], value: float, unit: str = "Count") -> None:
        self._store(_NAMESPACE, name, dimensions, self._now(), unit, float(value), None, None, None)
