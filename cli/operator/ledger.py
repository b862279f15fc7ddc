"""The healer's ledger as people and scripts read it: incidents, open ones first.

Items of schema 1 are read as well: they have no `standing`, and their plan has a `variable`.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from selfheal.cli.errors import CliError
from selfheal.functions.healer.incident import Plan, Standing
from selfheal.functions.healer.target import Setting
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, incident_key

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


@dataclass(frozen=True)
class Deployment:
    """What the last `up` deployed, as it says in the ledger."""

    mode: str | None
    """The baseline; None where it does not say."""
    healer: str | None
    """Name of the healer's function; None where it does not say."""


def read_deployment(dynamodb: Any, table: str) -> Deployment:
    """Read what was deployed; nothing but the table itself has to be as this version expects it.

    Raises:
        botocore.exceptions.ClientError: when the table is not there or cannot be read.

    """
    item = dynamodb.get_item(TableName=table, Key=DEPLOYMENT_KEY, ConsistentRead=True).get("Item", {})
    return Deployment(*(item.get(name, {}).get("S") for name in ("mode", "healer")))


def read_incident(dynamodb: Any, table: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Read one incident afresh: the target's current one, or the copy of a closed one.

    Args:
        dynamodb: A boto3 client of DynamoDB.
        table: The table's name.
        known: The incident as it was read before; returned if it is in the ledger no more.

    Raises:
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    for closed in ("", known["id"]):
        key = incident_key(known["target"], closed)
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        for incident in arrange([plain(item)] if item else []):
            if incident["id"] == known["id"]:
                return incident
    return dict(known)


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
    newest = sorted(found.values(), key=_opened, reverse=True)
    return sorted(newest, key=lambda item: not is_open(item))


def _incidents(items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        kind = str(item.get("sk", ""))
        if kind == "incident" or kind.startswith("closed#"):
            target = str(item.get("target") or str(item.get("pk", "")).removeprefix("target#"))
            rest = {key: value for key, value in item.items() if key not in {"pk", "sk", "expires_at"}}
            yield {"id": f"{target}@{item.get('opened_at', '')}", **rest, "target": target}


def _opened(incident: Mapping[str, Any]) -> str:
    return str(incident.get("opened_at", ""))


def is_open(incident: Mapping[str, Any]) -> bool:
    """Return whether an incident still needs the healer or a person."""
    return incident.get("status") != CLOSED_STATUS


def current_of(target: str, found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the newest incident of a target: the one that holds what stands on it now."""
    return max((item for item in found if item.get("target") == target), key=_opened, default=None)


def drifts(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the incidents that are over, and left a change that nobody accepted or has taken over."""
    over = (item for item in found if not is_open(item) and any(not s.accepted for s in standing_of(item)))
    return [item for item in over if current_of(str(item["target"]), found) is item]


def find(found: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    """Return the incident of an id, or the current one of a target.

    Raises:
        CliError: when there is neither; it names what comes close.

    """
    for incident in found:
        if incident["id"] == wanted:
            return incident
    if (current := current_of(wanted, found)) is not None:
        return current
    names = sorted({str(item[key]) for item in found for key in ("id", "target")})
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    meant = f"Did you mean {' or '.join(close)}?" if close else "`selfheal incidents` lists them."
    where = "the ledger." if found else "the ledger, which has none."
    raise CliError(f"There is no incident and no target {wanted!r} in {where} {meant}")


def plan_of(raw: Mapping[str, Any]) -> Plan:
    """Return the plan that an incident's `plan`, or a standing change's, holds."""
    return Plan(
        kind=str(raw.get("kind", "environment")),
        setting=str(raw.get("setting", raw.get("variable", ""))),
        before=raw.get("before"),
        after=raw.get("after"),
        code_hash=str(raw.get("code_hash", "")),
        config_hash=str(raw.get("config_hash", "")),
        expires_after=raw.get("expires_after"),
    )


def planned(incident: Mapping[str, Any]) -> Plan | None:
    """Return an incident's plan, if it has one."""
    raw = incident.get("plan")
    return plan_of(raw) if isinstance(raw, Mapping) and raw else None


def standing_of(incident: Mapping[str, Any]) -> tuple[Standing, ...]:
    """Return what the healer changed and did not undo, oldest first."""
    if incident.get("standing"):
        return tuple(
            Standing(plan_of(each["plan"]), str(each["since"]), bool(each.get("accepted")))
            for each in incident["standing"]
        )
    plan = planned(incident)
    if plan is not None and incident.get("override_stands"):  # schema 1
        return (Standing(plan, str(incident.get("acted_at", "?"))),)
    return ()


def shown(text: str | None) -> str:
    """Return a value so that a person sees all of it: nothing hidden, nothing taken for something else."""
    if text is None:
        return "not set"
    plainly = bool(text) and text.isprintable() and text == text.strip()
    return text if plainly else ascii(text)


def change(plan: Plan) -> str:
    """Return what a plan changes, for example `environment:FAILURE_RATE 0.3 → 0`."""
    setting = Setting(plan.kind, shown(plan.setting) if plan.setting else "")
    return f"{setting} {shown(plan.before)} → {shown(plan.after)}"


def row(incident: Mapping[str, Any], *, drift: bool = False) -> tuple[str, str, str, str, str, str]:
    """Return what a table shows of an incident: id, target, status, opened, remedy, reason."""
    plan = planned(incident)
    stands = [change(each.plan) for each in standing_of(incident)]
    status = str(incident.get("status", "—"))
    return (
        str(incident.get("id", "—")),
        str(incident.get("target", "—")),
        f"{status}, drift stands" if drift else status,
        str(incident.get("opened_at", "—")),
        "; ".join(stands) if drift else change(plan) if plan else "—",
        str(incident.get("reason", "—")),
    )
