"""The metrics of stream mappings. That alarms of a StreamConsumer read them is tested with that."""

from typing import Any

from selfheal.sandbox.emulator.stream_metrics import StreamMetrics

MAPPING = {"UUID": "m", "FunctionName": "f"}


def _emitted(*, delivered: bool | None) -> list[tuple[Any, ...]]:
    data: list[tuple[Any, ...]] = []
    StreamMetrics(lambda *datum: data.append(datum[:6]), lambda: 5.0).discarded(
        MAPPING, 3, delivered=delivered
    )
    return data


def test_lag_is_the_age_of_the_last_record() -> None:
    data: list[tuple[Any, ...]] = []
    records = [{"kinesis": {"approximateArrivalTimestamp": at}} for at in (1.0, 4.5, 6.0)]
    metrics = StreamMetrics(lambda *datum: data.append(datum[:6]), lambda: 5.0)
    metrics.invoked(MAPPING, records[:2])
    metrics.invoked(MAPPING, records)  # a clock that went back
    named = ("AWS/Lambda", "IteratorAge", {"FunctionName": "f"}, 5.0, "Milliseconds")
    assert data == [(*named, 500.0), (*named, 0.0)]


def test_what_was_kept_is_counted_by_record() -> None:
    of_mapping = {"EventSourceMappingUUID": "m"}
    assert _emitted(delivered=True) == [
        ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", of_mapping, 5.0, "Count", 3.0)
    ]


def test_what_was_lost_is_counted_too_and_a_destination_that_failed_once() -> None:
    dropped = ("AWS/Lambda", "DroppedEventCount", {"EventSourceMappingUUID": "m"}, 5.0, "Count", 3.0)
    failed = ("AWS/Lambda", "DestinationDeliveryFailures", {"FunctionName": "f"}, 5.0, "Count", 1.0)
    assert _emitted(delivered=False) == [dropped, failed]
    assert _emitted(delivered=None) == [dropped]
