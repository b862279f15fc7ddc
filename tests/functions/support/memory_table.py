"""DynamoDB in memory, as far as ledger and breaker need it: conditions, transactions, sets and counters.

moto takes milliseconds per call, and the tests make hundreds of thousands. test_ledger.py and
breaker/test_store.py run on both.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]

_EXISTS = re.compile(r"attribute_(not_)?exists\((\w+)\)")
_EQUALS = re.compile(r"(\w+) = (:\w+)")
_CLAUSE = re.compile(r"(SET|ADD|DELETE|REMOVE) ")


class MemoryTable:
    """One table, whatever its name, with the calls of a boto3 client that the healer makes."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        """Determines the date of its responses."""
        self.exists = True
        self._lock = Lock()

    def get_item(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["ConsistentRead"], "the healer must read what was written last"
        if not self.exists:
            raise _error("ResourceNotFoundException", "GetItem")
        with self._lock:
            # What is inside is never changed in place, only replaced, so a shallow copy is enough.
            item = self.items.get(_key(arguments["Key"]))
            answer = {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.clock())}}}
            return answer | ({"Item": dict(item)} if item is not None else {})

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        if not self.exists:
            raise _error("ResourceNotFoundException", "BatchGetItem")
        ((table, asked),) = RequestItems.items()
        assert asked["ConsistentRead"], "the healer must read what was written last"
        with self._lock:
            found = [self.items[name] for name in map(_key, asked["Keys"]) if name in self.items]
            return {
                "Responses": {table: [dict(item) for item in found]},
                "UnprocessedKeys": {},
                "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.clock())}},
            }

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        with self._lock:
            if not self._holds(_key(arguments["Item"]), arguments):
                raise _error("ConditionalCheckFailedException", "PutItem")
            self.items[_key(arguments["Item"])] = dict(arguments["Item"])
        return {}

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["ReturnValues"] == "ALL_NEW"
        key = _key(arguments["Key"])
        with self._lock:
            before = self.items.get(key)
            if not self._holds(key, arguments):
                assert arguments["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
                raise _error("ConditionalCheckFailedException", "UpdateItem", item=before)
            self.items[key] = _updated(before or dict(arguments["Key"]), arguments)
            return {"Attributes": dict(self.items[key])}

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        entries = [next(iter(each.items())) for each in TransactItems]
        keys = [_key(entry.get("Item") or entry["Key"]) for _, entry in entries]
        assert len(set(keys)) == len(keys), "DynamoDB refuses two operations on one item"
        with self._lock:
            held = [self._holds(key, entry) for key, (_, entry) in zip(keys, entries, strict=True)]
            if not all(held):
                reasons = [{"Code": "None" if each else "ConditionalCheckFailed"} for each in held]
                raise _error("TransactionCanceledException", "TransactWriteItems", reasons)
            for key, (kind, entry) in zip(keys, entries, strict=True):
                if kind == "Put":
                    self.items[key] = dict(entry["Item"])
                elif kind == "Update":
                    self.items[key] = _updated(self.items.get(key) or dict(entry["Key"]), entry)
        return {}

    def _holds(self, key: tuple[str, str], entry: dict[str, Any]) -> bool:
        condition = entry.get("ConditionExpression")
        if condition is None:
            return True
        item = self.items.get(key, {})
        for alias, name in entry.get("ExpressionAttributeNames", {}).items():
            condition = re.sub(rf"{alias}\b", name, condition)
        return all(_is_met(each, item, entry) for each in condition.split(" AND "))


def _is_met(condition: str, item: Item, entry: dict[str, Any]) -> bool:
    exists = _EXISTS.fullmatch(condition)
    if exists:
        return (exists[2] in item) is (exists[1] is None)
    equal = _EQUALS.fullmatch(condition)
    assert equal, f"a condition that this fake does not know: {condition}"
    return item.get(equal[1]) == entry["ExpressionAttributeValues"][equal[2]]


def _updated(item: Item, entry: dict[str, Any]) -> Item:
    """Carry out an UpdateExpression of SET, REMOVE, ADD to sets and numbers, and DELETE from sets."""
    item, values = dict(item), entry["ExpressionAttributeValues"]
    names = entry.get("ExpressionAttributeNames", {})
    parts = _CLAUSE.split(entry["UpdateExpression"])[1:]
    for verb, clause in zip(parts[::2], parts[1::2], strict=True):
        for term in clause.strip().rstrip(",").split(", "):
            if verb == "REMOVE":
                item.pop(names.get(term, term), None)
                continue
            name, value = term.split(" = " if verb == "SET" else " ")
            name = names.get(name, name)
            if verb == "SET":
                item[name] = values[value]
                continue
            if verb == "ADD" and "N" in values[value]:
                item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}
                continue
            before = set(item.get(name, {}).get("SS", ()))
            change: Callable[[set[str]], set[str]] = before.union if verb == "ADD" else before.difference
            after = change(set(values[value]["SS"]))
            item.pop(name, None)
            if after:
                item[name] = {"SS": sorted(after)}
    return item


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _error(
    code: str, operation: str, reasons: list[dict[str, str]] | None = None, item: Item | None = None
) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": code}}
    if item is not None:
        response["Item"] = dict(item)
    if reasons is not None:
        response["CancellationReasons"] = reasons
    return ClientError(response, operation)
