"""The options of commands, each declared and explained once."""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
"""What Pulumi allows in a stack's name, and at most how long."""

MAX_NAME_PARTS = 3
"""Parts of a stack's whole name: organisation, project, stack."""

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
"""Where set, boto3 uses this endpoint instead of AWS, and so do the commands."""

MAX_WHY = 500
"""Characters of a reason: the item of the mode keeps the reasons of its last 50 changes."""


def _stack(value: str) -> str:
    parts = value.split("/")
    if (
        len(parts) > MAX_NAME_PARTS
        or not all(STACK_NAME.fullmatch(part) for part in parts)
        or {".", ".."} & {*parts}
    ):
        raise typer.BadParameter(
            "a stack's name has up to 100 letters, digits, '-', '_' or '.', perhaps with ORGANISATION/ or "
            f"ORGANISATION/PROJECT/ before it; got {value!r}."
        )
    return value


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    try:
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        good = False
    if not good or parts.path not in {"", "/"} or parts.query or parts.username:
        raise typer.BadParameter(
            f"an endpoint is http://host:port or https://host, without path, query or user; got {value!r}."
        )
    return value.rstrip("/")


def checked_why(value: str) -> str:
    """Return a reason without the space around it.

    Raises:
        typer.BadParameter: when it is empty, too long, or more than a line.

    """
    text = value.strip()
    if not text or len(text) > MAX_WHY or not text.isprintable():
        raise typer.BadParameter(
            f"say why in 1 to {MAX_WHY} printable characters on one line; got {len(text)} characters."
        )
    return text


def _digest(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{16}", value):
        raise typer.BadParameter(
            f"a plan's digest has 16 of the characters 0-9 and a-f; got {value!r}. "
            "`selfheal incidents show` prints it."
        )
    return value


Stack = Annotated[
    str,
    typer.Option("--stack", "-s", parser=_stack, metavar="NAME", help="Stack to work on, as in Pulumi."),
]

Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document on standard output; progress goes to standard error."
    ),
]
EnforceIam = Annotated[
    bool,
    typer.Option(
        "--enforce-iam/--no-enforce-iam",
        help="Whether the emulator lets the functions do only what their IAM roles allow.",
    ),
]

Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        parser=_endpoint,
        metavar="URL",
        help="Use an AWS endpoint that already runs; starts nothing of the sandbox. "
        "Credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or test/test on loopback.",
    ),
]

Aws = Annotated[
    bool,
    typer.Option(
        "--aws",
        help="Work on AWS, with boto3's own credentials. Nothing of the sandbox is started. Not needed where "
        "AWS_ENDPOINT_URL is set.",
    ),
]

LedgerName = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        envvar="SELFHEAL_LEDGER",
        metavar="NAME",
        help="Name of the ledger's table. Default: the stack's output `ledgerTable`, if the Pulumi CLI tells "
        "it within 3 s, else [i]project[/i]-[i]stack[/i]-ledger.",
    ),
]

Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="NAME",
        help="Region of the stack. Default: AWS_REGION, AWS_DEFAULT_REGION, `aws:region` of the stack's "
        "file, your AWS profile; in the sandbox the stack's file only.",
    ),
]

HealerName = Annotated[
    str | None,
    typer.Option(
        "--healer",
        metavar="NAME",
        help="Name of the healer's function, to be woken at once. Default: the one that the ledger "
        "names as deployed. If nobody is woken, the healer's schedule takes it up within a minute.",
    ),
]


def _why(when: str) -> Any:
    return typer.Option(
        "--why",
        parser=checked_why,
        metavar="TEXT",
        help=f"The reason, in a line ({when}); it is recorded with your ARN.",
    )


Why = Annotated[str | None, _why("required")]
"""Asked for on a terminal where it is left out."""

WhyOfChange = Annotated[str | None, _why("required for a change")]

OptionalWhy = Annotated[str | None, _why("optional")]

Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        min=0,
        max=3600,
        metavar="SECONDS",
        help="How long to wait for the healer's answer. Default: 10 if it was woken, otherwise 0.",
        show_default=False,
    ),
]

PlanDigest = Annotated[
    str | None,
    typer.Option(
        "--plan",
        parser=_digest,
        metavar="DIGEST",
        help="Approve this plan only: refused if the incident has another one by now.",
    ),
]

IncidentOrTarget = Annotated[
    str,
    typer.Argument(
        metavar="INCIDENT", help="Id of an incident, or the name of a target for its current one."
    ),
]

Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="Name of a target, or the id of its current incident.")
]
