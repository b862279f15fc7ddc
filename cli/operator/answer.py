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
from selfheal.cli.operator.requests import Submitted, replaced_by, submit
from selfheal.cli.options import checked_why
from selfheal.functions.healer.answers import what_next
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Transition
from selfheal.functions.healer.readings import Request
from selfheal.functions.shared.contract import OPERATOR_EVENT

DEFAULT_WAIT_SECONDS = 10.0
"""If the healer was woken: one run takes a few seconds."""

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Answer:
    """What the healer did with a request."""

    status: str
    """Where the incident stands."""
    reason: str
    """The incident's reason, or why the request was refused."""
    refused: bool
    next: str | None = None
    """What to do after a refusal."""


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
        typer.Exit: with FOUND when the healer refused, with UNANSWERED when it did not answer in time.
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
        replaced = replaced_by(ledger.dynamodb, ledger.table, request, incident.target)
        problem = f"{replaced} Yours was not taken up." if replaced else "The healer has not answered yet."
        output.say(f"{problem} Watch it: {follow}", style="yellow")
    elif answer.refused:
        output.say(f"Refused: {answer.reason}. The incident is {answer.status}.", style="bold red")
        output.say(answer.next or "")
    else:
        output.say(f"Accepted: the incident is {answer.status} ({answer.reason}).", style="bold green")
    if answer is not None and answer.refused:
        raise typer.Exit(ExitCode.FOUND)
    # Nobody waited where it was said so, or where the healer is not known and only its schedule runs it.
    waited = seconds > 0 if wait is not None else ledger.healer is not None
    if answer is None and waited:
        raise typer.Exit(ExitCode.UNANSWERED)


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
        if (answer := answer_to(request, incident)) is not None:
            return answer
        if time.monotonic() >= deadline:
            return None
        time.sleep(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def answer_to(request: Request, incident: Incident) -> Answer | None:
    """Return what the healer did with a request; None if it has not answered it."""
    recorded = next((each for each in incident.requests if each.id == request.id), None)
    if recorded is None:
        return None
    if recorded.done:
        return Answer(incident.status, incident.reason, refused=False)
    return Answer(incident.status, recorded.answer, refused=True, next=what_next(recorded, incident.id))


def new_transitions(incident: Incident, before: Incident) -> list[Transition]:
    """Return the transitions in an incident's history that were not there before."""
    return [each for each in incident.history if each not in before.history]
