"""Sets the condition key `dynamodb:LeadingKeys`, which ministack never does.

Without it, a `ForAllValues` condition is true for every item, so that it would restrict nothing. Sources:
DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control" and "Using IAM with
DynamoDB transactions".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

CONDITION_KEY = "dynamodb:LeadingKeys"

TableArns = Callable[[bytes, str, str], list[str]]
TransactionChecks = Callable[[str, bytes, str, str], list[tuple[str, str]]]
KeySchema = Callable[[str, str | None], str | None]
"""A table's name or ARN, and an index, to the attribute that is its partition key; None if unknown."""

_PARTS = ("ConditionCheck", "Put", "Update", "Delete", "Get")
"""In ministack's order."""

_EQUAL = re.compile(
    r"(?P<name>#?[\w.-]+)\s*=\s*(?P<value>:\w+)|(?P<value_first>:\w+)\s*=\s*(?P<name_last>#?[\w.-]+)"
)


class KeyedArn(str):
    """ARN of a table, with the partition keys that a request names in it."""

    __slots__ = ("keys",)
    keys: list[str]
    """Empty where the request names none, as a Scan does."""


def tables_with_keys(arns: TableArns, schema: KeySchema) -> TableArns:
    """Return the replacement of `dynamodb_resource_arns`: each ARN carries the partition keys named in it.

    As on AWS, for a batch these are the keys of all its items in that table.
    """

    def found(body: bytes, region: str, account_id: str) -> list[str]:
        plain = arns(body, region, account_id)
        request = _object(body)
        batch = cast("dict[str, Any]", request.get("RequestItems") or {})
        named = (
            [_keys(request, schema)]
            if request.get("TableName")
            else [_batch_keys(name, items, schema) for name, items in batch.items() if name]
        )
        return [_keyed(arn, keys) for arn, keys in zip(plain, named, strict=True)]

    return found


def transactions_with_keys(checks: TransactionChecks, schema: KeySchema) -> TransactionChecks:
    """Return the replacement of `dynamodb_transaction_checks`: each ARN carries its part's partition key."""

    def found(iam_action: str, body: bytes, region: str, account_id: str) -> list[tuple[str, str]]:
        plain = checks(iam_action, body, region, account_id)
        if not plain:
            return plain
        named = [_keys(part, schema) for part in _parts(_object(body))]
        # Strict, because otherwise one part could be checked with the keys of another.
        return [(action, _keyed(arn, keys)) for (action, arn), keys in zip(plain, named, strict=True)]

    return found


def leading_keys(resource_arn: str) -> dict[str, list[str]]:
    """Return the condition key for one check; nothing if the request names no partition key."""
    keys = resource_arn.keys if isinstance(resource_arn, KeyedArn) else []
    return {CONDITION_KEY: keys} if keys else {}


def key_schema(tables: Any) -> KeySchema:
    """Return a function that looks partition keys up in ministack's tables."""

    def attribute(table: str, index: str | None) -> str | None:
        record = tables.get(table.rsplit("/", 1)[-1])
        if record is None:
            return None
        indexes = [*record.get("GlobalSecondaryIndexes", []), *record.get("LocalSecondaryIndexes", [])]
        chosen = next((entry for entry in indexes if entry["IndexName"] == index), record)
        return next(
            (str(key["AttributeName"]) for key in chosen["KeySchema"] if key["KeyType"] == "HASH"), None
        )

    return attribute


def _keyed(arn: str, keys: list[str]) -> KeyedArn:
    result = KeyedArn(arn)
    result.keys = keys
    return result


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _parts(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a transaction that ministack checks, in its order."""
    for item in request.get("TransactItems") or []:
        for member in _PARTS:
            part = item.get(member) if isinstance(item, dict) else None
            if isinstance(part, dict) and part.get("TableName"):
                yield cast("dict[str, Any]", part)


def _keys(request: Mapping[str, Any], schema: KeySchema) -> list[str]:
    """Return the partition key that a request, or a part of a transaction, names in its table or index."""
    attribute = schema(str(request["TableName"]), request.get("IndexName"))
    if attribute is None:
        return []
    item = request.get("Key") or request.get("Item")
    if isinstance(item, dict):
        return _texts([item.get(attribute)])
    return _texts(_asked(request, attribute))


def _asked(request: Mapping[str, Any], attribute: str) -> list[Any]:
    """Return the one partition key of a Query."""
    older = (request.get("KeyConditions") or {}).get(attribute)
    if older is not None:
        return list(older.get("AttributeValueList") or [])
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for match in _EQUAL.finditer(request.get("KeyConditionExpression") or ""):
        name, value = match["name"] or match["name_last"], match["value"] or match["value_first"]
        if names.get(name, name) == attribute:
            return [values.get(value)]
    return []


def _batch_keys(table: str, items: Any, schema: KeySchema) -> list[str]:
    attribute = schema(table, None)
    if attribute is None:
        return []
    if isinstance(items, dict):  # BatchGetItem
        return _texts([key.get(attribute) for key in items.get("Keys") or []])
    writes = [write for item in items or [] for write in item.values()]  # BatchWriteItem
    return _texts([(write.get("Item") or write.get("Key") or {}).get(attribute) for write in writes])


def _texts(values: list[Any]) -> list[str]:
    """Return attribute values as text: {"S": "mode"} is "mode"."""
    return [str(next(iter(value.values()))) for value in values if isinstance(value, dict) and value]
