"""Where AWS is for an operator command: its clients, its region, and the Pulumi CLI that knows its stacks."""

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from boto3.session import Session
from botocore.config import Config

from selfheal.cli.console import Output, remark
from selfheal.cli.errors import CliError, NoLedgerError
from selfheal.cli.operator.location import Location
from selfheal.cli.options import ENDPOINT_VARIABLE
from selfheal.cli.sandbox.account import Account, connect, is_listening
from selfheal.sandbox import pulumi_cli
from selfheal.sandbox.emulator import REGION, ROOT
from selfheal.sandbox.provider.clients import Clients, Credentials, is_loopback

REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class ClientSource(Protocol):
    """Whatever hands out boto3 clients."""

    def get(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it."""


@dataclass
class DefaultClients:
    """boto3 clients with boto3's default chain of credentials: environment, profile, role."""

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
class PulumiCli:
    """The Pulumi CLI that may know the stack's outputs."""

    executable: Path | None
    """None where there is none."""
    environment: Mapping[str, str]
    """The whole environment it runs in."""


@dataclass(frozen=True)
class AwsAccess:
    """AWS, an endpoint or the sandbox, ready for calls."""

    clients: ClientSource
    pulumi: PulumiCli
    description: str
    """Which of them it is, for people."""


@contextmanager
def aws_access(location: Location) -> Generator[AwsAccess]:
    """Connect to where a location is; may run the sandbox's emulator meanwhile.

    Raises:
        NoLedgerError: when nothing has been deployed into the sandbox.
        CliError: when no region is named, or nobody answers at the endpoint of the environment.

    """
    if location.is_sandbox:
        with _sandbox_access(location) as access:
            yield access
        return
    found = shutil.which("pulumi")
    pulumi = PulumiCli(Path(found) if found else None, os.environ)
    if location.endpoint:
        region = location.region or location.file_region or REGION
        clients = Clients(location.endpoint, region, endpoint_credentials(location.endpoint, os.environ))
        yield AwsAccess(clients, pulumi, f"Endpoint {location.endpoint}")
    else:
        region, source = _region(location)
        yield AwsAccess(DefaultClients(region), pulumi, f"{_aws(location)}, region {region} ({source})")


@contextmanager
def _sandbox_access(location: Location) -> Generator[AwsAccess]:
    account = Account.of_checkout()
    if not account.emulator.is_dir() and not account.running_serve():
        raise NoLedgerError(
            "Nothing has been deployed into this checkout's sandbox. For a stack on AWS add --aws, for "
            "another endpoint --endpoint URL."
        )
    with connect(account, Output.make(json=True)) as connection:
        region = location.region or location.file_region or connection.region
        environment = pulumi_cli.environment(
            connection.endpoint, region, connection.credentials, account.backend(), home=pulumi_cli.HOME
        )
        executable = pulumi_cli.EXECUTABLE if pulumi_cli.EXECUTABLE.exists() else None
        pulumi = PulumiCli(executable, pulumi_cli.merged(os.environ, environment))
        clients = Clients(connection.endpoint, region, connection.credentials)
        yield AwsAccess(clients, pulumi, f"Sandbox, region {region}")


def endpoint_credentials(endpoint: str, environment: Mapping[str, str]) -> Credentials:
    """Return the key for an endpoint that was given: of the environment, or test/test on loopback.

    Raises:
        CliError: when there is none and the endpoint is not on this machine.

    """
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(key, secret, environment.get("AWS_SESSION_TOKEN") or None)
    if key or secret:
        raise CliError("Only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set: set both, or none.")
    if is_loopback(endpoint):
        return ROOT
    raise CliError(
        f"No credentials for {endpoint}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
        "Only an endpoint on this machine is used with test/test."
    )


def _aws(location: Location) -> str:
    """Return where boto3 sends calls, for people.

    Raises:
        CliError: when the environment names an endpoint of this machine at which nobody answers.

    """
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    if not endpoint:
        return "AWS"
    if is_loopback(endpoint) and not is_listening(endpoint):
        raise CliError(
            f"{ENDPOINT_VARIABLE} is {endpoint}, where nobody answers: the `selfheal serve` of this "
            f"environment has ended. Start it again, or open a shell without {ENDPOINT_VARIABLE}."
        )
    if location.aws:
        remark(f"--aws goes to {endpoint}, because {ENDPOINT_VARIABLE} says so.", style="yellow")
    return f"{endpoint} ({ENDPOINT_VARIABLE})"


def _region(location: Location) -> tuple[str, str]:
    """Return the region on AWS, and what named it."""
    if location.region:
        return location.region, "--region"
    file = location.file_region
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
