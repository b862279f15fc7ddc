"""Waking the healer, and waiting for what it answers."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.console import Output
from selfheal.cli.operator.find_ledger import Reach
from selfheal.cli.operator.ledger import read_incident
from selfheal.functions.healer.observation import Request
from selfheal.functions.healer.words import Reason, Verb
from selfheal.functions.shared.contract import OPERATOR_EVENT

DEFAULT_WAIT = 10.0
"""Seconds, when the healer was woken: one run takes a few."""

POLL_SECONDS = 1.0

_NOT_DONE = frozenset({Reason.COMMAND_EXPIRED, Reason.COMMAND_REFUSED})
_REVERT = _NOT_DONE | {
    Reason.MODE_FORBIDS,
    Reason.NO_REMEDY,
    Reason.REVERT_REFUSED,
    Reason.VALUE_CHANGED,
}

REFUSALS: Mapping[Verb, frozenset[Reason]] = {
    Verb.APPROVE: frozenset(
        {
            Reason.APPROVAL_STALE,
            Reason.APPROVAL_EXPIRED,
            Reason.BUDGET_SPENT,
            Reason.VALUE_CHANGED,
        }
    ),
    Verb.ROLLBACK: _REVERT,
    Verb.RESTORE: _REVERT,
    # These change no function: what the healer finds there afterwards is no answer to them.
    Verb.RELEASE: _NOT_DONE,
    Verb.ACCEPT: _NOT_DONE,
}
"""Reasons that mean: it was not done."""


@dataclass(frozen=True)
class Answer:
    """Where the incident stood once the healer had dealt with a request."""

    status: str
    reason: str
    refused: bool


def nudge(there: Reach, output: Output) -> bool:
    """Wake the healer, if it is known; whether it ran. That it did not is only told: its schedule will do."""
    if there.healer is None:
        output.say("The healer takes it up within a minute, by its schedule.", style="dim")
        return False
    try:
        answer = there.clients.get("lambda").invoke(
            FunctionName=there.healer, Payload=json.dumps(dict(OPERATOR_EVENT)).encode()
        )
    except (BotoCoreError, ClientError) as error:
        return _told(output, str(error))
    return not answer.get("FunctionError") or _told(output, _error_of(answer))


def _error_of(answer: Mapping[str, Any]) -> str:
    try:
        return str(json.loads(answer["Payload"].read())["errorMessage"])
    except (KeyError, TypeError, ValueError):
        return str(answer.get("FunctionError"))


def _told(output: Output, why: str) -> bool:
    output.say(
        f"The healer could not be woken ({why}). Its schedule takes it up within a minute.", style="yellow"
    )
    return False


def wait_for(
    there: Reach,
    request: Request,
    before: Mapping[str, Any],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer | None:
    """Read the incident until the healer has answered the request, or time is up: None then.

    Args:
        there: Where the ledger is.
        request: What was asked.
        before: The incident before it was asked.
        seconds: How long to wait. 0: look once.
        sleep: Waits; to be replaced in tests.

    Raises:
        botocore.exceptions.ClientError: when the ledger cannot be read.

    """
    deadline = time.monotonic() + seconds
    while True:
        incident = read_incident(there.dynamodb, there.table, before)
        if request.id in incident.get("answered", ()):
            return answer_of(request.verb, incident, before)
        if time.monotonic() >= deadline:
            return None
        sleep(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def answer_of(verb: Verb, incident: Mapping[str, Any], before: Mapping[str, Any]) -> Answer:
    """Return what the healer made of a request, by what is new since it was asked."""
    reasons = [str(line.get("reason")) for line in news(incident, before)]
    reasons.append(str(incident.get("reason")))
    refusal = next((reason for reason in reasons if reason in REFUSALS[verb]), None)
    return Answer(str(incident.get("status")), refusal or reasons[-1], refusal is not None)


def news(incident: Mapping[str, Any], before: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the lines of an incident's history that were not there before."""
    known: Sequence[Mapping[str, Any]] = before.get("history", ())
    return [line for line in incident.get("history", ()) if line not in known]
