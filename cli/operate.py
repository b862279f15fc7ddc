"""One operation of the engine at a connection, with or without showing its progress."""

from collections.abc import Callable
from pathlib import Path

from cli.connection import Connection
from cli.console import Output
from cli.guard import Guard, judges
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
    guard: Guard | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    on_diagnostic: Callable[[Diagnostic], None] = lambda _: None,
) -> Result:
    """Run `up`, `preview`, `refresh` or `destroy`; a guard judges the first two.

    Raises:
        sandbox.errors.SandboxError: when it cannot begin; what goes wrong in it is in the result.

    """
    provider = AwsProvider(connection.endpoint, connection.region, connection.credentials)
    with judges(guard, site, operation) as analyzers:
        engine = Engine(
            site.project,
            site.config,
            StateFile(state),
            provider,
            on_event,
            on_diagnostic=on_diagnostic,
            analyzers=analyzers,
        )
        operations: dict[str, Callable[[], Result]] = {
            "up": engine.up,
            "preview": engine.preview,
            "refresh": engine.refresh,
            "destroy": engine.destroy,
        }
        return operations[operation]()


def operate_visibly(
    site: Site,
    state: Path,
    connection: Connection,
    operation: str,
    *,
    output: Output,
    guard: Guard | None = None,
) -> Result:
    """Run an operation and show its progress; raises as `operate` does.

    With a guard, an `up` runs a preview first, as the Pulumi CLI does: what a policy refuses must be refused
    before anything is touched, and what only a whole stack shows is known by then. If the preview fails, its
    result is returned.
    """
    if operation == "up" and guard is not None:
        with Reporter(output, f"preview of {site.config.name} with the policies of {guard.folder.name}"):
            preview = operate(site, state, connection, "preview", guard=guard)
        if not preview.ok:
            return preview
    with Reporter(output, f"{operation} of {site.config.name}") as reporter:
        return operate(
            site,
            state,
            connection,
            operation,
            guard=guard,
            on_event=reporter,
            on_diagnostic=lambda diagnostic: show_diagnostic(output, diagnostic),
        )
