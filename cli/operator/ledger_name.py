"""Which table is a stack's ledger, found without its configuration: a kill switch must need nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.errors import NoLedgerError
from selfheal.cli.processes import answer_of
from selfheal.cli.project_files import project_folder, project_name

SECONDS = 3.0
"""How long Pulumi may take: a silent backend hangs it, and an incident does not wait."""

SUFFIX = "-ledger"
PAGES = 3
"""Of a hundred tables each that are looked at for one that is meant."""


@dataclass(frozen=True)
class PulumiCli:
    """The Pulumi CLI that may know the stack's outputs."""

    executable: Path | None
    """None where there is none."""
    environment: Mapping[str, str]
    """The whole environment it runs in."""


def ledger_name(given: str | None, pulumi: PulumiCli, folder: Path, stack: str) -> tuple[str, str]:
    """Return the table's name, and for people how it was found.

    Args:
        given: By --ledger or SELFHEAL_LEDGER; wins.
        pulumi: Whom to ask next, for the stack's output `ledgerTable`.
        folder: Where Pulumi would be run.
        stack: As --stack has it: NAME, ORGANISATION/NAME or ORGANISATION/PROJECT/NAME.

    Raises:
        NoLedgerError: when nothing says it, not even the project's name.

    """
    if given:
        return given, "given"
    table, problem = _of_outputs(pulumi, folder, stack)
    if table:
        return table, "the stack's output ledgerTable"
    *qualified, name = stack.split("/")
    project = qualified[1] if len(qualified) > 1 else _project(folder)
    if project is None:
        raise NoLedgerError(
            f"Nothing says which ledger is meant: {problem}, and no Pulumi.yaml at or above "
            f"{folder.resolve()} says a `name:`. Name the table with --ledger NAME or SELFHEAL_LEDGER=NAME."
        )
    return f"{project}-{name}{SUFFIX}", f"by convention, as {problem}"


def _project(folder: Path) -> str | None:
    found = project_folder(folder)
    return project_name(found) if found else None


def _of_outputs(pulumi: PulumiCli, folder: Path, stack: str) -> tuple[str | None, str]:
    """Return the stack's output, or what kept us from it."""
    if pulumi.executable is None:
        return None, "there is no Pulumi CLI"
    command = [str(pulumi.executable), "stack", "output", "--json", "--stack", stack, "--non-interactive"]
    quiet = {**pulumi.environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = answer_of(command, SECONDS, environment=quiet, folder=folder)
    if answer is None:
        return None, f"Pulumi did not answer within {SECONDS:.0f} s"
    if answer.code:
        return None, f"Pulumi does not tell the outputs of stack {stack}"
    try:
        table = json.loads(answer.text).get("ledgerTable")
    except (ValueError, AttributeError):
        return None, "Pulumi's answer could not be read"
    return (table, "") if isinstance(table, str) and table else (None, "the stack has no output ledgerTable")


def ledgers(dynamodb: Any) -> list[str]:
    """Return the tables of the region that look like ledgers; none where they may not be listed."""
    try:
        pages = dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"MaxItems": PAGES * 100})
        return [name for page in pages for name in page["TableNames"] if name.endswith(SUFFIX)]
    except (BotoCoreError, ClientError):
        return []
