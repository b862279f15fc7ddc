"""What becomes of a failed batch of a stream, without an emulator."""

from typing import Any

import pytest

from selfheal.sandbox.emulator.stream_batches import Batch, after_failure, failed_from


def _records(*numbers: int) -> tuple[dict[str, Any], ...]:
    return tuple({"kinesis": {"sequenceNumber": str(number)}} for number in numbers)


def _numbers(batches: list[Batch]) -> list[list[int]]:
    return [[int(record["kinesis"]["sequenceNumber"]) for record in batch.records] for batch in batches]


@pytest.mark.parametrize("answer", [None, {}, "", {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_answer_is_success(answer: Any) -> None:
    assert failed_from(answer, _records(1, 2)) is None


def test_the_lowest_number_returned_is_the_checkpoint() -> None:
    failures = [{"itemIdentifier": "9"}, {"itemIdentifier": "10"}, {"itemIdentifier": "11"}]
    records = _records(8, 9, 10, 11)
    assert failed_from({"batchItemFailures": failures}, records) == 1
    assert failed_from({"batchItemFailures": failures[1:]}, records) == 2


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        [1],
        {"batchItemFailures": "text"},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"bad": "2"}]},
        {"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "7"}]},
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: Any) -> None:
    assert failed_from(answer, _records(1, 2)) == 0


def test_bisection_halves_and_uses_up_no_retry() -> None:
    halves = after_failure(Batch(_records(0, 1, 2), retries=2), 0, bisect=True, maximum_retries=2)
    assert _numbers(halves) == [[0], [1, 2]]
    assert [half.retries for half in halves] == [2, 2]


def test_bisection_cuts_at_the_number_that_the_function_returned() -> None:
    rest = after_failure(Batch(_records(0, 1, 2, 3)), 1, bisect=True, maximum_retries=0)
    assert _numbers(rest) == [[1, 2, 3]]
    assert rest[0].retries == 0


def test_without_bisection_all_behind_the_checkpoint_is_retried_until_the_retries_are_used_up() -> None:
    first = after_failure(Batch(_records(0, 1, 2)), 1, bisect=False, maximum_retries=1)
    assert _numbers(first) == [[1, 2]]
    assert first[0].retries == 1
    assert after_failure(first[0], 0, bisect=False, maximum_retries=1) == []


def test_a_single_record_is_retried_even_with_bisection() -> None:
    called = Batch(_records(0), calls=1, response={"statusCode": 200})
    [again] = after_failure(called, 0, bisect=True, maximum_retries=1)
    assert (again.retries, again.calls, again.response) == (1, 1, {"statusCode": 200})
    assert after_failure(again, 0, bisect=True, maximum_retries=1) == []


def test_without_a_limit_it_is_retried_for_ever() -> None:
    assert after_failure(Batch(_records(0), retries=9_999), 0, bisect=False, maximum_retries=-1)
