"""One operation of the engine at a connection, with or without showing its progress."""

from collections.abc import Callable
from pathlib import Path

from cli.connection import Connection
from cli.console import Output
from cli.progress import Reporter, show_diagnostic
from cli.site import Site
from sandbox.engine.engine import Engine
from sandbox.engine.events import Diagnostic, Event, Result
from sandbox.engine.state_file import StateFile
from sandbox.provider.provider import AwsProvider


def operate(
    site: Site,
    state: Path,
    connection: Connection,
    operation: str,
    *,
    on_event: Callable[[Event], None] = lambda _: None,
    on_diagnostic: Callable[[Diagnostic], None] = lambda _: None,
) -> Result:
    """Run `up`, `preview`, `refresh` or `destroy`.

    Raises:
        sandbox.errors.SandboxError: when it cannot begin; what goes wrong in it is in the result.

    """
    provider = AwsProvider(connection.endpoint, connection.region, connection.credentials)
    engine = Engine(
        site.project, site.config, StateFile(state), provider, on_event, on_diagnostic=on_diagnostic
    )
    operations: dict[str, Callable[[], Result]] = {
        "up": engine.up,
        "preview": engine.preview,
        "refresh": engine.refresh,
        "destroy": engine.destroy,
    }
    return operations[operation]()


def operate_visibly(
    site: Site, state: Path, connection: Connection, operation: str, *, output: Output
) -> Result:
    """Run an operation and show its progress; raises as `operate` does."""
    with Reporter(output, f"{operation} of {site.config.name}") as reporter:
        return operate(
            site,
            state,
            connection,
            operation,
            on_event=reporter,
            on_diagnostic=lambda diagnostic: show_diagnostic(output, diagnostic),
        )
