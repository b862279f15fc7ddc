"""Which stack is meant, and where it is: what the options say, checked against each other."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import typer

from selfheal.cli.project_files import project_folder, stack_region

DEFAULT_STACK = "dev"

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
"""Sends boto3, and so us, to another place than AWS."""


@dataclass(frozen=True)
class Where:
    """What the options say about the place."""

    stack: str = DEFAULT_STACK
    """As --stack has it, perhaps with organisation and project before it."""
    folder: Path = Path()
    """Where a project is looked for; there need not be one."""
    endpoint: str | None = None
    aws: bool = False
    ledger: str | None = None
    region: str | None = None
    healer: str | None = None

    @classmethod
    def make(
        cls,
        ctx: typer.Context,
        stack: str,
        endpoint: str | None,
        *,
        aws: bool,
        ledger: str | None,
        region: str | None,
        healer: str | None = None,
    ) -> "Where":
        """Check the options against each other.

        Raises:
            typer.BadParameter: when they contradict each other.

        """
        if aws and endpoint:
            raise typer.BadParameter(
                "--aws is AWS itself and --endpoint something else: give one of them, not both."
            )
        folder = Path(ctx.find_root().params.get("cwd") or ".")
        return cls(stack, folder, endpoint, aws, ledger, region, healer)

    @property
    def options(self) -> str:
        """What a suggested command must repeat to reach the same place, with a space before it."""
        given = [f"--stack {self.stack}"] if self.stack != DEFAULT_STACK else []
        given += ["--aws"] if self.aws else []
        named = (
            ("--endpoint", self.endpoint),
            ("--ledger", self.ledger),
            ("--region", self.region),
            ("--healer", self.healer),
        )
        given += [f"{option} {shlex.quote(value)}" for option, value in named if value]
        return "".join(f" {text}" for text in given)

    @property
    def file_region(self) -> str | None:
        """`aws:region` of the stack's file, if there is one that says it."""
        project = project_folder(self.folder)
        return stack_region(project, self.stack.rpartition("/")[2]) if project else None

    @property
    def sandbox(self) -> bool:
        """Whether it is the sandbox: nothing names another place."""
        return not (self.aws or self.endpoint or os.environ.get(ENDPOINT_VARIABLE))
