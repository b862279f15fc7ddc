"""The downstream's table: its setting, its rate, and its logs of effects and of calls.

    pk        sk        holds
    setting   setting   mode, seconds, share, rate, burst: what is there counts instead of the baseline, and
                        until, in seconds since the epoch, by default without end: from then on it does not
    rate      rate      tat: until when the rate is used up, in microseconds since the epoch
    effects   KEY       the one effect of an idempotency key. Expires after 30 days
    counters  calls     calls: all calls ever; and one counter for each outcome
    calls     SLOT      one call. The log is a ring of CALLS_KEPT slots, and expires after a day

Each is written by atomic requests, so the figures are right with any number of workers. One partition takes
1,000 writes a second, which is the highest rate that can be set.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

from botocore.exceptions import ClientError

from selfheal.functions.downstream.core import Outcome, Request, Setting

CALLS_KEPT = 50_000
"""Calls that the log holds. A later one takes the place of the oldest."""

CALL_SECONDS = 86400
"""Seconds after which a call expires."""

EFFECT_SECONDS = 30 * 86400
"""Seconds after which an effect expires, and with it the protection from a second one. Longer than a queue
keeps what could repeat it: SQS keeps a message 14 days at most."""

SETTING_KEY = {"pk": {"S": "setting"}, "sk": {"S": "setting"}}
"""Key of the setting."""

_RATE_KEY = {"pk": {"S": "rate"}, "sk": {"S": "rate"}}
_COUNTERS_KEY = {"pk": {"S": "counters"}, "sk": {"S": "calls"}}


def setting_item(setting: Setting, until: float | None = None) -> dict[str, dict[str, str]]:
    """Return the item that switches the downstream to a setting, whole, once it is put into the table.

    Without the item, the baseline counts. A switch is effective within the second for which a setting is
    cached. `until` is in seconds since the epoch: from then on, at once, the baseline counts although the
    item is there. Default: no end.

    Raises:
        ValueError: when `until` is no such number. The downstream would not read the item.

    """
    if until is not None and not 0 <= until < math.inf:
        raise ValueError(f"until must be seconds since the epoch, a number of 0 or more, got {until!r}")
    values = {field.name: getattr(setting, field.name) for field in fields(setting)}
    typed = {
        name: {"S": str(value)} if isinstance(value, str) else {"N": repr(float(value))}
        for name, value in values.items()
    }
    ends = {} if until is None else {"until": {"N": repr(float(until))}}
    return SETTING_KEY | typed | ends


@dataclass(frozen=True)
class Done:
    """What the log of effects says about a key."""

    outcome: Outcome
    """EFFECT, DUPLICATE or CONFLICT."""
    at: float
    """When the effect of this key happened, in seconds since the epoch."""


class Store:
    """The table.

    Args:
        client: A boto3 DynamoDB client.
        table: The table's name.

    """

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def setting(self) -> dict[str, str]:
        """Return the values of the setting's item, as text. Empty if there is none."""
        answer = self._client.get_item(TableName=self._table, Key=SETTING_KEY, ConsistentRead=True)
        item: dict[str, dict[str, Any]] = answer.get("Item", {})
        return {
            name: str(next(iter(value.values()))) for name, value in item.items() if name not in SETTING_KEY
        }

    def take(self, rate: float, burst: float, now: float) -> float:
        """Take one call from the rate. Return 0, or if there is none the seconds until there will be.

        A token bucket in the form of the generic cell rate algorithm (ITU-T I.371): one number says until
        when the rate is used up, and each call moves it on in a conditional update.
        """
        step, now_us = round(1e6 / rate), round(now * 1e6)
        limit = now_us + round((burst - 1) * step)
        while True:
            found = self._update(
                _RATE_KEY,
                "ADD tat :step",
                "tat BETWEEN :now AND :limit",
                {":step": step, ":now": now_us, ":limit": limit},
            )
            if found is None:
                return 0.0
            used_until = int(found["tat"]["N"]) if found else 0
            if used_until > limit:
                return (used_until - limit) / 1e6
            # After a rest it starts from now. Who loses this race adds to what the winner wrote.
            if used_until < now_us and (
                self._update(
                    _RATE_KEY,
                    "SET tat = :next",
                    "attribute_not_exists(tat) OR tat < :now",
                    {":next": now_us + step, ":now": now_us},
                )
                is None
            ):
                return 0.0

    def effect(self, request: Request, now: float) -> Done:
        """Do what is asked for, at most once for a key."""
        at = round(now, 6)  # as it is stored, so that every answer for this key says the same
        item = {
            "pk": {"S": "effects"},
            "sk": {"S": request.key},
            "caller": {"S": request.caller},
            "digest": {"S": request.digest},
            "at": {"N": f"{at:.6f}"},
            "expires_at": {"N": str(int(now) + EFFECT_SECONDS)},
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            found = _refused(error)
            same = found["digest"]["S"] == request.digest
            return Done(Outcome.DUPLICATE if same else Outcome.CONFLICT, float(found["at"]["N"]))
        return Done(Outcome.EFFECT, at)

    def log_call(self, caller: str, key: str, outcome: Outcome, now: float) -> int:
        """Count a call and write it down. Return its number, from 1."""
        counted = self._client.update_item(
            TableName=self._table,
            Key=_COUNTERS_KEY,
            UpdateExpression="ADD calls :one, #outcome :one",
            ExpressionAttributeNames={"#outcome": outcome.value},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        number = int(counted["Attributes"]["calls"]["N"])
        item = {
            "pk": {"S": "calls"},
            "sk": {"S": f"{number % CALLS_KEPT:05}"},
            "number": {"N": str(number)},
            "at": {"N": f"{now:.6f}"},
            "caller": {"S": caller},
            "key": {"S": key},
            "outcome": {"S": outcome.value},
            "expires_at": {"N": str(int(now) + CALL_SECONDS)},
        }
        self._client.put_item(TableName=self._table, Item=item)
        return number

    def _update(
        self, key: dict[str, Any], update: str, condition: str, values: dict[str, int]
    ) -> dict[str, Any] | None:
        """Return None if the condition held, else the item as it is, empty if there is none."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"N": str(value)} for name, value in values.items()},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _refused(error)
        return None


def _refused(error: ClientError) -> dict[str, Any]:
    """Return the item that a condition did not hold for.

    Raises:
        ClientError: the same, when it is about something else.

    """
    if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
        raise error
    item: dict[str, Any] = error.response.get("Item", {})
    return item
