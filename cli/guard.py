"""Which policy pack judges a deployment, and its process for the duration of one operation."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from cli.site import Site
from sandbox.engine.analyzer_api import Analyzer
from sandbox.policies import settings
from sandbox.policies.pack import Pack
from sandbox.policies.process import Stack

DEFAULT_FOLDER = "policies"
"""Of the project: a pack that is there judges, unless --no-policies says otherwise."""


@dataclass(frozen=True)
class Guard:
    """A pack and its configuration."""

    folder: Path
    config: dict[str, Any]


def choose(site: Site, pack: Path | None, config: Path | None, *, off: bool) -> Guard | None:
    """Return the pack that the options ask for; None for none.

    Args:
        site: The stack; its project may have a pack of its own.
        pack: Of --policy-pack.
        config: Of --policy-pack-config.
        off: Of --no-policies.

    Raises:
        typer.BadParameter: when the options contradict each other.
        sandbox.errors.PolicyPackError: when the configuration cannot be read.

    """
    if off and (pack or config):
        raise typer.BadParameter("give either --no-policies or a pack and its configuration, not both.")
    own = site.workspace.root / DEFAULT_FOLDER
    folder = pack or (own if (own / "PulumiPolicy.yaml").is_file() else None)
    if off or (folder is None and config is None):
        return None
    if folder is None:
        raise typer.BadParameter(
            f"--policy-pack-config configures a pack, and there is none in {own}. Name one: --policy-pack."
        )
    return Guard(folder.resolve(), settings.read(config) if config else {})


@contextmanager
def judges(guard: Guard | None, site: Site, operation: str) -> Generator[Sequence[Analyzer]]:
    """Run the pack, if there is one and the operation is one that packs judge.

    A pack is told once, at its start, which stack it judges and whether this is a preview; so every operation
    has a process of its own, as with the Pulumi CLI.
    """
    if guard is None or operation not in {"preview", "up"}:
        yield ()
        return
    stack = Stack(
        site.project.name, site.config.name, dry_run=operation == "preview", config=site.config.values
    )
    with Pack(guard.folder, stack, guard.config) as pack:
        yield (pack,)
