"""The ledger as an operator reads it: every incident, typed as the healer types them."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.cli.operator.mode_override import Stored, effective_mode, read_mode
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.items import from_item
from selfheal.functions.healer.states import Reason
from selfheal.functions.shared.contract import SCHEMA, Mode, incident_key


@dataclass(frozen=True)
class Unreadable:
    """An incident that this version cannot read. It is listed, and no command is accepted for it."""

    id: str
    target: str
    opened_at: str
    status: str
    problem: str
    """Why it cannot be read, and what to do."""
    archived: bool
    """Whether it is the copy of a closed incident."""

    @property
    def is_open(self) -> bool:
        """Whether it may still need someone. True unless it is archived: what stands cannot be known."""
        return not self.archived


@dataclass(frozen=True)
class Incidents:
    """Every incident of a ledger."""

    found: tuple[Incident | Unreadable, ...] = ()
    """Open ones first, then the newest first."""
    plan_digests: Mapping[str, str] = field(default_factory=dict[str, str])
    """By id of the incident, the digest that the healer recorded beside its plan."""
    targets: frozenset[str] | None = None
    """The targets of the deployed healer; None where the ledger does not tell."""
    options: str = ""
    """The options with which another command finds this ledger, with a space before them."""

    @property
    def readable(self) -> list[Incident]:
        """Those that this version can read, in the same order."""
        return [each for each in self.found if isinstance(each, Incident)]

    @property
    def drifting(self) -> list[Incident]:
        """Closed ones whose change still stands and was neither accepted nor taken over by a newer one."""
        return [
            each
            for each in self.readable
            if not each.is_open and each.drifts and self.current(each.target) is each
        ]

    def is_removed(self, incident: Incident) -> bool:
        """Return whether a deployment removed the target of an incident, as far as the ledger tells."""
        if self.targets is None:
            return incident.reason is Reason.TARGET_REMOVED
        return incident.target not in self.targets

    def current(self, target: str) -> Incident | Unreadable | None:
        """Return the newest incident of a target, which holds whatever stands on it."""
        return max((each for each in self.found if each.target == target), key=_opened_at, default=None)

    def find(self, wanted: str) -> Incident:
        """Return the incident with this id, or the current one of the target with this name.

        Raises:
            CliError: when there is neither (it names close matches), or when it cannot be read.

        """
        found = next((each for each in self.found if each.id == wanted), None) or self.current(wanted)
        if isinstance(found, Unreadable):
            raise CliError(f"{found.id} {found.problem}")
        if found is not None:
            return found
        if self.targets and wanted in self.targets:
            raise CliError(f"{wanted} is a target of the healer and has no incident: there is nothing to do.")
        names = sorted(
            {name for each in self.found for name in (each.id, each.target)} | (self.targets or set())
        )
        close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        hint = (
            f"Did you mean {' or '.join(close)}?"
            if close
            else f"`selfheal incidents{self.options}` lists them."
        )
        where = "the ledger." if self.found else "the ledger, which has none."
        raise CliError(f"There is no incident and no target {wanted!r} in {where} {hint}")


@dataclass(frozen=True)
class Ledger:
    """The ledger of a stack, and the healer that writes it."""

    clients: ClientSource
    table: str
    healer: str | None
    """Name of the healer's function; None when it is not known."""
    baseline: Mode | None
    """The mode that was deployed; None when it is not known."""
    baseline_source: str
    """Where the baseline was read, or why it is not known, for people."""
    targets: frozenset[str] | None = None
    """The targets that were deployed; None when they are not known."""
    options: str = ""
    """The options with which another command finds this ledger, with a space before them."""

    @property
    def dynamodb(self) -> Any:
        """The client that reads and writes the table."""
        return self.clients.get("dynamodb")

    def incidents(self) -> Incidents:
        """Read every incident; raises as `read_incidents`."""
        return replace(read_incidents(self.dynamodb, self.table), targets=self.targets, options=self.options)

    def mode(self) -> tuple[Stored, Mode]:
        """Read the override of the mode, and return it with the mode in effect; raises as `read_mode`."""
        stored = read_mode(self.dynamodb, self.table)
        return stored, effective_mode(self.baseline, stored.override)

    def caller(self) -> str:
        """Return the ARN of whoever signs the calls."""
        return str(self.clients.get("sts").get_caller_identity()["Arn"])


