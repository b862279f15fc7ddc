"""Which partition keys a request of DynamoDB is taken to name."""

import json
from typing import Any

import pytest

from selfheal.sandbox.emulator.leading_keys import (
    CONDITION_KEY,
    key_schema,
    leading_keys,
    tables_with_keys,
    transactions_with_keys,
)

TABLES = {
    "ledger": {
        "KeySchema": [
            {"AttributeName": "sk", "KeyType": "RANGE"},
            {"AttributeName": "pk", "KeyType": "HASH"},
        ],
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}]}
        ],
    },
    "other": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]},
}
ITEM = {"pk": {"S": "mode"}, "sk": {"S": "override"}}


def _named(request: dict[str, Any], tables: tuple[str, ...] = ("ledger",)) -> list[dict[str, list[str]]]:
    found = tables_with_keys(lambda *_: [f"arn:{table}" for table in tables], key_schema(TABLES))
    arns = found(json.dumps(request).encode(), "us-east-1", "1")
    assert [*arns] == [f"arn:{table}" for table in tables]
    return [leading_keys(arn) for arn in arns]


@pytest.mark.parametrize(
    "request_body",
    [
        {"Key": ITEM},
        {"Item": ITEM | {"value": {"S": "x"}}},
        {
            "KeyConditionExpression": "#p = :p AND begins_with(sk, :s)",
            "ExpressionAttributeNames": {"#p": "pk"},
            "ExpressionAttributeValues": {":p": {"S": "mode"}, ":s": {"S": "x"}},
        },
        {
            "KeyConditionExpression": "(sk = :s) and (pk=:p)",
            "ExpressionAttributeValues": {":p": {"S": "mode"}, ":s": {"S": "x"}},
        },
        {
            "KeyConditionExpression": ":p = pk",
            "ExpressionAttributeValues": {":p": {"S": "mode"}},
        },
        {"KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "mode"}]}}},
    ],
)
def test_one_key_however_it_is_said(request_body: dict[str, Any]) -> None:
    assert _named({"TableName": "ledger", **request_body}) == [{CONDITION_KEY: ["mode"]}]


def test_the_table_may_be_named_by_its_arn_and_a_key_be_a_number() -> None:
    request = {"TableName": "arn:aws:dynamodb:r:1:table/other", "Key": {"id": {"N": "7"}}}
    assert _named(request) == [{CONDITION_KEY: ["7"]}]


def test_the_partition_key_of_an_index_counts_for_a_query_of_it() -> None:
    asked = {
        "KeyConditionExpression": "owner = :o",
        "ExpressionAttributeValues": {":o": {"S": "me"}},
    }
    assert _named({"TableName": "ledger", "IndexName": "by-owner", **asked}) == [{CONDITION_KEY: ["me"]}]


@pytest.mark.parametrize(
    "request_body",
    [
        {"TableName": "ledger"},
        {"TableName": "unknown", "Key": ITEM},
        {"TableName": "ledger", "Key": {"other": {"S": "x"}}},
        {"TableName": "ledger", "KeyConditionExpression": "pk <= :p"},
        {"TableName": "ledger", "KeyConditionExpression": "pk = :missing"},
    ],
)
def test_no_key_where_none_is_named(request_body: dict[str, Any]) -> None:
    assert _named(request_body) == [{}]


def test_a_batch_names_all_its_keys_by_table() -> None:
    keys = [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]
    reads = {"ledger": {"Keys": keys}, "other": {"Keys": [{"id": {"S": "c"}}]}}
    expected = [{CONDITION_KEY: ["a", "b"]}, {CONDITION_KEY: ["c"]}]
    assert _named({"RequestItems": reads}, ("ledger", "other")) == expected
    writes = {
        "ledger": [{"PutRequest": {"Item": keys[0]}}, {"DeleteRequest": {"Key": keys[1]}}],
        "other": [{"PutRequest": {"Item": {"id": {"S": "c"}}}}],
    }
    assert _named({"RequestItems": writes}, ("ledger", "other")) == expected


def test_each_part_of_a_transaction_has_its_own_key() -> None:
    parts = [
        {"ConditionCheck": {"TableName": "ledger", "Key": {"pk": {"S": "mode"}}}},
        {"Put": {"TableName": "ledger", "Item": {"pk": {"S": "target#a"}}}},
        {"Update": {"TableName": "other", "Key": {"id": {"S": "fleet"}}}},
    ]
    plain = [("check", "arn:ledger"), ("put", "arn:ledger"), ("update", "arn:other")]
    found = transactions_with_keys(lambda *_: plain, key_schema(TABLES))
    checks = found("dynamodb:TransactWriteItems", json.dumps({"TransactItems": parts}).encode(), "r", "1")
    assert checks == plain
    assert [leading_keys(arn)[CONDITION_KEY] for _, arn in checks] == [["mode"], ["target#a"], ["fleet"]]


def test_parts_that_do_not_match_the_emulators_are_an_error_and_not_a_guess() -> None:
    found = transactions_with_keys(lambda *_: [("a", "x"), ("b", "y")], key_schema(TABLES))
    with pytest.raises(ValueError, match="zip"):
        found("dynamodb:TransactWriteItems", b"{}", "r", "1")


@pytest.mark.parametrize("body", [b"", b"no json", b"[]"])
def test_what_is_no_request_names_nothing(body: bytes) -> None:
    schema = key_schema(TABLES)
    assert tables_with_keys(lambda *_: [], schema)(body, "r", "1") == []
    assert transactions_with_keys(lambda *_: [], schema)("dynamodb:PutItem", body, "r", "1") == []


def test_an_arn_of_another_service_names_nothing() -> None:
    assert leading_keys("arn:aws:sqs:r:1:q") == {}
