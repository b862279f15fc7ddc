"""Where AWS is for an operator command: its clients, its region, and the Pulumi CLI that knows its stacks."""

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from boto3.session import Session
from botocore.config import Config

from selfheal.cli.console import Output, remark
from selfheal.cli.errors import CliError
from selfheal.cli.operator.location import Location
from selfheal.cli.options import ENDPOINT_VARIABLE
from selfheal.cli.sandbox.account import Account, connect, is_listening
from selfheal.sandbox.clients import Clients, Credentials, is_loopback
from selfheal.sandbox.emulator import REGION, ROOT
from selfheal.sandbox.pulumi import cli as pulumi_cli

REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class ClientSource(Protocol):
    """Whatever hands out boto3 clients."""

    def get(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it."""


class PatientSource(ClientSource, Protocol):
    """One that also hands out clients for calls that take long and must not be repeated."""

    def patient(self, seconds: int) -> ClientSource:
        """Return clients that send each call once, and wait that long for its answer."""
        ...


@dataclass
class DefaultClients:
    """boto3 clients with boto3's default chain of credentials: environment, profile, role."""

    region: str
    attempts: int = 3
    """Attempts of one call, the first included."""
    read_timeout: int = 60
    """Seconds to wait for an answer."""
    _clients: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def get(self, service: str) -> Any:
        """Return the client of a service, made once."""
        if service not in self._clients:
            retries = {"mode": "standard", "total_max_attempts": self.attempts}
            config = Config(connect_timeout=5, read_timeout=self.read_timeout, retries=retries)
            session = Session(region_name=self.region)
            self._clients[service] = session.client(service, config=config)
        return self._clients[service]

    def patient(self, seconds: int) -> "DefaultClients":
        """Return clients that send each call once, and wait that long for its answer."""
        return DefaultClients(self.region, attempts=1, read_timeout=seconds)


@dataclass(frozen=True)
class AwsAccess:
    """AWS, an endpoint or the sandbox, ready for calls."""

    clients: PatientSource
    description: str
    """Which of them it is, for people."""
    pulumi: Path | None
    """The Pulumi CLI that may know the stack's outputs; None where there is none."""
    environment: Mapping[str, str]
    """The whole environment for the Pulumi CLI."""


@contextmanager
def aws_access(location: Location) -> Generator[AwsAccess]:
    """Connect to where a location is; may run the sandbox's emulator meanwhile.

    Raises:
        CliError: when nothing has been deployed into the sandbox, no region is named, or nobody answers at
            the endpoint of the environment.

    """
    if location.is_sandbox:
        with _sandbox_access(location) as access:
            yield access
        return
    found = shutil.which("pulumi")
    pulumi = Path(found) if found else None
    if location.endpoint:
        region = location.region or location.file_region or REGION
        clients = Clients(location.endpoint, region, endpoint_credentials(location.endpoint, os.environ))
        yield AwsAccess(clients, f"Endpoint {location.endpoint}", pulumi, os.environ)
    else:
        where = _aws(location)
        region, source = _region(location)
        yield AwsAccess(_clients(region), f"{where}, region {region} ({source})", pulumi, os.environ)


@contextmanager
def _sandbox_access(location: Location) -> Generator[AwsAccess]:
    account = Account.of_checkout()
    if not account.emulator.is_dir() and not account.running_serve():
        raise CliError(
            "Nothing has been deployed into this checkout's sandbox. For a stack on AWS add --aws, for "
            "another endpoint --endpoint URL."
        )
    with connect(account, Output.make(json=True)) as found:
        region = location.region or location.file_region or found.region
        connection = replace(found, region=region)
        environment = pulumi_cli.merged(os.environ, account.environment(connection))
        pulumi = pulumi_cli.EXECUTABLE if pulumi_cli.EXECUTABLE.exists() else None
        yield AwsAccess(connection.clients, f"Sandbox, region {region}", pulumi, environment)


def _clients(region: str) -> PatientSource:
    """Return boto3's clients for AWS. An emulator of this machine gets the same ones as by --endpoint."""
    endpoint = os.environ.get(ENDPOINT_VARIABLE, "")
    if not is_loopback(endpoint):
        return DefaultClients(region)
    return Clients(endpoint.rstrip("/"), region, endpoint_credentials(endpoint, os.environ))


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
    if not is_loopback(os.environ.get(ENDPOINT_VARIABLE, "")) and (region := Session().region_name):
        return str(region), "AWS profile"
    raise CliError(
        "Nothing says which region: name it with --region or AWS_REGION. Neither has the stack's file a line "
        "`aws:region` nor your AWS profile a region."
    )