def read_incidents(dynamodb: Any, table: str) -> Incidents:
    """Read every incident of a ledger.

    Args:
        dynamodb: A boto3 client of DynamoDB.
        table: Name of the ledger's table.

    Raises:
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    # The table has one item per target and one per incident closed in the last year: small enough to scan.
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return parse_incidents(item for page in pages for item in page["Items"])


def read_incident(dynamodb: Any, table: str, known: Incident) -> Incident:
    """Read one incident again, be it the target's current one or archived by now.

    Args:
        dynamodb: A boto3 client of DynamoDB.
        table: Name of the ledger's table.
        known: The incident as it was read before. Returned unchanged if the ledger no longer has it.

    Raises:
        CliError: when it cannot be read any more: a newer healer was deployed meanwhile.
        botocore.exceptions.ClientError: when the table cannot be read.

    """
    for closed in ("", known.id):
        key = incident_key(known.target, closed)
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        found = parse_incidents([item] if item else [])
        if any(each.id == known.id for each in found.found):
            return found.find(known.id)
    return known


def parse_incidents(items: Iterable[Mapping[str, Any]]) -> Incidents:
    """Return the incidents among DynamoDB items, each once.

    The current incident of a target, once closed, has an archived copy of the same id, which may be older.
    """
    found: dict[str, Incident | Unreadable] = {}
    digests: dict[str, str] = {}
    for item in sorted(items, key=lambda item: item["sk"]["S"] == "incident"):
        if item["sk"]["S"] == "incident" or item["sk"]["S"].startswith("closed#"):
            incident = _parse(item)
            found[incident.id] = incident
            digests[incident.id] = item.get("plan_digest", {}).get("S", "")
    newest = sorted(found.values(), key=_opened_at, reverse=True)
    return Incidents(tuple(sorted(newest, key=lambda each: not each.is_open)), digests)


def _parse(item: Mapping[str, Any]) -> Incident | Unreadable:
    try:
        return from_item(item)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raw: dict[str, Any] = TypeDeserializer().deserialize({"M": dict(item)})
        target = str(raw.get("target") or raw["pk"].removeprefix("target#"))
        # "unknown" sorts after every time, so that it counts as the target's current incident.
        opened_at, schema = str(raw.get("opened_at", "unknown")), raw.get("schema")
        later = isinstance(schema, Decimal) and schema > SCHEMA
        why = f"was recorded by a newer healer (schema {schema}); this selfheal knows up to {SCHEMA}"
        return Unreadable(
            id=str(raw.get("id", f"{target}@{opened_at}")),
            target=target,
            opened_at=opened_at,
            status=str(raw.get("status", "unknown")),
            problem=f"{why}. Use the selfheal that is deployed." if later else _damaged(error),
            archived=raw["sk"] != "incident",
        )


def _damaged(error: Exception) -> str:
    """Say what to do about an item that no version can read."""
    return (
        f"cannot be read: {error}. Use the selfheal that is deployed. If that cannot read it either, restore "
        "the item from a backup, or delete it: the healer then tells people that the incident is lost."
    )


def _opened_at(incident: Incident | Unreadable) -> str:
    return incident.opened_at


def incident_json(incident: Incident) -> dict[str, Any]:
    """Return an incident as it is in JSON documents: the fields of its item that are set."""
    fields = {name: value for name, value in asdict(incident).items() if value is not None}
    if incident.plan is not None:
        fields["plan_digest"] = incident.plan.digest(incident.target)
    # By way of JSON: tuples become lists, and enums their text.
    return json.loads(json.dumps({"schema": SCHEMA} | fields))
