"""A stack's ledger and healer, within reach; its configuration is not read."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from selfheal.cli.console import remark
from selfheal.cli.errors import NoLedgerError
from selfheal.cli.operator.aws_access import ClientSource, place
from selfheal.cli.operator.ledger import Deployment, read_deployment, read_incidents
from selfheal.cli.operator.ledger_name import ledger_name, ledgers
from selfheal.cli.operator.location import Where
from selfheal.cli.operator.mode_override import Kept, effective, read_mode
from selfheal.functions.shared.contract import Mode


@dataclass(frozen=True)
class Reach:
    """A stack's ledger and healer, within reach."""

    clients: ClientSource
    table: str
    healer: str | None
    """Name of the healer's function; None when it is not known."""
    baseline: Mode | None
    """None when it is not known."""
    baseline_from: str
    """Where the baseline was read, or why it is not known, for people."""
    options: str = ""
    """What a suggested command must repeat."""

    @property
    def dynamodb(self) -> Any:
        """Return the client that reads and writes the ledger."""
        return self.clients.get("dynamodb")

    def incidents(self) -> list[dict[str, Any]]:
        """Read every incident, open ones first.

        Raises:
            botocore.exceptions.ClientError: when the table cannot be read.

        """
        return read_incidents(self.dynamodb, self.table)

    def mode(self) -> tuple[Kept, Mode]:
        """Return the override as it is kept, and the most that the healer may do; raises as `incidents`."""
        kept = read_mode(self.dynamodb, self.table)
        return kept, effective(self.baseline, kept.override)

    def caller(self) -> str:
        """Return the ARN of whoever signs the calls."""
        return str(self.clients.get("sts").get_caller_identity()["Arn"])


@contextmanager
def reach(where: Where) -> Generator[Reach]:
    """Find the ledger and the healer, and say where; in the sandbox the emulator may be started meanwhile.

    Raises:
        NoLedgerError: when nothing says which table it is, or there is no such table.
        CliError: when the place itself is not there.

    """
    with place(where) as there:
        table, how = ledger_name(where.ledger, there.pulumi, where.folder, where.stack)
        remark(f"{there.said}, ledger {table} ({how}).")
        deployed = _deployed(where, there.clients.get("dynamodb"), table)
        healer = where.healer or deployed.healer
        yield Reach(there.clients, table, healer, *_baseline(deployed.mode), where.options)


def _deployed(where: Where, dynamodb: Any, table: str) -> Deployment:
    try:
        return read_deployment(dynamodb, table)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        there = ledgers(dynamodb)
        seen = f" Ledgers there: {', '.join(there)}." if there else ""
        raise NoLedgerError(
            f"There is no table {table} in {dynamodb.meta.region_name}.{seen} Name the table with "
            "--ledger NAME or SELFHEAL_LEDGER, or another --stack or --region"
            f"{'; this was the sandbox: for a stack on AWS add --aws' if where.sandbox else ''}."
        ) from error


def _baseline(text: str | None) -> tuple[Mode | None, str]:
    """Return the baseline and where it is from. One that is not known stops no kill switch."""
    if text is None:
        return None, "the ledger does not say it"
    with suppress(ValueError):
        return Mode(text), "as deployed"
    return None, f"{text!r} was deployed, which this version does not know"
