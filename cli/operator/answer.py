"""Hand a request to the healer: write it, wake the healer, wait for its answer, and print that."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.exits import ExitCode
from selfheal.cli.operator.ledger import Ledger, read_incident
from selfheal.cli.operator.requests import Submitted, submit
from selfheal.cli.options import checked_why
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Transition
from selfheal.functions.healer.observation import Request
from selfheal.functions.healer.states import Reason, Verb
from selfheal.functions.shared.contract import OPERATOR_EVENT

DEFAULT_WAIT_SECONDS = 10.0
"""If the healer was woken: one run takes a few seconds."""

POLL_SECONDS = 1.0

_NOT_DONE = frozenset({Reason.COMMAND_EXPIRED, Reason.COMMAND_REFUSED, Reason.TARGET_REMOVED})
_NOT_REVERTED = _NOT_DONE | {
    Reason.MODE_FORBIDS,
    Reason.NO_REMEDY,
    Reason.REVERT_REFUSED,
    Reason.VALUE_CHANGED,
}
_NOT_APPLIED = frozenset(
    {
        Reason.APPROVAL_STALE,
        Reason.APPROVAL_EXPIRED,
        Reason.BUDGET_SPENT,
        Reason.TARGET_REMOVED,
        Reason.VALUE_CHANGED,
    }
)

REFUSALS: Mapping[Verb, frozenset[Reason]] = {
    Verb.APPROVE: _NOT_APPLIED,
    Verb.ROLLBACK: _NOT_REVERTED,
    Verb.RESTORE: _NOT_REVERTED,
    # These change no function, so what the healer finds on it afterwards does not mean that they failed.
    Verb.RELEASE: _NOT_DONE,
    Verb.ACCEPT: _NOT_DONE,
    Verb.CLOSE: _NOT_DONE,
}
"""The reasons which mean that a request was not carried out."""


@dataclass(frozen=True)
class Answer:
    """What the healer did with a request."""

    status: str
    """Where the incident stood then."""
    reason: str
    refused: bool


def ask_why(why: str | None, output: Output) -> str:
    """Return the reason that was given, or ask for it on a terminal.

    Raises:
        typer.BadParameter: when it is not given and nobody can be asked.

    """
    if why is not None:
        return why
    if output.json or not sys.stdin.isatty():
        raise typer.BadParameter("say why: --why TEXT. It is recorded with your ARN.", param_hint="--why")
    return str(typer.prompt("Why? It is recorded with your ARN", value_proc=checked_why))


def request_and_wait(
    ledger: Ledger, request: Request, incident: Incident, wait: float | None, output: Output
) -> None:
    """Hand a request to the healer and print its answer.

    Args:
        ledger: The ledger, and the healer to wake.
        request: The request.
        incident: The incident it is about, as it was read.
        wait: Seconds to wait for the answer. None: DEFAULT_WAIT_SECONDS if the healer was woken, else 0.
        output: Where to print.

    Raises:
        typer.Exit: with FOUND when the healer refused.
        CliError: when there is no such healer, or the request could not be written.

    """
    require_healer(ledger)
    submitted = submit(ledger.dynamodb, ledger.table, request, incident, datetime.now(UTC))
    request = submitted.request
    asked = f"{request.by} asked for this already at {request.at}" if submitted.earlier else None
    output.say(
        f"{asked or f'Asked as {request.by}'}: {request.verb} of {request.incident}, until {request.until}."
    )
    woken = wake_healer(ledger, output)
    seconds = (DEFAULT_WAIT_SECONDS if woken else 0.0) if wait is None else wait
    answer = wait_for_answer(ledger, request, incident, seconds) if woken or seconds else None
    if output.json:
        output.print_json(_json(submitted, answer, woken=woken))
    elif answer is None:
        follow = f"selfheal incidents follow {request.incident}{ledger.options}"
        output.say(f"The healer has not answered yet. Watch it: {follow}")
    elif answer.refused:
        output.say(f"Refused: {answer.reason}. The incident is {answer.status}.", style="bold red")
    else:
        output.say(f"Accepted: the incident is {answer.status} ({answer.reason}).", style="bold green")
    if answer is not None and answer.refused:
        raise typer.Exit(ExitCode.FOUND)


def _json(submitted: Submitted, answer: Answer | None, *, woken: bool) -> dict[str, Any]:
    request = asdict(submitted.request)
    return {
        "request": {name: text for name, text in request.items() if text is not None},
        "asked_earlier": submitted.earlier,
        "healer_woken": woken,
        "answer": asdict(answer) if answer else None,
    }


def require_healer(ledger: Ledger) -> None:
    """Refuse if the healer's function does not exist: nobody would answer. An unknown one may exist.

    Raises:
        CliError: when AWS says that there is no such function.

    """
    if ledger.healer is None:
        return
    try:
        # It runs nothing, and needs the permission that waking the healer needs.
        ledger.clients.get("lambda").invoke(FunctionName=ledger.healer, InvocationType="DryRun")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise CliError(
                f"Nothing was asked: the healer {ledger.healer}, which the ledger {ledger.table} names, does "
                "not exist, so nobody would answer. Deploy the stack again, name the healer with --healer, "
                "or change by hand what must not stand."
            ) from error
    except BotoCoreError:
        return  # it may exist


def wake_healer(ledger: Ledger, output: Output) -> bool:
    """Invoke the healer; return whether it ran. A failure is only printed: its schedule wakes it too."""
    if ledger.healer is None:
        output.say("The healer takes it up within a minute, by its schedule.", style="dim")
        return False
    try:
        answer = ledger.clients.get("lambda").invoke(
            FunctionName=ledger.healer, Payload=json.dumps(dict(OPERATOR_EVENT)).encode()
        )
        problem = _function_error(answer) if answer.get("FunctionError") else None
    except (BotoCoreError, ClientError) as error:
        problem = str(error)
    if problem is not None:
        output.say(
            f"The healer could not be woken ({problem}). If its schedule still runs, it takes this up within "
            "a minute; if not, nobody does.",
            style="yellow",
        )
    return problem is None


def _function_error(answer: Mapping[str, Any]) -> str:
    try:
        return str(json.loads(answer["Payload"].read())["errorMessage"])
    except (KeyError, TypeError, ValueError):
        return str(answer["FunctionError"])


def wait_for_answer(ledger: Ledger, request: Request, before: Incident, seconds: float) -> Answer | None:
    """Read the incident until the healer has answered the request; None if it did not in time.

    Args:
        ledger: The ledger.
        request: The request.
        before: The incident as it was before the request.
        seconds: How long to wait. 0: read once.

    Raises:
        botocore.exceptions.ClientError: when the ledger cannot be read.

    """
    deadline = time.monotonic() + seconds
    while True:
        incident = read_incident(ledger.dynamodb, ledger.table, before)
        if request.id in incident.answered:
            return answer_to(request.verb, incident, before)
        if time.monotonic() >= deadline:
            return None
        time.sleep(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def answer_to(verb: Verb, incident: Incident, before: Incident) -> Answer:
    """Return what the healer did with a request, by the transitions since it was made."""
    reasons = [*(each.reason for each in new_transitions(incident, before)), incident.reason]
    refusal = next((reason for reason in reasons if reason in REFUSALS[verb]), None)
    return Answer(incident.status, refusal or incident.reason, refusal is not None)


def new_transitions(incident: Incident, before: Incident) -> list[Transition]:
    """Return the transitions in an incident's history that were not there before."""
    return [each for each in incident.history if each not in before.history]
