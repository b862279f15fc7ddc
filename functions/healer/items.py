"""Conversion of incidents to DynamoDB items and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import (
    Approval,
    Evidence,
    Guard,
    Hold,
    Plan,
    Standing,
    Transition,
)
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.shared.contract import SCHEMA, Mode, incident_key

_NOT_FIELDS = ("pk", "sk", "schema", "expires_at", "plan_digest")
_COUNTS = ("version", "acts", "attempts", "transitions", "recoveries")
_TUPLES = ("tried", "answered", "recent_acts", "recent_incidents")


def to_item(incident: Incident) -> dict[str, Any]:
    """Return an incident as a DynamoDB item."""
    fields = {key: value for key, value in asdict(incident).items() if value is not None}
    fields["schema"] = SCHEMA
    if incident.plan is not None:
        fields["plan_digest"] = incident.plan.digest(incident.target)
    return incident_key(incident.target) | TypeSerializer().serialize(_plain(fields))["M"]


def from_item(item: Mapping[str, Any]) -> Incident:
    """Return the incident of a DynamoDB item, with its numbers as integers.

    Raises:
        ValueError: when the item was written by a later schema.

    """
    raw: dict[str, Any] = TypeDeserializer().deserialize({"M": dict(item)})
    if raw["schema"] > SCHEMA:
        raise ValueError(
            f"ledger item of schema {raw['schema']}, this healer knows up to {SCHEMA}: deploy a newer one"
        )
    for key in _NOT_FIELDS:
        raw.pop(key, None)
    raw |= {"status": Status(raw["status"]), "reason": Reason(raw["reason"]), "mode": Mode(raw["mode"])}
    raw |= {key: int(raw.get(key, 0)) for key in _COUNTS}
    raw |= {key: tuple(raw.get(key, ())) for key in _TUPLES}
    raw["history"] = tuple(Transition(**line) for line in raw["history"])
    raw["reasons"] = tuple(Reason(reason) for reason in raw.get("reasons", ()))
    raw["standing"] = tuple(
        Standing(_plan(each["plan"]), each["since"], each.get("accepted", False)) for each in raw["standing"]
    )
    for key, build in _BUILDERS.items():
        if key in raw:
            raw[key] = build(raw[key])
    return Incident(**raw)


def _plan(raw: dict[str, Any]) -> Plan:
    expires = raw.get("expires_after")
    fields: dict[str, Any] = {**raw, "expires_after": None if expires is None else int(expires)}
    return Plan(**fields)


def _evidence(raw: dict[str, Any]) -> Evidence:
    counts = {key: int(raw.get(key, 0)) for key in ("requests", "errors", "probes", "probe_errors")}
    return Evidence(since=raw["since"], verdict=raw["verdict"], **counts)


def _guard(raw: dict[str, Any]) -> Guard:
    counts = {key: None if raw[key] is None else int(raw[key]) for key in ("limit", "found", "total")}
    return Guard(Reason(raw["reason"]), until=raw["until"], **counts)


def _hold(raw: dict[str, Any]) -> Hold:
    return Hold(Reason(raw["reason"]), raw["since"], raw["until"])


_BUILDERS: Mapping[str, Any] = {
    "effect": Effect,
    "purpose": Reason,
    "plan": _plan,
    "evidence": _evidence,
    "guard": _guard,
    "hold": _hold,
    "approval": lambda raw: Approval(**raw),
    "last_transition": lambda raw: Transition(**raw),
}


def _plain(value: Any) -> Any:
    """Convert tuples to lists and enums to text, as DynamoDB's serializer requires."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, str) else value
