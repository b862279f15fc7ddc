"""up, preview, refresh and destroy: an operation of the engine, its progress, its result."""

import time
from contextlib import suppress
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli import violations
from cli.connection import Connection, connect
from cli.console import Output, complain
from cli.errors import NotDeployedError
from cli.exits import ExitCode, epilog
from cli.guard import Guard, choose
from cli.ledger import drifts, is_open, read_incidents
from cli.operate import operate_visibly
from cli.options import (
    Endpoint,
    ExpectNoChanges,
    Json,
    NoPolicies,
    Overrides,
    PolicyPack,
    PolicyPackConfig,
    Stack,
)
from cli.progress import summary
from cli.site import Site, exports, load
from cli.telling import farewell_lines
from sandbox.engine.events import Result, Severity

CHANGES = ("create", "update", "replace", "delete")
"""The counts that mean a difference; the others are of resources left as they are."""

UP_EPILOG = epilog(
    "selfheal up                            deploy the stack dev into the sandbox",
    "selfheal up -s prod -c failureRate=0   with a setting for this run only",
    "selfheal up --endpoint http://127.0.0.1:4566",
    "selfheal up --no-policies              without asking the policy pack",
)
PREVIEW_EPILOG = epilog(
    "selfheal preview                       what would `up` do?",
    "selfheal preview --expect-no-changes   in CI: does code still match what is deployed?",
    "selfheal preview --json | jq .changes",
    "selfheal preview --policy-pack-config strict.json --json | jq .violations",
    found="changes, with --expect-no-changes",
)
REFRESH_EPILOG = epilog(
    "selfheal refresh                       take over what was changed by others",
    "selfheal refresh --expect-no-changes   in CI: has anything drifted?",
    found="drift, with --expect-no-changes",
)
DESTROY_EPILOG = epilog(
    "selfheal destroy                       delete the stack dev from the sandbox",
    "selfheal destroy --endpoint http://127.0.0.1:4566 --yes",
)


def up(
    ctx: typer.Context,
    *,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    config: Overrides = [],  # noqa: B006 - Typer reads it, nobody writes it
    policy_pack: PolicyPack = None,
    policy_pack_config: PolicyPackConfig = None,
    no_policies: NoPolicies = False,
    json: Json = False,
) -> None:
    """Create or update the stack until it is what the program says.

    Runs the unmodified Pulumi program by the sandbox's engine. What is live is looked at first, so that
    drift is put back: a failure rate that the healer set to 0 returns to the stack's baseline. While an
    incident is open the program itself refuses, unless configuration says `restoreBaseline: true`.

    The policy pack judges a preview first, and then every resource before it is touched: one mandatory
    violation, or a policy that could not run, and the command fails.

    A run that was killed is finished by the next.
    """
    site = load(ctx, stack, config)
    guard = choose(site, policy_pack, policy_pack_config, off=no_policies)
    _run(site, "up", Output.make(json=json), endpoint=endpoint, guard=guard)


def preview(
    ctx: typer.Context,
    *,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    config: Overrides = [],  # noqa: B006 - Typer reads it, nobody writes it
    policy_pack: PolicyPack = None,
    policy_pack_config: PolicyPackConfig = None,
    no_policies: NoPolicies = False,
    expect_no_changes: ExpectNoChanges = False,
    json: Json = False,
) -> None:
    """Show what `up` would change, and change nothing.

    Each line is one resource: [green]+[/green] create, [yellow]~[/yellow] update, [magenta]±[/magenta]
    replace, [red]-[/red] delete, with the properties that differ. Values that only the deployment can know
    stay unknown, as with the Pulumi CLI.

    The policy pack judges it all; one mandatory violation, or a policy that could not run, and the command
    fails.
    """
    site = load(ctx, stack, config)
    _run(
        site,
        "preview",
        Output.make(json=json),
        endpoint=endpoint,
        guard=choose(site, policy_pack, policy_pack_config, off=no_policies),
        expect_no_changes=expect_no_changes,
    )


