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

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from selfheal.functions.healer.clock import Clock, parse_iso, set_by
from selfheal.functions.healer.incident import BUDGET_WINDOW, Incident, not_before
from selfheal.functions.healer.incident_rules import broken_rules
from selfheal.functions.healer.items import from_item, to_item
from selfheal.functions.healer.observation import Fleet, ModeOverride, Observation, Request
from selfheal.functions.healer.states import Effect, Reason, Verb
from selfheal.functions.shared.contract import FLEET_KEY, MODE_KEY, Mode, incident_key, request_key

KEEP_CLOSED = timedelta(days=365)

_RACES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_CHANGES = (Effect.APPLY, Effect.REVERT, Effect.PROBE)


class LostRaceError(Exception):
    """Another run, or a person, wrote first. The next run starts from what they wrote."""


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
            ValueError: when the item has a later schema. Misreading it could repeat a change.

        """
        item = self._get(incident_key(target))
        return from_item(item) if item else None

    def read_fleet(self) -> Fleet:
        """Return the item that all targets share."""
        raw = _plain(self._get(FLEET_KEY))
        return Fleet(
            int(raw.get("version", 0)),
            frozenset(raw.get("acting", ())),
            frozenset(raw.get("targets", ())),
            tuple(raw.get("acts", ())),
            frozenset(raw.get("standing", ())),
            frozenset(raw.get("unfinished", ())),
        )

    def read_mode(self) -> ModeOverride:
        """Return the override of the mode.

        Raises:
            ValueError: when the mode is unknown. The healer then does nothing.

        """
        raw = _plain(self._get(MODE_KEY))
        if not raw:
            return ModeOverride(0)
        mode = Mode(raw["mode"]) if "mode" in raw else None
        return ModeOverride(int(raw["version"]), mode, raw["by"], raw["why"], raw["at"])

    def read_clock(self) -> Clock:
        """Return the ledger's clock, so that runs on machines with different clocks agree on the time.

        Raises:
            KeyError: when the response has no date. Nothing can be decided without the time.

        """
        before = datetime.now(UTC)
        answer = self._client.get_item(TableName=self._table, Key=MODE_KEY, ConsistentRead=True)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return set_by(headers["date"], before, datetime.now(UTC))

    def read_request(self, kind: Literal["approval", "command"], incident: Incident) -> Request | None:
        """Return a person's request, if it is for this incident and was not answered yet.

        Args:
            kind: The item to read.
            incident: The target's current or last incident.

        Raises:
            KeyError: when a field is missing.
            ValueError: when this kind of item cannot have the verb.

        """
        raw = _plain(self._get(request_key(kind, incident.target)))
        if not raw or raw["incident"] != incident.id or raw["id"] in incident.answered:
            return None
        verb = Verb(raw["verb"])
        if (verb is Verb.APPROVE) != (kind == "approval"):
            raise ValueError(f"{incident.target}: {verb} is no {kind}; nothing is done about either")
        fields = ("id", "incident", "by", "at", "until")
        why, plan = raw.get("why", ""), raw.get("plan")
        return Request(verb=verb, why=why, plan=plan, **{name: raw[name] for name in fields})

    def write(
        self, seen: Observation | None, before: Incident | None, after: Incident, *, counts: bool = False
    ) -> None:
        """Replace the incident that was read, or raise.

        Args:
            seen: The observation that the write is based on; None for an outcome, which has its intent.
            before: The incident as it was read or last written.
            after: The incident to write.
            counts: Whether it is a new remediation, which counts against the budgets.

        Raises:
            LostRaceError: when the ledger has changed since it was read.
            ValueError: when the incident's fields contradict each other. Nothing was written.

        """
        broken = list(broken_rules(after))
        if broken:
            raise ValueError(f"{after.id} in {after.status} {'; '.join(broken)}. Nothing was written.")
        transaction = [self._put(before, after)]
        if seen is not None and after.effect in _CHANGES:
            transaction.append({"ConditionCheck": self._unchanged_mode(seen.mode_override)})
        fleet = self._fleet(seen.fleet if seen and counts else None, before, after)
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

    def _get(self, key: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item", {})

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

    def _fleet(self, fleet: Fleet | None, before: Incident | None, after: Incident) -> dict[str, Any] | None:
        """Return the update of the shared item; `fleet` is that item as read, for a new remediation."""
        was, now_is = _membership(before), _membership(after)
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


def _membership(incident: Incident | None) -> set[str]:
    """Return the sets of the fleet's item that a target belongs to.

    "acting" holds the targets with a change in progress, "targets" those whose change blocks `up`, "standing"
    those with a change that is still in place, and "unfinished" those that someone has to look at again.
    """
    if incident is None:
        return set()
    unfinished = {"unfinished"} if incident.is_open or incident.effect is not None else set[str]()
    if incident.reason is Reason.TARGET_REMOVED:
        # It blocks nothing any more. People have to close what is open or stands.
        return unfinished | ({"unfinished"} if incident.drifts else set())
    standing = unfinished | ({"standing"} if incident.standing else set())
    if not incident.is_open:
        return standing
    plans = [each.plan for each in incident.standing]
    if incident.plan is not None and incident.effect in (Effect.APPLY, Effect.REVERT):
        plans.append(incident.plan)
    blocks = any(plan.is_pulumis for plan in plans)
    return standing | {
        name for name, member in (("acting", incident.is_acting), ("targets", blocks)) if member
    }


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return TypeDeserializer().deserialize({"M": dict(item)})


def _lost_race(error: ClientError) -> bool:
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") in _RACES for reason in reasons)
