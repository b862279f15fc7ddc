"""`selfheal approve`: let the healer execute exactly the plan that was shown."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from selfheal.cli.console import Output
from selfheal.cli.exits import epilog
from selfheal.cli.operator.answer import request_and_wait
from selfheal.cli.operator.checks import approvable_plan
from selfheal.cli.operator.find_ledger import open_ledger
from selfheal.cli.operator.ledger import Ledger
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.mode_override import mode_text
from selfheal.cli.operator.render import plan_lines
from selfheal.cli.operator.requests import VALID_MINUTES, make_request
from selfheal.cli.options import IncidentOrTarget, OptionalWhy, PlanDigest, Wait
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.readings import LONGEST
from selfheal.functions.healer.states import Verb

EPILOG = epilog(
    "selfheal approve fragile                              show it, and ask",
    "selfheal approve fragile --plan 0123456789abcdef -y   this plan or none",
    "selfheal approve checkout --aws -s prod --expires 5   within five minutes",
    found="the healer refused, with the reason",
    asks=True,
)
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needs --plan: what was looked at.")]
Expires = Annotated[
    int,
    typer.Option(
        "--expires",
        min=1,
        max=int(LONGEST.total_seconds()) // 60,
        metavar="MINUTES",
        help="How long the approval is valid.",
    ),
]


def approve(
    *,
    incident: IncidentOrTarget,
    plan: PlanDigest = None,
    yes: Yes = False,
    expires: Expires = VALID_MINUTES,
    why: OptionalWhy = None,
    wait: Wait = None,
    location: Location,
    output: Output,
) -> None:
    """Let the healer execute exactly the plan that it proposed.

    Shows the plan and asks. What is approved is the plan's digest: target, remedy, value before and after,
    code and configuration. If any of it has changed when the healer executes it, nothing is done and a new
    plan is proposed. After --expires the approval is void.

    Your ARN is recorded. Who may approve is a question of IAM: dynamodb:PutItem on the ledger's item
    approval#[i]target[/i].
    """
    if yes and plan is None:
        raise typer.BadParameter(
            "without a question the plan must be named: --plan DIGEST. `selfheal incidents show` prints it.",
            param_hint="--yes",
        )
    if output.json and not yes:
        raise typer.BadParameter("with --json nothing can be asked: add --plan DIGEST and --yes.")
    with open_ledger(location) as ledger:
        found, proposed = _proposed(ledger, incident, plan)
        stored, _ = ledger.mode()
        mode = mode_text(ledger.baseline, stored.override)
        output.say(f"{found.id}: {found.status} ({found.reason}), mode {mode}", style="bold")
        for text in plan_lines(proposed, found.target):
            output.say(text)
        digest = proposed.digest(found.target)
        if not yes:
            typer.confirm(f"Approve exactly this plan, for {expires} minutes?", abort=True)
            # That may have taken a while: only the plan that was shown is approved, if it still stands.
            found, _ = _proposed(ledger, found.id, digest)
        request = make_request(
            Verb.APPROVE,
            found.id,
            ledger.caller(),
            why or "",
            datetime.now(UTC),
            minutes=expires,
            plan=digest,
        )
        request_and_wait(ledger, request, found, wait, output)


def _proposed(ledger: Ledger, wanted: str, digest: str | None) -> tuple[Incident, Plan]:
    """Return the incident and its plan, if that may be approved."""
    incidents = ledger.incidents()
    found = incidents.find(wanted)
    _, mode = ledger.mode()
    return found, approvable_plan(found, incidents, mode, digest)
