"""The ledger: one DynamoDB table, which is the healer's memory and its lock.

    pk               sk            what
    target#<name>    incident      the target's current incident, or its last
    target#<name>    closed#<id>   a copy of each closed incident, until it expires
    fleet            open          the targets whose override stands: what `up` asks for before it acts

Every write is one transaction on condition that the incident's version is the one that was read.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from functions.healer.clock import parse_iso
from functions.healer.model import Effect, Evidence, Incident, Mode, Plan, Reason, Status, Transition

SCHEMA = 1
KEEP_CLOSED = timedelta(days=365)
FLEET_KEY = {"pk": {"S": "fleet"}, "sk": {"S": "open"}}

_RACES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class LostRaceError(Exception):
    """Another run wrote first; the next one looks afresh."""


class Ledger:
    """The incidents of a fleet.

    Args:
        client: A boto3 DynamoDB client.
        table: The table's name.

    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, target: str) -> Incident | None:
        """Return the target's current or last incident, read consistently.

        Raises:
            ValueError: when the item was written by a later schema. Guessing at it could repeat an act.

        """
        key = {"pk": {"S": f"target#{target}"}, "sk": {"S": "incident"}}
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def write(self, before: Incident | None, after: Incident) -> None:
        """Replace what was read by what it becomes, or raise.

        Raises:
            LostRaceError: when the ledger no longer holds what was read.

        """
        transaction = [self._put(before, after)]
        stood = before is not None and before.override_stands
        if stood != after.override_stands:
            transaction.append(self._mark(after.target, "ADD" if after.override_stands else "DELETE"))
        if after.closed_at is not None and (before is None or before.closed_at is None):
            copy = to_item(after) | {"sk": {"S": f"closed#{after.id}"}}
            expires = int((parse_iso(after.closed_at) + KEEP_CLOSED).timestamp())
            transaction.append(
                {"Put": {"TableName": self._table, "Item": copy | {"expires_at": {"N": str(expires)}}}}
            )
        try:
            self._client.transact_write_items(TransactItems=transaction)
        except ClientError as error:
            if _lost_race(error):
                raise LostRaceError(
                    f"{after.target}: another run wrote version {after.version} first"
                ) from error
            raise

    def _put(self, before: Incident | None, after: Incident) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": to_item(after)}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :read"
            put["ExpressionAttributeValues"] = {":read": {"N": str(before.version)}}
        return {"Put": put}

    def _mark(self, target: str, verb: str) -> dict[str, Any]:
        update = {
            "TableName": self._table,
            "Key": FLEET_KEY,
            "UpdateExpression": f"{verb} targets :target",
            "ExpressionAttributeValues": {":target": {"SS": [target]}},
        }
        return {"Update": update}


def to_item(incident: Incident) -> dict[str, Any]:
    """Return an incident as a DynamoDB item."""
    fields = {key: value for key, value in asdict(incident).items() if value is not None}
    fields |= {"pk": f"target#{incident.target}", "sk": "incident", "schema": SCHEMA}
    return TypeSerializer().serialize(_plain(fields))["M"]


def from_item(item: Mapping[str, Any]) -> Incident:
    """Return the incident that a DynamoDB item holds; numbers come back as integers."""
    raw: dict[str, Any] = TypeDeserializer().deserialize({"M": dict(item)})
    if raw["schema"] > SCHEMA:
        raise ValueError(
            f"ledger item of schema {raw['schema']}, this healer knows up to {SCHEMA}: deploy a newer one"
        )
    for key in ("pk", "sk", "schema", "expires_at"):
        raw.pop(key, None)
    raw |= {"status": Status(raw["status"]), "reason": Reason(raw["reason"]), "mode": Mode(raw["mode"])}
    raw |= {key: int(raw[key]) for key in ("version", "acts", "attempts")}
    raw["history"] = tuple(Transition(**line) for line in raw["history"])
    if "effect" in raw:
        raw["effect"] = Effect(raw["effect"])
    if "plan" in raw:
        raw["plan"] = Plan(**raw["plan"])
    if "evidence" in raw:
        raw["evidence"] = _evidence(raw["evidence"])
    return Incident(**raw)


def _evidence(raw: dict[str, Any]) -> Evidence:
    return Evidence(raw["since"], int(raw["requests"]), int(raw["errors"]), raw["verdict"])


def _plain(value: Any) -> Any:
    """Turn tuples into lists and enums into their text, which is what DynamoDB's serializer takes."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, str) else value


def _lost_race(error: ClientError) -> bool:
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") in _RACES for reason in reasons)
