"""The AWS endpoint of a command: a running `selfheal serve`, or an emulator of its own."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from selfheal.cli.console import Output
from selfheal.cli.errors import CliError
from selfheal.cli.sandbox.account import Workspace
from selfheal.cli.sandbox.serve_record import running
from selfheal.sandbox.clock import Clock
from selfheal.sandbox.emulator import REGION, ROOT, Emulator, EmulatorError
from selfheal.sandbox.provider.clients import Clients, Credentials, is_loopback


@dataclass(frozen=True)
class Connection:
    """An AWS endpoint and the key for it."""

    endpoint: str
    region: str
    credentials: Credentials

    @property
    def clients(self) -> Clients:
        """Return boto3 clients for it, which read nothing from the environment."""
        return Clients(self.endpoint, self.region, self.credentials)


@contextmanager
def connect(workspace: Workspace, output: Output) -> Generator[Connection]:
    """Say which endpoint is used, and run the checkout's emulator and its clock meanwhile if no `serve` does.

    Args:
        workspace: The sandbox's files.
        output: Where to say it.

    Raises:
        BusyError: when another command runs the checkout's emulator.
        EmulatorError: when the emulator does not start.

    """
    if record := running(workspace.serve):
        output.say(f"Using {record.endpoint} of `selfheal serve` (process {record.pid}).")
        yield Connection(record.endpoint, record.region, ROOT)
        return
    with workspace.own_emulator(), start(workspace, None) as emulator:
        output.say(f"Using an emulator of its own at {emulator.endpoint}, for as long as this command runs.")
        with Clock(emulator.endpoint, emulator.region, emulator.credentials):
            yield Connection(emulator.endpoint, emulator.region, emulator.credentials)


def start(workspace: Workspace, port: int | None) -> Emulator:
    """Start the emulator, its data kept, on the given port, or the one it had before, or a free one.

    Raises:
        EmulatorError: when it does not start, or a given port is taken.

    """
    before = workspace.port()
    if port is None and before is not None:
        try:
            emulator = Emulator.start(workspace.emulator, persist=True, port=before)
        except EmulatorError:
            # Someone else has that port now. A real failure to start shows itself again below.
            emulator = Emulator.start(workspace.emulator, persist=True)
    else:
        emulator = Emulator.start(workspace.emulator, persist=True, port=port)
    workspace.remember_port(urlsplit(emulator.endpoint).port or 0)
    return emulator


def given_credentials(endpoint: str, environment: Mapping[str, str]) -> Credentials:
    """Return the key for a given endpoint: of the environment, or test/test on loopback.

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


DEFAULT_REGION = REGION
"""Of a given endpoint whose stack file names no `aws:region`."""
