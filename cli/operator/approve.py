"""approve: let the healer do exactly the plan that was shown."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from selfheal.cli.console import Output
from selfheal.cli.exits import epilog
from selfheal.cli.operator import requests
from selfheal.cli.operator.asking import ask
from selfheal.cli.operator.checks import approvable
from selfheal.cli.operator.find_ledger import Reach, reach
from selfheal.cli.operator.ledger import find
from selfheal.cli.operator.location import Where
from selfheal.cli.operator.mode_override import in_effect
from selfheal.cli.operator.render import plan_lines
from selfheal.cli.options import (
    Aws,
    Endpoint,
    HealerName,
    IncidentOrTarget,
    Json,
    LedgerName,
    PlanDigest,
    Region,
    Stack,
    Wait,
    Why,
)
from selfheal.functions.healer.words import Verb

EPILOG = epilog(
    "selfheal approve fragile                              show it, and ask",
    "selfheal approve fragile --plan 0123456789abcdef -y   this plan or none",
    "selfheal approve checkout --aws -s prod --expires 5   within five minutes",
    found="the healer refused: the world changed, or the approval expired",
)
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needs --plan: what was looked at.")]
Expires = Annotated[
    int,
    typer.Option("--expires", min=1, max=1440, metavar="MINUTES", help="After which it is not honoured."),
]


def approve(
    ctx: typer.Context,
    incident: IncidentOrTarget,
    *,
    plan: PlanDigest = None,
    yes: Yes = False,
    expires: Expires = 30,
    why: Why = None,
    wait: Wait = None,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    aws: Aws = False,
    ledger: LedgerName = None,
    region: Region = None,
    healer: HealerName = None,
    json: Json = False,
) -> None:
    """Let the healer do exactly the plan that it proposed.

    Shows the plan and asks. What is approved is the plan's digest: target, remedy, value before and after,
    code and configuration. If any of it changed when the healer gets to it, nothing is done and a new plan is
    proposed. It is done at once, or never: after --expires the approval is void.

    Your ARN is recorded. Who may approve is a question of IAM: dynamodb:PutItem on the ledger's item
    approval#[i]target[/i].
    """
    output = Output.make(json=json)
    where = Where.make(ctx, stack, endpoint, aws=aws, ledger=ledger, region=region, healer=healer)
    if yes and plan is None:
        raise typer.BadParameter(
            "without a question the plan must be named: --plan DIGEST. `selfheal incidents show` prints it.",
            param_hint="--yes",
        )
    if json and not yes:
        raise typer.BadParameter("with --json nothing can be asked: add --plan DIGEST and --yes.")
    with reach(where) as there:
        known, digest = _proposed(there, incident, plan, output)
        if not yes:
            typer.confirm(f"Approve exactly this plan, for {expires} minutes?", abort=True)
            # People take their time. What is approved is what was shown, and only if it still is the plan.
            known, digest = _proposed(there, str(known["id"]), digest, None)
        now = datetime.now(UTC)
        request = requests.make(
            Verb.APPROVE, str(known["id"]), there.caller(), why or "", now, minutes=expires, plan=digest
        )
        ask(there, request, known, wait, output)


def _proposed(
    there: Reach, wanted: str, digest: str | None, output: Output | None
) -> tuple[dict[str, Any], str]:
    """Return the incident and the digest of its plan, which is shown if there is an output."""
    found = there.incidents()
    known = dict(find(found, wanted))
    kept, mode = there.mode()
    plan = approvable(known, found, mode, digest)
    if output is not None:
        output.say(
            f"{known['id']}: {known['status']} ({known.get('reason')}), mode "
            f"{in_effect(there.baseline, kept.override)}",
            style="bold",
        )
        for text in plan_lines(plan, str(known["target"])):
            output.say(text)
    return known, plan.digest(str(known["target"]))
