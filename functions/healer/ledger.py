"""The ledger: one DynamoDB table, which is the healer's record and its lock.

    pk               sk            what                                                        written by
    target#<name>    incident      the target's current incident, or its last                  the healer
    target#<name>    closed#<id>   a copy of each closed incident, until it expires            the healer
    fleet            open          shared by all targets: changes, unfinished work, budget     the healer
    mode             override      the override of the mode                                    operators
    approval#<name>  approval      who approved which plan                                     approvers
    command#<name>   command       a person's request                                          operators
    override#<name>  <key>         a value that the service reads                              the healer

Every write is one transaction, conditional on the incident's version being the one that was read. An intent
to change something also requires that the mode is unchanged, and a new remediation that the budget is.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from selfheal.functions.healer.clock import Clock, parse_iso, set_by
from selfheal.functions.healer.incident import BUDGET_WINDOW, Incident, not_before
from selfheal.functions.healer.incident_rules import broken_rules
from selfheal.functions.healer.items import from_item, to_item
from selfheal.functions.healer.ledger_items import (
    fleet_of,
    membership,
    mode_of,
    request_of,
    troubles_attribute,
)
from selfheal.functions.healer.observation import Observation
from selfheal.functions.healer.readings import Fleet, ModeOverride, Request, Trouble
from selfheal.functions.healer.states import Effect
from selfheal.functions.shared.contract import FLEET_KEY, MODE_KEY, incident_key, request_key
from selfheal.functions.shared.errors import OwnError

KEEP_CLOSED = timedelta(days=365)

_BATCH_WAITS = (0.1, 0.3)
"""Seconds before what a batch left out is asked for again (API reference, BatchGetItem: UnprocessedKeys)."""

_RACES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_CHANGES = (Effect.APPLY, Effect.REVERT, Effect.PROBE)


class LostRaceError(Exception):
    """Another run, or a person, wrote first. The next run starts from what they wrote."""


@dataclass(frozen=True)
class Glance:
    """What the ledger said when a run began, read by one call for all targets.

    It shows which targets need nothing. Whatever changes something is decided by what is read after it.
    """

    clock: Clock
    fleet: Fleet
    _items: Mapping[tuple[str, str], Mapping[str, Any]]

    def mode(self) -> ModeOverride:
        """Return the override of the mode. Raises like `Ledger.read_mode`."""
        return mode_of(self._item(MODE_KEY))

    def incident(self, target: str) -> Incident | None:
        """Return the target's current or last incident. Raises like `Ledger.read`."""
        item = self._item(incident_key(target))
        return from_item(item) if item else None

    def is_asked(self, incident: Incident) -> bool:
        """Return whether it has a request that is not answered. Raises like `Ledger.read_request`."""
        return any(
            request_of(self._item(request_key(kind, incident.target)), kind, incident) for kind in _REQUESTS
        )

    def _item(self, key: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._items.get(_name_of(key), {})


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
            UnreadableItemError: when it is damaged or of a later schema. Misreading it could repeat a change.

        """
        item = self._get(incident_key(target))
        return from_item(item) if item else None

    def read_fleet(self) -> Fleet:
        """Return the item that all targets share; with its `problem`, if a part of it is damaged."""
        return fleet_of(self._get(FLEET_KEY))

    def read_mode(self) -> ModeOverride:
        """Return the override of the mode.

        Raises:
            UnreadableItemError: when the mode is unknown, or the item damaged. The healer then only observes.

        """
        return mode_of(self._get(MODE_KEY))

    def glance(self, targets: Iterable[str], *, requests: bool = False) -> Glance:
        """Return mode, fleet and incidents, read consistently by one call, and the ledger's clock.

        Runs on machines with different clocks agree on the time by that clock.

        Args:
            targets: Names of the targets.
            requests: Whether people's requests are read as well.

        Raises:
            KeyError: when the response has no date. Nothing can be decided without the time.
            OwnError: when DynamoDB leaves a part out again and again. It is not taken for absent.

        """
        kinds = _REQUESTS if requests else ()
        own = [[incident_key(name), *(request_key(kind, name) for kind in kinds)] for name in targets]
        asked = [MODE_KEY, FLEET_KEY, *(key for keys in own for key in keys)]
        before = datetime.now(UTC)
        answer = self._batch(asked)
        clock = set_by(answer["ResponseMetadata"]["HTTPHeaders"]["date"], before, datetime.now(UTC))
        items, left = _batched(answer)
        for wait in _BATCH_WAITS:
            if not left:
                break
            time.sleep(wait)
            more, left = _batched(self._batch(left))
            items |= more
        if left:
            names = ", ".join("/".join(_name_of(key)) for key in left)
            raise OwnError(f"DynamoDB did not read {names} of the ledger, however often it was asked")
        return Glance(clock, fleet_of(items.get(_name_of(FLEET_KEY), {})), items)

    def read_request(self, kind: Literal["approval", "command"], incident: Incident) -> Request | None:
        """Return a person's request, if it is for this incident and was not answered yet.

        Args:
            kind: The item to read.
            incident: The target's current or last incident.

        Raises:
            UnreadableItemError: when it is damaged, of a later schema, or of a kind that has not this verb.

        """
        return request_of(self._get(request_key(kind, incident.target)), kind, incident)

    def write(
        self,
        seen: Observation | None,
        before: Incident | None,
        after: Incident,
        *,
        counts: bool = False,
        listed: frozenset[str] | None = None,
    ) -> None:
        """Replace the incident that was read, or raise.

        Args:
            seen: The observation that the write is based on; None for an outcome, which has its intent.
            before: The incident as it was read or last written.
            after: The incident to write.
            counts: Whether it is a new remediation, which counts against the budgets.
            listed: The sets of the shared item that the target is in, if they are not those that follow from
                the incident before.

        Raises:
            LostRaceError: when the ledger has changed since it was read.
            ValueError: when the incident's fields contradict each other. Nothing was written.

        """
        broken = list(broken_rules(after))
        if broken:
            raise OwnError(f"{after.id} in {after.status} {'; '.join(broken)}. Nothing was written.")
        transaction = [self._put(before, after)]
        if seen is not None and after.effect in _CHANGES:
            transaction.append({"ConditionCheck": self._unchanged_mode(seen.mode_override)})
        was = membership(before) if listed is None else listed
        fleet = self._fleet(seen.fleet if seen and counts else None, was, after)
        transaction += [{"Update": fleet}] if fleet else []
        if not after.is_open:
            # With every write, so that the copy holds the incident's end: drift that was accepted, answers.
            copy = to_item(after) | incident_key(after.target, after.id)
            expires = int((parse_iso(after.closed_at or "") + KEEP_CLOSED).timestamp())
            copy |= {"expires_at": {"N": str(expires)}}
            transaction.append({"Put": {"TableName": self._table, "Item": copy}})
        try:
            self._client.transact_write_items(TransactItems=transaction)
        except ClientError as error:
            if _lost_race(error):
                raise LostRaceError(
                    f"{after.target}: someone wrote before version {after.version} was written"
                ) from error
            raise

    def write_trouble(self, fleet: Fleet, trouble: Mapping[str, Trouble]) -> None:
        """Replace what could not be handled, in the item that all targets share.

        Raises:
            LostRaceError: when another run has written it since it was read.

        """
        read = {":read": troubles_attribute(fleet.trouble)} if fleet.trouble else {}
        # A damaged one is the healer's own, and made again.
        self._set_shared("trouble", troubles_attribute(trouble), "trouble = :read" if read else "", read)

    def write_mode_told(self, fleet: Fleet, at: str) -> None:
        """Replace when people were last reminded of an override of the mode.

        Raises:
            LostRaceError: when another run has written it since it was read.

        """
        read = {} if fleet.mode_told is None else {":read": {"S": fleet.mode_told}}
        condition = "mode_told = :read" if read else "attribute_not_exists(mode_told)"
        self._set_shared("mode_told", {"S": at}, condition, read)

    def _set_shared(
        self, name: str, new: Mapping[str, Any], condition: str, values: Mapping[str, Any]
    ) -> None:
        """Replace an attribute of the item that all targets share."""
        update: dict[str, Any] = {"TableName": self._table, "Key": FLEET_KEY}
        update |= {"UpdateExpression": f"SET {name} = :new"}
        update |= {"ExpressionAttributeValues": {":new": new, **values}}
        update |= {"ConditionExpression": condition} if condition else {}
        try:
            self._client.transact_write_items(TransactItems=[{"Update": update}])
        except ClientError as error:
            if _lost_race(error):
                raise LostRaceError(f"another run wrote the fleet's {name} first") from error
            raise

    def _get(self, key: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item", {})

    def _batch(self, keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        asked = {self._table: {"Keys": list(keys), "ConsistentRead": True}}
        return self._client.batch_get_item(RequestItems=asked)

    def _put(self, before: Incident | None, after: Incident) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": to_item(after)}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :read"
            put["ExpressionAttributeValues"] = {":read": {"N": str(before.version)}}
        return {"Put": put}

    def _unchanged_mode(self, override: ModeOverride) -> dict[str, Any]:
        check: dict[str, Any] = {"TableName": self._table, "Key": MODE_KEY}
        if override.version == 0:
            return check | {"ConditionExpression": "attribute_not_exists(pk)"}
        values = {":read": {"N": str(override.version)}}
        return check | {"ConditionExpression": "version = :read", "ExpressionAttributeValues": values}

    def _fleet(self, fleet: Fleet | None, was: frozenset[str], after: Incident) -> dict[str, Any] | None:
        """Return the update of the shared item; `fleet` is that item as read, for a new remediation."""
        now_is = membership(after)
        adds = [name for name in _SETS if name in now_is and (fleet or name not in was)]
        deletes = [name for name in _SETS if name in was and name not in now_is]
        if not (adds or deletes or fleet):
            return None
        clauses = [
            f"{verb} " + ", ".join(f"{name} :target" for name in names)
            for verb, names in (("ADD", adds), ("DELETE", deletes))
            if names
        ]
        values: dict[str, Any] = {":target": {"SS": [after.target]}} if adds or deletes else {}
        update: dict[str, Any] = {"TableName": self._table, "Key": FLEET_KEY}
        if fleet is not None:
            acted = after.recent_acts[-1]
            acts = (*not_before(fleet.acts, parse_iso(acted) - BUDGET_WINDOW), acted)
            clauses.insert(0, "SET acts = :acts, version = :next")
            values |= {":acts": {"L": [{"S": at} for at in acts]}, ":next": {"N": str(fleet.version + 1)}}
            if fleet.version == 0:
                update["ConditionExpression"] = "attribute_not_exists(version)"
            else:
                update["ConditionExpression"] = "version = :fleet"
                values[":fleet"] = {"N": str(fleet.version)}
        return update | {"UpdateExpression": " ".join(clauses), "ExpressionAttributeValues": values}


_SETS = ("acting", "targets", "standing", "unfinished")
_REQUESTS: tuple[Literal["command", "approval"], ...] = ("command", "approval")


def _name_of(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _batched(
    answer: Mapping[str, Any],
) -> tuple[dict[tuple[str, str], Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the items that a batch found, by name, and the keys that it left out. It is of one table."""
    found = {_name_of(item): item for items in answer["Responses"].values() for item in items}
    return found, [key for table in answer.get("UnprocessedKeys", {}).values() for key in table["Keys"]]


def _lost_race(error: ClientError) -> bool:
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") in _RACES for reason in reasons)
