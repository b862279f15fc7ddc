"""Where a stack's ledger and healer are: in the sandbox, at an endpoint, or on AWS."""

import shlex
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import typer
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.connection import connect
from cli.console import Output
from cli.errors import CliError, NotDeployedError
from cli.ledger import read_deployment, read_incidents
from cli.modes import Kept, effective, read_mode
from cli.site import Site, exports
from functions.healer.words import Mode

DEFAULT_STACK = "dev"


class ClientSource(Protocol):
    """Whatever hands out boto3 clients."""

    def get(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it."""


@dataclass
class OwnChain:
    """boto3 clients with boto3's own chain of credentials: environment, profile, role."""

    region: str | None
    """None: of the environment or the profile."""
    _clients: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def get(self, service: str) -> Any:
        """Return the client of a service, made once."""
        if service not in self._clients:
            config = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
            session = Session(region_name=self.region)
            self._clients[service] = session.client(service, config=config)
        return self._clients[service]


@dataclass(frozen=True)
class Where:
    """What the options say about the place."""

    endpoint: str | None = None
    aws: bool = False
    ledger: str | None = None
    healer: str | None = None

    @classmethod
    def make(cls, endpoint: str | None, *, aws: bool, ledger: str | None, healer: str | None) -> "Where":
        """Check the options against each other.

        Raises:
            typer.BadParameter: when they contradict each other.

        """
        if aws and endpoint:
            raise typer.BadParameter(
                "--aws is AWS itself and --endpoint something else: give one of them, not both."
            )
        return cls(endpoint, aws, ledger, healer)

    def options(self, stack: str) -> str:
        """Return what a suggested command must repeat to reach the same place, with a space before it."""
        given = [f"--stack {stack}"] if stack != DEFAULT_STACK else []
        given += ["--aws"] if self.aws else []
        named = (("--endpoint", self.endpoint), ("--ledger", self.ledger), ("--healer", self.healer))
        given += [f"{option} {shlex.quote(value)}" for option, value in named if value]
        return "".join(f" {text}" for text in given)


@dataclass(frozen=True)
class Reach:
    """A stack's ledger and healer, within reach."""

    clients: ClientSource
    table: str
    healer: str | None
    """Name of the healer's function; None when it is not known."""
    baseline: Mode
    baseline_from: str
    """Where the baseline was read, for people."""
    options: str = ""
    """What a suggested command must repeat."""

    @property
    def dynamodb(self) -> Any:
        """Return the client that reads and writes the ledger."""
        return self.clients.get("dynamodb")

    def incidents(self) -> list[dict[str, Any]]:
        """Read every incident, open ones first.

        Raises:
            CliError: when there is no such table.
            botocore.exceptions.ClientError: when it cannot be read.

        """
        with self._table_named():
            return read_incidents(self.dynamodb, self.table)

    def mode(self) -> tuple[Kept, Mode]:
        """Return the override as it is kept, and the mode in effect; raises as `incidents` does."""
        with self._table_named():
            kept = read_mode(self.dynamodb, self.table)
        return kept, effective(self.baseline, kept.override)

    @contextmanager
    def _table_named(self) -> Generator[None]:
        """Say which table is missing, and how to name another."""
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            region = self.dynamodb.meta.region_name
            raise CliError(
                f"There is no table {self.table} in {region}. Choose the stack with --stack, the account and "
                "region by your AWS settings and the stack's `aws:region`, or the table with --ledger NAME."
            ) from error

    def caller(self) -> str:
        """Return the ARN of whoever signs the calls."""
        return str(self.clients.get("sts").get_caller_identity()["Arn"])


@contextmanager
def reach(site: Site, where: Where, output: Output) -> Generator[Reach]:
    """Find the ledger and the healer, and say where; in the sandbox the emulator may be started meanwhile.

    Raises:
        NotDeployedError: when the stack is not deployed there and --ledger does not name a table.
        CliError: when the stack has no ledger, or its mode is none that this version knows.

    """
    if where.aws:
        region = site.config.values.get("aws:region")
        table = where.ledger or f"{site.project.name}-{site.config.name}-ledger"
        output.say(f"Using AWS{f', region {region}' if region else ''}: the table {table}.")
        yield _within(site, where, OwnChain(region), table)
        return
    outputs = _outputs(site, where)
    table = where.ledger or outputs.get("ledgerTable")
    if not table:
        name = site.config.name
        raise CliError(f"Stack {name} exports no `ledgerTable`: run `selfheal up --stack {name}` again.")
    with connect(site.workspace, where.endpoint, site.region, output) as connection:
        yield _within(site, where, connection.clients, str(table))


def _outputs(site: Site, where: Where) -> dict[str, Any]:
    try:
        return exports(site, where.endpoint)
    except NotDeployedError:
        # Deployed by the real Pulumi CLI, perhaps: its state is not ours to read.
        if where.ledger:
            return {}
        raise


def _within(site: Site, where: Where, clients: ClientSource, table: str) -> Reach:
    """Read what was deployed; where the ledger does not say, by an older version, the stack's file counts."""
    deployed = read_deployment(clients.get("dynamodb"), table)
    healer = where.healer or (deployed.healer if deployed else None)
    options = where.options(site.config.name)
    if deployed is not None:
        return Reach(clients, table, healer, _mode(deployed.mode), "as deployed", options)
    configured = site.config.values.get(f"{site.project.name}:mode", Mode.OBSERVE)
    return Reach(clients, table, healer, _mode(configured), f"Pulumi.{site.config.name}.yaml", options)


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError as error:
        raise CliError(
            f"The stack's mode is {text!r}; this version knows {', '.join(Mode)}. "
            "Use the selfheal of the version that deployed it."
        ) from error
