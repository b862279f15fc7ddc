"""Reading the ledger: each incident once, open ones first."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from selfheal.cli.operator.ledger import arrange, is_open, plain, read_incidents, row


def item(target: str, key: str, opened: str, status: str, version: int = 1) -> dict[str, Any]:
    return {
        "pk": f"target#{target}",
        "sk": key,
        "id": f"{target}-{opened}",
        "target": target,
        "status": status,
        "opened_at": opened,
        "version": version,
    }


def test_open_ones_come_first_then_the_newest() -> None:
    found = arrange(
        [
            item("a", "incident", "2026-01-03", "RECOVERED"),
            item("b", "incident", "2026-01-01", "ESCALATED"),
            item("a", "closed#x", "2026-01-02", "RECOVERED"),
            item("c", "incident", "2026-01-02", "VERIFYING"),
        ]
    )
    assert [(one["target"], one["opened_at"], is_open(one)) for one in found] == [
        ("c", "2026-01-02", True),
        ("b", "2026-01-01", True),
        ("a", "2026-01-03", False),
        ("a", "2026-01-02", False),
    ]


def test_an_archived_copy_is_the_same_incident() -> None:
    current = item("a", "incident", "2026-01-01", "RECOVERED", version=5)
    copy = item("a", "closed#a-2026-01-01", "2026-01-01", "RECOVERED", version=4) | {"expires_at": 1}
    assert [one["version"] for one in arrange([current, copy])] == [5]
    assert [one["version"] for one in arrange([copy, current])] == [5]
    assert "expires_at" not in arrange([copy])[0]


def test_what_is_no_incident_is_left_out() -> None:
    assert arrange([{"pk": "fleet", "sk": "open", "targets": ["a"]}]) == []


def test_every_status_but_recovered_is_open() -> None:
    statuses = ("OPEN", "PROPOSED", "ACTING", "VERIFYING", "INEFFECTIVE", "INCONCLUSIVE", "ESCALATED")
    assert all(is_open({"status": status}) for status in statuses)
    assert not is_open({"status": "RECOVERED"})
    assert is_open({})


def test_an_incident_as_a_row() -> None:
    shown = row({"id": "i", "target": "t", "status": "OPEN", "opened_at": "now", "reason": "why"})
    assert shown == ("i", "t", "OPEN", "now", "—", "why")


def test_typed_attributes_become_plain_json() -> None:
    typed = {
        "n": {"N": "3"},
        "f": {"N": "0.5"},
        "m": {"M": {"l": {"L": [{"S": "x"}, {"N": "1"}]}}},
        "ss": {"SS": ["b", "a"]},
    }
    assert plain(typed) == {"n": 3, "f": 0.5, "m": {"l": ["x", 1]}, "ss": ["a", "b"]}


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield client


def test_all_pages_of_the_table_are_read(dynamodb: Any) -> None:
    for number in range(30):
        typed = {"pk": {"S": f"target#t{number}"}, "sk": {"S": "incident"}, "id": {"S": f"i{number}"}}
        # A page of a scan ends at 1 MB: 30 items of 100 kB need several.
        dynamodb.put_item(TableName="ledger", Item=typed | {"reason": {"S": "x" * 100_000}})
    assert len(read_incidents(dynamodb, "ledger")) == 30
