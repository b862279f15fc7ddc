"""Remedy `override`: an item in the ledger that the service reads, with a cache of a few seconds.

Reads and writes: GetItem (consistent) and a conditional PutItem of override#<target>, and
    GetFunctionConfiguration to detect deployments. Nothing restarts, and the healer needs no write access to
    the function.
Value before: the item's value; None when there is no override and the service uses its baseline.
Already applied: the item has the remedy's value.
Reverts: by writing the value before. If there was none, the item is written without a value. It is never
    deleted, so its version keeps increasing, and a late write of an old run cannot pass as the first one.
Concurrency guarantee: compare-and-swap on the item's version. A write whose answer was lost is recognised as
    applied.
"""

from datetime import UTC, datetime
from typing import Any

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import DYNAMODB_NOT_NOW, GONE, attempt, look
from selfheal.functions.healer.target import Setting, Target
from selfheal.functions.shared.contract import SCHEMA, override_key


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the override. Its token is "0" if there never was one.

    Raises:
        ValueError: when the item has a later schema.

    """
    seen = look(aws, target)
    if seen is None:
        return GONE
    answer: dict[str, Any] = aws.dynamodb.get_item(
        TableName=aws.table, Key=override_key(target.name, setting.name), ConsistentRead=True
    )
    item = answer.get("Item")
    if item is None:
        return Live(None, "0", seen)
    if int(item["schema"]["N"]) > SCHEMA:
        raise ValueError(
            f"{target.name}: {setting} is of schema {item['schema']['N']}, this healer knows up to {SCHEMA}: "
            "deploy a newer one"
        )
    return Live(item.get("value", {}).get("S"), str(item["version"]["N"]), seen)


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Write the override, or clear it if the value is None, with the version after the one that was read."""
    version = int(live.token)
    item: dict[str, dict[str, str]] = {
        **override_key(target.name, setting.name),
        "schema": {"N": str(SCHEMA)},
        "version": {"N": str(version + 1)},
        "since": {"S": iso(datetime.now(UTC))},
    }
    if value is not None:
        item["value"] = {"S": value}
    put: dict[str, Any] = {"TableName": aws.table, "Item": item}
    if version == 0:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    else:
        put["ConditionExpression"] = "version = :read"
        put["ExpressionAttributeValues"] = {":read": {"N": live.token}}
    return attempt(aws.dynamodb.put_item, DYNAMODB_NOT_NOW, **put)