def refresh(
    ctx: typer.Context,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    expect_no_changes: ExpectNoChanges = False,
    json: Json = False,
) -> None:
    """Read every resource as it is live, and record it; nothing live is changed.

    A line marked [yellow]≠ drift[/yellow] names the properties that someone else changed. The next `up` puts
    them back.
    """
    output = Output.make(json=json)
    _run(load(ctx, stack), "refresh", output, endpoint=endpoint, expect_no_changes=expect_no_changes)


def destroy(
    ctx: typer.Context,
    stack: Stack = "dev",
    endpoint: Endpoint = None,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask; needed with --endpoint in scripts."),
    json: Json = False,
) -> None:
    """Delete everything of the stack, after saying what is open and what stands.

    What the healer changed on a function of another stack stays changed: undo it first with `selfheal
    rollback` or `selfheal restore`. In the sandbox nothing is asked: `up` brings it all back. With --endpoint
    it asks, after having said that. A stack with a protected resource is refused as a whole: set
    `protectLedger: false`, run `up`, then destroy.
    """
    if endpoint and json and not yes:
        raise typer.BadParameter("with --json nothing can be asked: add --yes to delete at an endpoint.")
    asks = bool(endpoint) and not yes
    _run(load(ctx, stack), "destroy", Output.make(json=json), endpoint=endpoint, asks=asks)


def _run(
    site: Site,
    operation: str,
    output: Output,
    *,
    endpoint: str | None,
    guard: Guard | None = None,
    expect_no_changes: bool = False,
    asks: bool = False,
) -> None:
    stack = site.config.name
    left: list[dict[str, Any]] = []
    with connect(site.workspace, endpoint, site.region, output) as connection:
        if operation == "destroy":
            left = _tell_what_is_left(site, endpoint, connection, output)
        if asks:
            typer.confirm(f"Delete everything of stack {stack} at {endpoint}?", abort=True)
        began = time.monotonic()
        state = site.workspace.state(endpoint)
        result = operate_visibly(site, state, connection, operation, output=output, guard=guard)
        seconds = time.monotonic() - began
    violations.show(output, result.violations)
    output.say(summary(result, stack=stack, operation=operation, seconds=seconds), style="bold")
    if output.json:
        told = {"operation": operation, "stack": stack, "seconds": round(seconds, 3)}
        told |= _document(result, operation, connection)
        output.document(told | ({"incidents_left": left} if operation == "destroy" else {}))
    elif operation == "up" and result.ok:
        for key, value in result.outputs.items():
            output.say(f"  {key}: {value}")
    if not result.ok:
        complain(result.error or "the operation failed without a reason")
        raise typer.Exit(ExitCode.FAILED)
    if expect_no_changes and any(result.changes.get(kind) for kind in CHANGES):
        raise typer.Exit(ExitCode.FOUND)


def _document(result: Result, operation: str, connection: Connection) -> dict[str, Any]:
    return {
        "ok": result.ok,
        "error": result.error,
        "changes": dict(result.changes),
        "outputs": result.outputs if operation in {"up", "preview"} else {},
        "violations": violations.document(result.violations),
        "diagnostics": [
            {"severity": item.severity.value, "message": item.message, "urn": item.urn}
            for item in result.diagnostics
            if item.severity is not Severity.DEBUG and item.violation is None
        ],
        "endpoint": connection.endpoint,
        "endpoint_source": connection.source.value,
    }


def _tell_what_is_left(
    site: Site, endpoint: str | None, connection: Connection, output: Output
) -> list[dict[str, Any]]:
    """Say what is open and what stands before all is deleted; an unreadable ledger does not stop that."""
    with suppress(NotDeployedError):
        table = exports(site, endpoint).get("ledgerTable")
        if not table:
            return []
        try:
            found = read_incidents(connection.clients.get("dynamodb"), str(table))
        except (BotoCoreError, ClientError) as error:
            output.say(
                f"The ledger {table} cannot be read ({error}): open incidents are unknown.", style="yellow"
            )
            return []
        drifting = drifts(found)
        for text in farewell_lines(found, drifting):
            output.say(text, style="yellow")
        return [incident for incident in found if is_open(incident) or incident in drifting]
    return []
