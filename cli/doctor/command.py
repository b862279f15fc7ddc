"""`selfheal doctor`: whether an account can do what an incident would need, before there is one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import typer

from selfheal.cli.console import Output, remark
from selfheal.cli.doctor.account import check_caller, check_concurrency, check_keys
from selfheal.cli.doctor.check import Check, State, tried
from selfheal.cli.doctor.deployment import (
    check_alarms,
    check_budget,
    check_healer,
    check_ledger,
    check_mutes,
    check_people,
    check_schedule,
    check_timeouts,
)
from selfheal.cli.doctor.other_healers import check_other_healers
from selfheal.cli.doctor.rehearsal import check_rehearsal, check_writes
from selfheal.cli.doctor.report import counted, document, lines, summary
from selfheal.cli.doctor.ring import check_ring
from selfheal.cli.doctor.stack import Deployed, read_deployed
from selfheal.cli.doctor.tools import check_tools
from selfheal.cli.exits import ExitCode, epilog
from selfheal.cli.operator.aws_access import AwsAccess, aws_access
from selfheal.cli.operator.find_ledger import ledger_name
from selfheal.cli.operator.location import Location

EPILOG = epilog(
    "selfheal doctor                        the stack dev in the sandbox",
    "selfheal doctor --aws -s prod          reads, and has the healer rehearse; changes nothing",
    "selfheal doctor --aws -s prod --tell   and sends people a message: did it arrive?",
    "selfheal doctor --aws -s prod --ring   and rings an alarm: people get its mail, too",
    "selfheal doctor --json | jq '.checks[] | select(.state != \"ok\")'",
    found="nothing failed, but not everything could be looked at",
)

Ring = Annotated[
    bool,
    typer.Option(
        "--ring",
        help="Set one alarm to ALARM, and see that the healer wakes, does nothing, and the alarm goes back. "
        "Whoever gets its mails gets this one. Takes up to four minutes on AWS.",
    ),
]
Tell = Annotated[
    bool,
    typer.Option("--tell", help="Have the healer send people a message that says that nothing is wrong."),
]


def doctor(*, ring: Ring = False, tell: Tell = False, location: Location, output: Output) -> None:
    """See whether all that an incident needs works here, before there is one.

    It looks at credentials, Pulumi, quotas, ledger, alarms, people, budget and keys. Then the healer
    rehearses: it makes each call of an incident with its own role, reads as they are and writes under a
    condition that cannot be met. For what is denied, the missing IAM statement is printed. What would change
    a target is only simulated by IAM.

    Nothing is changed. `ok` is well, `warn` works but somebody should know, `fail` would fail in an incident,
    `unknown` could not be looked at, most often because you may not read it. With a `fail` the exit code is
    1; without, but with an `unknown`, it is 3.
    """
    with aws_access(location) as access:
        table, source = ledger_name(location, access)
        where = f"{access.description}, ledger {table} ({source})"
        remark(f"{where}.")
        checks: list[Check] = []
        for check in _checks(access, location, table, ring=ring, tell=tell):
            checks.append(check)
            if not output.json:
                for text, style in lines(check):
                    output.say(text, style=style)
    if output.json:
        output.print_json(document(checks, where))
    else:
        output.say(summary(checks))
    if counted(checks)[State.FAIL]:
        raise typer.Exit(ExitCode.FAILED)
    if counted(checks)[State.UNKNOWN]:
        raise typer.Exit(ExitCode.FOUND)


def _checks(access: AwsAccess, location: Location, table: str, *, ring: bool, tell: bool) -> Iterator[Check]:
    """Yield every check as soon as it is done; those that need what cannot be read are left out."""
    clients, found = access.clients, list[Deployed]()

    def deployment() -> Iterable[Check]:
        found.append(read_deployed(clients, table, location.healer))
        return check_healer(found[0])

    yield from tried("account.caller", "credentials", lambda: check_caller(clients), State.FAIL)
    yield from tried("ledger.table", "ledger", lambda: check_ledger(clients, table))
    yield from tried("ledger.deployment", "deployment item", deployment)
    deployed = found[0] if found else Deployed({}, "", problem="the ledger could not be read")
    groups: list[tuple[str, str, Callable[[], Iterable[Check]]]] = [
        ("pulumi.cli", "Pulumi CLI", lambda: check_tools(access, location, deployed)),
        ("lambda.quota", "Lambda concurrency", lambda: check_concurrency(clients, deployed)),
    ]
    if deployed.item:
        groups += [
            ("kms.keys", "encryption keys", lambda: check_keys(clients, table, deployed)),
            ("alarms.exist", "alarms", lambda: check_alarms(clients, deployed)),
            ("alarms.mute", "alarm mute rules", lambda: check_mutes(clients, deployed)),
            ("healer.budget", "budget", lambda: check_budget(clients, table, deployed)),
        ]
    if deployed.healer and not deployed.problem:
        groups += [
            ("healer.schedule", "healer's schedule", lambda: check_schedule(clients, deployed)),
            ("people.subscriptions", "who is told", lambda: check_people(clients, deployed)),
            ("targets.timeout", "targets' timeouts", lambda: check_timeouts(clients, deployed)),
            ("targets.healers", "other healers", lambda: check_other_healers(clients, deployed)),
            ("remedies.writes", "calls that change targets", lambda: check_writes(clients, deployed)),
        ]
    if deployed.healer:
        groups.append(
            (
                "healer.rehearsal",
                "calls of an incident",
                lambda: check_rehearsal(clients, deployed, tell=tell),
            )
        )
    if ring and deployed.function:
        groups.append(
            ("ring.woken", "an alarm that rings for nothing", lambda: check_ring(clients, table, deployed))
        )
    for name, what, look in groups:
        yield from tried(name, what, look)
