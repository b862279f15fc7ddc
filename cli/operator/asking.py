"""The way of every request: write it, wake the healer, wait for its answer, tell."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from selfheal.cli.console import Output
from selfheal.cli.exits import ExitCode
from selfheal.cli.operator.answer import DEFAULT_WAIT, Answer, nudge, wait_for
from selfheal.cli.operator.find_ledger import Reach
from selfheal.cli.operator.requests import Asked, submit
from selfheal.cli.options import checked_why
from selfheal.functions.healer.observation import Request

WHY_PROMPT = "Why? It is recorded with your ARN"


def reason(why: str | None, output: Output) -> str:
    """Return why a person wants something: as given, or asked for on a terminal.

    Raises:
        typer.BadParameter: when it is not given and nobody can be asked.

    """
    if why is not None:
        return why
    if output.json or not sys.stdin.isatty():
        raise typer.BadParameter("say why: --why TEXT. It is recorded with your ARN.", param_hint="--why")
    return str(typer.prompt(WHY_PROMPT, value_proc=checked_why))


def ask(
    there: Reach, request: Request, incident: Mapping[str, Any], wait: float | None, output: Output
) -> None:
    """Hand a request to the healer and tell what becomes of it.

    Args:
        there: The ledger and the healer.
        request: What is asked.
        incident: What it is about, as it was read.
        wait: Seconds to wait for the answer; None for as long as makes sense.
        output: Where to tell it.

    Raises:
        typer.Exit: with 3 when the healer refused.
        CliError: when it could not be written.

    """
    asked = submit(there.dynamodb, there.table, request, incident, datetime.now(UTC))
    _tell_written(asked, output)
    woken = nudge(there, output)
    seconds = (DEFAULT_WAIT if woken else 0.0) if wait is None else wait
    answer = wait_for(there, asked.request, incident, seconds) if woken or seconds else None
    if output.json:
        output.document(document(asked, answer, woken=woken))
    else:
        _tell_answer(asked.request, answer, there.options, output)
    if answer is not None and answer.refused:
        raise typer.Exit(ExitCode.FOUND)


def _tell_written(asked: Asked, output: Output) -> None:
    request = asked.request
    who = (
        f"{request.by} asked for this already at {request.at}" if asked.earlier else f"Asked as {request.by}"
    )
    output.say(f"{who}: {request.verb} of {request.incident}, until {request.until}.")


def _tell_answer(request: Request, answer: Answer | None, options: str, output: Output) -> None:
    if answer is None:
        follow = f"selfheal incidents follow {request.incident}{options}"
        output.say(f"The healer has not answered yet. Watch it: {follow}")
    elif answer.refused:
        output.say(f"Refused: {answer.reason}. The incident is {answer.status}.", style="bold red")
    else:
        output.say(f"Taken up: the incident is {answer.status} ({answer.reason}).", style="bold green")


def document(asked: Asked, answer: Answer | None, *, woken: bool) -> dict[str, Any]:
    """Return a request and its answer as JSON."""
    return {
        "request": {name: text for name, text in asdict(asked.request).items() if text is not None},
        "asked_earlier": asked.earlier,
        "healer_woken": woken,
        "answer": asdict(answer) if answer else None,
    }
