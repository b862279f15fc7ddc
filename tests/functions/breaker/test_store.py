"""On the fake that the other tests use, and on moto's DynamoDB, which checks expressions as AWS does."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Lease, State
from selfheal.functions.shared.breaker.item import from_item, to_item
from selfheal.functions.shared.breaker.outages import Outage
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.breaker.window import Count, bucket_of
from selfheal.functions.shared.contract import breaker_key
from tests.functions.breaker.world import START
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import create_table

BUCKET = bucket_of(START)
FULL = Circuit(
    "payments",
    state=State.HALF_OPEN,
    version=7,
    generation=4,
    episode=2,
    openings=3,
    changed_at=START + 0.123,
    until=START + 7.25,
    successes=2,
    lease=Lease("a", START + 60.5, claimed=True),
    limit=4,
    settled_at=START + 0.1,
    forced=Forced(State.OPEN, "ann", "drill", START + 600),
    outages=(Outage(START - 50.5, START - 10), Outage(START)),
)


@pytest.fixture(params=["memory", "moto"])
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryTable()
        return
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "breakers")
        yield client


@pytest.fixture
def store(table: Any) -> Store:
    return Store(table, "breakers", "payments")


def test_a_circuit_survives_the_store_unchanged(store: Store) -> None:
    assert store.read() == Circuit("payments")
    assert store.replace(Circuit("payments"), FULL) == (True, FULL)
    assert store.read() == FULL
    bare = replace(FULL, version=8, lease=None, limit=None, settled_at=None, forced=None, outages=())
    assert store.replace(FULL, bare) == (True, bare)
    assert store.read() == bare


def test_counts_of_many_add_up_and_each_answer_is_the_whole_circuit(table: Any) -> None:
    one, other = (Store(table, "breakers", "payments") for _ in range(2))
    assert one.add({BUCKET: Count(3, 1)}, 0, START, 10).buckets == {BUCKET: Count(3, 1)}
    found = other.add({BUCKET: Count(2, 2), BUCKET + 1: Count(1, 0)}, 0, START, 10)
    assert found.buckets == {BUCKET: Count(5, 3), BUCKET + 1: Count(1, 0)}
    assert one.read() == found


@pytest.mark.slow
def test_old_counts_are_removed_so_that_the_item_does_not_grow(table: Any, store: Store) -> None:
    for second in range(60):
        circuit = store.add({BUCKET + second: Count(1, 0)}, 0, START + second, 10)
        assert len(circuit.buckets) <= 12
    item = table.get_item(TableName="breakers", Key=breaker_key("payments"), ConsistentRead=True)["Item"]
    assert sum(name.startswith(("calls#", "failures#")) for name in item) <= 24


def test_counts_of_an_older_generation_are_dropped_and_the_answer_tells_the_state(store: Store) -> None:
    store.replace(Circuit("payments"), FULL)
    assert store.add({BUCKET: Count(9, 9)}, 3, START, 10) == FULL
    assert store.read() == FULL


def test_a_state_changes_without_losing_the_counts_of_its_generation(store: Store) -> None:
    first = store.add({BUCKET: Count(1, 1)}, 0, START, 10)
    store.add({BUCKET: Count(1, 0)}, 0, START, 10)
    written, after = store.replace(first, replace(first, version=2, limit=4))
    assert (written, after.limit, after.buckets) == (True, 4, {BUCKET: Count(2, 1)})


def test_the_counts_of_the_former_generation_leave_the_item(table: Any, store: Store) -> None:
    first = store.add({BUCKET: Count(1, 1)}, 0, START, 10)
    store.replace(first, replace(first, version=2, generation=1))
    item = table.get_item(TableName="breakers", Key=breaker_key("payments"), ConsistentRead=True)["Item"]
    assert not any("#" in name for name in item)


def test_of_two_writers_the_later_is_told_who_won(table: Any) -> None:
    one, other = (Store(table, "breakers", "payments") for _ in range(2))
    _, first = one.replace(Circuit("payments"), Circuit("payments", version=1))
    assert one.replace(first, replace(first, version=2, state=State.OPEN))[0]
    written, found = other.replace(first, replace(first, version=2, limit=4))
    assert (written, found.state, found.limit) == (False, State.OPEN, None)
    assert other.replace(Circuit("payments"), Circuit("payments", version=1))[0] is False


def test_an_item_of_a_later_schema_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="schema 2, known up to 1"):
        from_item("payments", to_item(FULL) | {"schema": {"N": "2"}})


def test_an_error_that_is_no_lost_race_is_raised() -> None:
    from botocore.exceptions import ClientError

    class Throttled:
        def update_item(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")

    with pytest.raises(ClientError, match="Throttling"):
        Store(Throttled(), "breakers", "payments").add({BUCKET: Count(1, 0)}, 0, START, 10)
