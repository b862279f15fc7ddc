"""The healer's ledger as people and scripts read it: incidents, open ones first."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from cli.demo.timeline import remedy

CLOSED_STATUS = "RECOVERED"
"""The only status in which an incident is over; every other one needs the healer or a person."""


def read_incidents(dynamodb: Any, table: str) -> list[dict[str, Any]]:
    """Read every incident of a ledger table, open ones first, then the newest first.

    Args:
        dynamodb: A boto3 client of DynamoDB.
        table: The table's name, the stack's output `ledgerTable`.

    Raises:
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    # The table holds an item per target and per closed incident of the last weeks: small enough to scan.
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return arrange(plain(item) for page in pages for item in page["Items"])


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn DynamoDB's typed form into plain JSON."""
    return {key: _plain(TypeDeserializer().deserialize(value)) for key, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, set):
        return sorted(_plain(inner) for inner in value)
    return value


def arrange(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pick the incidents out of the ledger's items, each once, open ones first, then the newest first.

    The last incident of a target and its archived copy are the same incident.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in _incidents(items):
        known = found.get(item["id"])
        if known is None or item.get("version", 0) >= known.get("version", 0):
            found[item["id"]] = item
    newest = sorted(found.values(), key=lambda item: str(item.get("opened_at", "")), reverse=True)
    return sorted(newest, key=lambda item: not is_open(item))


def _incidents(items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        kind = str(item.get("sk", ""))
        if kind == "incident" or kind.startswith("closed#"):
            target = str(item.get("target") or str(item.get("pk", "")).removeprefix("target#"))
            rest = {key: value for key, value in item.items() if key not in {"pk", "sk", "expires_at"}}
            yield {"id": f"{target}@{item.get('opened_at', '')}", **rest, "target": target}


def is_open(incident: Mapping[str, Any]) -> bool:
    """Return whether an incident still needs the healer or a person."""
    return incident.get("status") != CLOSED_STATUS


def row(incident: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """Return what a table shows of an incident: id, target, status, opened, remedy, reason."""
    return (
        str(incident.get("id", "—")),
        str(incident.get("target", "—")),
        str(incident.get("status", "—")),
        str(incident.get("opened_at", "—")),
        remedy(dict(incident)),
        str(incident.get("reason", "—")),
    )
