"""The publisher against a client that answers as EventBridge does, entry by entry."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from selfheal.functions.shared.batch import PoisonError
from selfheal.functions.shared.publisher import (
    ATTEMPTS,
    ENTRIES,
    ENVELOPE_BYTES,
    MOST_BYTES,
    InvalidEventError,
    Publisher,
    PublishError,
    entry_bytes,
)

THROTTLED = "ThrottlingException"


def event(name: object, size: int = 0) -> dict[str, Any]:
    detail = {"name": str(name), **({"text": "x" * size} if size else {})}
    return {"DetailType": "accepted", "Detail": json.dumps(detail)}


def name(entry: Mapping[str, Any]) -> str:
    return json.loads(entry["Detail"])["name"]


class Bus:
    """Fails an event as often as told, with the error told, and takes it then."""

    def __init__(self, **failures: Sequence[str]) -> None:
        self.failures = {event: list(codes) for event, codes in failures.items()}
        self.calls: list[list[str]] = []
        self.taken: list[str] = []
        self.sizes: list[int] = []
        self.broken: list[Exception] = []
        self.origins: set[tuple[str, str]] = set()

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.calls.append([name(entry) for entry in Entries])
        self.sizes.append(sum(entry_bytes(entry) for entry in Entries))
        self.origins |= {(entry["EventBusName"], entry["Source"]) for entry in Entries}
        if self.broken:
            raise self.broken.pop(0)
        answers: list[dict[str, str]] = []
        for entry in Entries:
            codes = self.failures.get(name(entry), [])
            if codes:
                answers.append({"ErrorCode": codes.pop(0), "ErrorMessage": "no"})
            else:
                self.taken.append(name(entry))
                answers.append({"EventId": f"id-{name(entry)}"})
        return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


class Sleeps:
    """Sleeps that are only written down, with jitter that is always one half of the longest pause."""

    def __init__(self, bus: Bus) -> None:
        self.pauses: list[float] = []
        self.publisher = Publisher(bus, "orders-bus", "orders", sleep=self.pauses.append, random=lambda: 0.5)


def test_events_are_sent_ten_a_call_in_their_order_and_their_ids_returned() -> None:
    bus = Bus()
    ids = Sleeps(bus).publisher.publish([event(number) for number in range(23)])
    assert bus.calls == [[str(n) for n in range(10)], [str(n) for n in range(10, 20)], ["20", "21", "22"]]
    assert ids == [f"id-{number}" for number in range(23)]
    assert bus.origins == {("orders-bus", "orders")}


def test_nothing_to_publish_calls_nobody() -> None:
    bus = Bus()
    assert Sleeps(bus).publisher.publish([]) == []
    assert bus.calls == []


def test_only_what_failed_is_sent_again_in_its_order_after_a_growing_pause() -> None:
    bus = Bus(b=[THROTTLED, "InternalFailure"], d=[THROTTLED])
    slept = Sleeps(bus)
    ids = slept.publisher.publish([event(letter) for letter in "abcd"])
    assert bus.calls == [["a", "b", "c", "d"], ["b", "d"], ["b"]]
    assert ids == ["id-a", "id-b", "id-c", "id-d"]
    assert sorted(bus.taken) == ["a", "b", "c", "d"]
    assert slept.pauses == pytest.approx([0.0, 0.1, 0.2])


def test_what_fails_every_time_is_named_and_what_succeeded_is_not() -> None:
    bus = Bus(b=[THROTTLED] * ATTEMPTS)
    with pytest.raises(PublishError) as raised:
        Sleeps(bus).publisher.publish([event(letter) for letter in "abc"])
    assert bus.calls == [["a", "b", "c"], *[["b"]] * (ATTEMPTS - 1)]
    [unsent] = raised.value.unsent
    assert (unsent.index, name(unsent.entry), unsent.code) == (1, "b", THROTTLED)
    assert str(raised.value) == f"1 of 3 events were not published. event 1 (accepted): {THROTTLED} no"


def test_when_all_fail_all_are_named_in_their_order() -> None:
    letters = "abcdefghijkl"
    bus = Bus(**{letter: [THROTTLED] * ATTEMPTS for letter in letters})
    slept = Sleeps(bus)
    with pytest.raises(PublishError) as raised:
        slept.publisher.publish([event(letter) for letter in letters])
    assert [name(each.entry) for each in raised.value.unsent] == list(letters)
    assert (len(bus.calls), bus.taken) == (2 * ATTEMPTS, [])
    assert sum(slept.pauses) * 2 == pytest.approx(3.0)


def test_a_reason_that_lasts_is_not_tried_again_and_does_not_stop_the_others() -> None:
    bus = Bus(a=["NotAuthorizedForSourceException"], b=[THROTTLED])
    with pytest.raises(PublishError) as raised:
        Sleeps(bus).publisher.publish([event(letter) for letter in "abc"])
    assert bus.calls == [["a", "b", "c"], ["b"]]
    assert [(each.index, each.code) for each in raised.value.unsent] == [
        (0, "NotAuthorizedForSourceException")
    ]


def test_a_call_that_fails_as_a_whole_is_made_again() -> None:
    bus = Bus()
    bus.broken = [
        ClientError({"Error": {"Code": THROTTLED, "Message": "slow down"}}, "PutEvents"),
        ReadTimeoutError(endpoint_url="https://events"),
    ]
    assert Sleeps(bus).publisher.publish([event("a"), event("b")]) == ["id-a", "id-b"]
    assert bus.calls == [["a", "b"]] * 3


def test_a_call_that_is_not_allowed_is_made_once() -> None:
    bus = Bus()
    bus.broken = [ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents")]
    with pytest.raises(PublishError, match=r"2 of 2 events were not published\. .*AccessDeniedException no"):
        Sleeps(bus).publisher.publish([event("a"), event("b")])
    assert len(bus.calls) == 1


def test_no_call_is_larger_than_eventbridge_takes() -> None:
    bus = Bus()
    Sleeps(bus).publisher.publish([event(number, size=60_000) for number in range(7)])
    assert [len(call) for call in bus.calls] == [4, 3]
    assert max(bus.sizes) < MOST_BYTES


def test_the_size_is_counted_in_bytes_with_time_and_resources() -> None:
    plain = {"Source": "s", "DetailType": "dt", "Detail": '{"a":"\u00e4"}'}
    assert entry_bytes(plain) == ENVELOPE_BYTES + 1 + 2 + 10
    assert (
        entry_bytes({**plain, "Time": 0, "Resources": ["abc", "\U0001f600"]}) == entry_bytes(plain) + 14 + 7
    )


@pytest.mark.parametrize(("more", "taken"), [(-1, True), (0, False)])
def test_an_event_that_is_too_large_is_poison_and_nothing_of_its_call_is_sent(more: int, taken: bool) -> None:
    bus = Bus()
    room = MOST_BYTES - entry_bytes({"Source": "orders", **event("big", size=1)}) + 1
    entries = [event("a"), event("big", size=room + more)]
    if taken:
        assert Sleeps(bus).publisher.publish(entries) == ["id-a", "id-big"]
        return
    with pytest.raises(PoisonError, match=rf"event 1 \(accepted\) has {MOST_BYTES} bytes"):
        Sleeps(bus).publisher.publish(entries)
    assert bus.calls == []


@pytest.mark.parametrize(("detail", "says"), [("{", "is no JSON"), ("[1]", "JSON object, got a list")])
def test_a_detail_that_eventbridge_does_not_take_is_poison(detail: str, says: str) -> None:
    bus = Bus()
    with pytest.raises(InvalidEventError, match=says):
        Sleeps(bus).publisher.publish([event("a"), {**event("b"), "Detail": detail}])
    assert bus.calls == []


def test_ten_entries_are_one_call_and_eleven_are_two() -> None:
    bus = Bus()
    Sleeps(bus).publisher.publish([event(number) for number in range(ENTRIES)])
    Sleeps(bus).publisher.publish([event(number) for number in range(ENTRIES + 1)])
    assert [len(call) for call in bus.calls] == [10, 10, 1]
