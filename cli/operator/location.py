"""The options that say where a stack's ledger is, declared once for every operator command."""

import inspect
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, cast

import typer

from selfheal.cli.console import Output
from selfheal.cli.options import (
    ENDPOINT_VARIABLE,
    Aws,
    Endpoint,
    HealerName,
    Json,
    LedgerName,
    Region,
    Stack,
)
from selfheal.cli.project_files import project_folder, stack_region

DEFAULT_STACK = "dev"


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a stack's ledger is. Each field but `folder` is an option of the same name."""

    stack: Stack = DEFAULT_STACK
    endpoint: Endpoint = None
    aws: Aws = False
    ledger: LedgerName = None
    region: Region = None
    healer: HealerName = None
    folder: Path = Path()
    """Where a project is looked for; there need not be one."""

    def __post_init__(self) -> None:
        """Check the options against each other.

        Raises:
            typer.BadParameter: when they contradict each other.

        """
        if self.aws and self.endpoint:
            raise typer.BadParameter(
                "--aws means AWS itself and --endpoint another place: give one of them, not both."
            )

    @property
    def file_region(self) -> str | None:
        """The line `aws:region` of the stack's file, if there is one."""
        project = project_folder(self.folder)
        return stack_region(project, self.stack.rpartition("/")[2]) if project else None

    @property
    def is_sandbox(self) -> bool:
        """Whether nothing names AWS or another endpoint."""
        return not (self.aws or self.endpoint or os.environ.get(ENDPOINT_VARIABLE))

    def as_options(self) -> str:
        """Return the options with which another command finds the same ledger, with a space before them."""
        given = [f"--stack {self.stack}"] if self.stack != DEFAULT_STACK else []
        given += ["--aws"] if self.aws else []
        # Not --healer: the commands that only read, which most hints name, do not have it.
        for name in ("endpoint", "ledger", "region"):
            if value := getattr(self, name):
                given.append(f"--{name} {shlex.quote(value)}")
        return "".join(f" {text}" for text in given)


def with_location(
    command: Callable[..., None], *, wakes: bool = True, ledger: bool = True
) -> Callable[..., None]:
    """Replace a command's parameters `location` and `output` by the options that they are made of.

    Args:
        command: A command for Typer with keyword parameters `location: Location`, `output: Output` and, if
            it needs that, `ctx`.
        wakes: Whether it may wake the healer, so that it has the option --healer.
        ledger: Whether it reads the ledger, so that it has the option --ledger.

    """
    left_out = {"folder", *(() if wakes else ("healer",)), *(() if ledger else ("ledger",))}
    declared = inspect.signature(Location).parameters
    options = [parameter for name, parameter in declared.items() if name not in left_out]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options.append(inspect.Parameter("json", keyword, default=False, annotation=Json))
    signature = inspect.signature(command)
    replaced = {"ctx", "location", "output"}
    own = [parameter for name, parameter in signature.parameters.items() if name not in replaced]

    @wraps(command)
    def run(ctx: typer.Context, **given: Any) -> None:
        output = Output.make(json=given.pop("json"))
        folder = Path(ctx.find_root().params.get("cwd") or ".")
        location = Location(folder=folder, **{name: given.pop(name) for name in declared if name in given})
        if "ctx" in signature.parameters:
            given["ctx"] = ctx
        command(**given, location=location, output=output)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    cast("Any", run).__signature__ = signature.replace(parameters=[context, *own, *options])
    return run
