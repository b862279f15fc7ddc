"""The sandbox, an endpoint, or AWS: its clients, its region, and the Pulumi CLI that knows its stacks."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from boto3.session import Session
from botocore.config import Config

from selfheal.cli.console import Output, remark
from selfheal.cli.errors import CliError, NoLedgerError
from selfheal.cli.operator.ledger_name import PulumiCli
from selfheal.cli.operator.location import ENDPOINT_VARIABLE, Where
from selfheal.cli.sandbox.account import Workspace
from selfheal.cli.sandbox.connection import DEFAULT_REGION, connect, given_credentials
from selfheal.cli.sandbox.serve_record import listens, running
from selfheal.sandbox import pulumi_cli
from selfheal.sandbox.provider.clients import Clients, is_loopback

REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class ClientSource(Protocol):
    """Whatever hands out boto3 clients."""

    def get(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it."""


@dataclass
class OwnChain:
    """boto3 clients with boto3's own chain of credentials: environment, profile, role."""

    region: str
    _clients: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def get(self, service: str) -> Any:
        """Return the client of a service, made once."""
        if service not in self._clients:
            config = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
            session = Session(region_name=self.region)
            self._clients[service] = session.client(service, config=config)
        return self._clients[service]


@dataclass(frozen=True)
class Place:
    """Where a stack's ledger and healer are."""

    clients: ClientSource
    pulumi: PulumiCli
    said: str
    """What it is, for people."""


@contextmanager
def place(where: Where) -> Generator[Place]:
    """Provide a place; the emulator may be started meanwhile.

    Raises:
        NoLedgerError: when nothing has been deployed into the sandbox.
        CliError: when nothing says which region, or nobody answers at the endpoint of the environment.

    """
    if where.endpoint:
        region = where.region or where.file_region or DEFAULT_REGION
        credentials = given_credentials(where.endpoint, os.environ)
        yield Place(
            Clients(where.endpoint, region, credentials), _users_pulumi(), f"Endpoint {where.endpoint}"
        )
    elif not where.sandbox:
        region, source = _region(where)
        yield Place(OwnChain(region), _users_pulumi(), f"{_aws(where)}, region {region} ({source})")
    else:
        workspace = Workspace.here()
        if not workspace.emulator.is_dir() and not running(workspace.serve):
            raise NoLedgerError(
                "Nothing has been deployed into this checkout's sandbox. For a stack on AWS add --aws, for "
                "another endpoint --endpoint URL."
            )
        with connect(workspace, Output.make(json=True)) as here:
            region = where.region or where.file_region or here.region
            environment = pulumi_cli.environment(
                here.endpoint, region, here.credentials, workspace.backend(), home=pulumi_cli.HOME
            )
            executable = pulumi_cli.EXECUTABLE if pulumi_cli.EXECUTABLE.exists() else None
            pulumi = PulumiCli(executable, pulumi_cli.merged(os.environ, environment))
            yield Place(Clients(here.endpoint, region, here.credentials), pulumi, f"Sandbox, region {region}")


def _users_pulumi() -> PulumiCli:
    found = shutil.which("pulumi")
    return PulumiCli(Path(found) if found else None, os.environ)


def _aws(where: Where) -> str:
    """Return where boto3 goes to, for people.

    Raises:
        CliError: when the environment names an endpoint of this machine at which nobody answers.

    """
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    if not endpoint:
        return "AWS"
    if is_loopback(endpoint) and not listens(endpoint):
        raise CliError(
            f"{ENDPOINT_VARIABLE} is {endpoint}, where nobody answers: the `selfheal serve` of this "
            f"environment has ended. Start it again, or open a shell without {ENDPOINT_VARIABLE}."
        )
    if where.aws:
        remark(f"--aws goes to {endpoint}, because {ENDPOINT_VARIABLE} says so.", style="yellow")
    return f"{endpoint} ({ENDPOINT_VARIABLE})"


def _region(where: Where) -> tuple[str, str]:
    """Return the region on AWS, and what named it."""
    if where.region:
        return where.region, "--region"
    file = where.file_region
    for variable in REGION_VARIABLES:
        if region := os.environ.get(variable):
            if file and file != region:
                remark(f"The stack's file says aws:region {file}; {variable} counts.", style="yellow")
            return region, variable
    if file:
        return file, "aws:region of the stack's file"
    if region := Session().region_name:
        return str(region), "AWS profile"
    raise CliError(
        "Nothing says which region: name it with --region or AWS_REGION. Neither has the stack's file a line "
        "`aws:region` nor your AWS profile a region."
    )
