"""Find a stack's ledger without its configuration: nothing in that may stop the kill switch."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.console import remark
from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import AwsAccess, aws_access
from selfheal.cli.operator.ledger import Ledger
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.stack_outputs import stack_outputs
from selfheal.cli.project_files import project_folder, project_name
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, Mode

SUFFIX = "-ledger"
LISTED_TABLES = 300
"""Tables searched for ledgers to suggest."""


@contextmanager
def open_ledger(location: Location) -> Generator[Ledger]:
    """Find the ledger and the healer, and print where; may run the sandbox's emulator meanwhile.

    Raises:
        CliError: when the table's name cannot be told, there is no such table, or as `aws_access` does.

    """
    with aws_access(location) as access:
        table, source = ledger_name(location, access)
        remark(f"{access.description}, ledger {table} ({source}).")
        deployed = _read_deployment(location, access.clients.get("dynamodb"), table)
        healer, mode = (deployed.get(name, {}).get("S") for name in ("healer", "mode"))
        named = deployed.get("targets", {}).get("L")
        yield Ledger(
            access.clients,
            table,
            location.healer or healer,
            *_baseline(mode),
            targets=None if named is None else frozenset(each["S"] for each in named),
            options=location.as_options(),
        )


def ledger_name(location: Location, access: AwsAccess) -> tuple[str, str]:
    """Return the table's name, and for people how it was found.

    The first of: --ledger or SELFHEAL_LEDGER, the stack's output `ledgerTable`, <project>-<stack>-ledger.

    Raises:
        CliError: when not even the project's name is known.

    """
    if location.ledger:
        return location.ledger, "given"
    table, problem = _stack_output(access, location.folder, location.stack)
    if table:
        return table, "the stack's output ledgerTable"
    *qualified, name = location.stack.split("/")
    folder = project_folder(location.folder)
    project = qualified[1] if len(qualified) > 1 else folder and project_name(folder)
    if project is None:
        raise CliError(
            f"Cannot tell which ledger to use: {problem}, and no Pulumi.yaml at or above "
            f"{location.folder.resolve()} has a `name:`. Name the table with --ledger NAME or "
            "SELFHEAL_LEDGER=NAME, or the project's folder with `selfheal -C FOLDER`."
        )
    return f"{project}-{name}{SUFFIX}", f"by convention, as {problem}"


def _stack_output(access: AwsAccess, folder: Path, stack: str) -> tuple[str | None, str]:
    """Return the stack's output `ledgerTable`, or why it is not known."""
    outputs, problem = stack_outputs(access, folder, stack)
    if outputs is None:
        return None, problem
    table = outputs.get("ledgerTable")
    return (table, "") if isinstance(table, str) and table else (None, "the stack has no output ledgerTable")


def require_ledger(location: Location, dynamodb: Any, table: str) -> None:
    """Refuse a table that there is not. What else keeps it from being read is left to who reads it.

    Raises:
        CliError: when there is no such table.

    """
    with suppress(BotoCoreError, ClientError):
        _read_deployment(location, dynamodb, table)


def _read_deployment(location: Location, dynamodb: Any, table: str) -> dict[str, Any]:
    """Return the item in which `up` wrote what it deployed, in DynamoDB's typed form; empty without one."""
    try:
        found = dynamodb.get_item(TableName=table, Key=DEPLOYMENT_KEY, ConsistentRead=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        names = _ledgers(dynamodb)
        listed = f" Ledgers there: {', '.join(names)}." if names else ""
        raise CliError(
            f"There is no table {table} in {dynamodb.meta.region_name}.{listed} Name the table with "
            "--ledger NAME or SELFHEAL_LEDGER, or another --stack or --region"
            f"{'; this was the sandbox: for a stack on AWS add --aws' if location.is_sandbox else ''}."
        ) from error
    return found.get("Item", {})


def _ledgers(dynamodb: Any) -> list[str]:
    """Return the tables of the region that look like ledgers; none where they may not be listed."""
    with suppress(BotoCoreError, ClientError):
        pages = dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"MaxItems": LISTED_TABLES})
        return [name for page in pages for name in page["TableNames"] if name.endswith(SUFFIX)]
    return []


def _baseline(deployed: str | None) -> tuple[Mode | None, str]:
    """Return the baseline and its source. An unknown one must not stop the kill switch."""
    if deployed is None:
        return None, "the ledger does not say it"
    with suppress(ValueError):
        return Mode(deployed), "as deployed"
    return None, f"{deployed!r} was deployed, which this version does not know"
