"""The `selfheal` command: its commands, and how errors and signals end it."""

import json
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)
from typer.core import TyperGroup
from typer.exceptions import TyperException

from selfheal.cli.commands import Loaded, reflow
from selfheal.cli.console import complain
from selfheal.cli.errors import CliError, Terminated
from selfheal.cli.exits import ExitCode, epilog
from selfheal.sandbox.errors import SandboxError


class Commands(TyperGroup):
    """The root command: prints an error of the project as one message, and turns signals into exit codes."""

    _for_script = False
    """Whether a script reads standard output: --json is anywhere in the arguments."""

    def __init__(self, **settings: Any) -> None:
        """Have every command, without having loaded it."""
        super().__init__(**settings)
        self.commands = Loaded()

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Take the options before the command. What is wrong with them is told to scripts, too."""
        self._for_script = any(word.partition("=")[0] == "--json" for word in args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except TyperException as error:
            self._tell_script(None, error.format_message(), ExitCode.USAGE)
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as signalled:
            text = "interrupted; nothing that it started is left running"
            code = ExitCode.TERMINATED if isinstance(signalled, Terminated) else ExitCode.INTERRUPTED
            cause: BaseException = signalled
        except TyperException as error:
            # It is about the command line, and Typer prints it for people.
            self._tell_script(ctx, error.format_message(), ExitCode.USAGE)
            raise
        except (CliError, SandboxError, BotoCoreError, ClientError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            text, code, cause = explained(error), ExitCode.FAILED, error
        complain(text)
        self._tell_script(ctx, text, code)
        raise typer.Exit(code) from cause

    def _tell_script(self, ctx: Any, text: str, code: ExitCode) -> None:
        """Print the error as a JSON document if --json was given. Pulumi prints its own.

        It is one line, as some commands print a document a line.
        """
        if self._for_script and (ctx is None or ctx.invoked_subcommand != "pulumi"):
            typer.echo(json.dumps({"error": text, "exit_code": int(code)}, ensure_ascii=False))


def explained(error: Exception) -> str:
    """Return what is wrong and, where the text of a library does not say it, what to do next."""
    match error:
        case EndpointConnectionError() | ConnectTimeoutError():
            return (
                f"{error}: nobody answers there. Look at --endpoint and AWS_ENDPOINT_URL, and whether what "
                "serves it runs (for the sandbox: selfheal serve)."
            )
        case NoCredentialsError():
            return (
                f"{error} for AWS. Log in, name a profile with AWS_PROFILE, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` shows who you are."
            )
        case OSError() if error.filename:
            return f"{error.filename}: {error.strerror}. Make it readable and writable, or name another."
        case _:
            return str(error)


app = typer.Typer(
    name="selfheal",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=epilog(
        "selfheal demo                     see it heal, from nothing, in four minutes",
        "selfheal demo-orders              see that no order is lost, in three",
        "selfheal pulumi up                deploy into the sandbox",
        "selfheal serve &                  keep the sandbox running for all that follows",
        "selfheal doctor --aws -s prod     would it work in an incident?",
        "selfheal incidents --aws -s prod  is anything open on AWS?",
        found="something was found: see the command's own help",
    ),
)


ABOUT = """
Operate a self-healing serverless platform, on your laptop and on AWS.

Pulumi previews, deploys and destroys it. On the laptop `selfheal pulumi ...` runs the real Pulumi CLI in a
sandbox, with an AWS emulator and an alarm evaluator for its AWS: no account, no docker. It is not AWS. The
emulator runs as long as a command does, unless `selfheal serve` runs: then that one is used.
Everything is kept in .selfheal/ of the checkout, or in the folder that SELFHEAL_HOME names.

`watch`, `incidents`, `mode`, `approve`, `rollback`, `release`, `restore`, `accept`, `close`, `breaker`,
`dlq`, `replay`, `doctor` and `chaos` work alike on AWS, with --aws or where AWS_ENDPOINT_URL is set. They
need no checkout, and but for `doctor` they read no stack configuration.
"""


def _version(value: bool) -> None:
    if value:
        typer.echo(f"selfheal {metadata.version('selfheal')}")
        raise typer.Exit


@app.callback(help=reflow(ABOUT))
def root(
    cwd: Annotated[
        Path | None,
        typer.Option(
            "--cwd", "-C", metavar="FOLDER", exists=True, file_okay=False, help="Work as if started there."
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options of every command."""
    _ = cwd, debug, version  # read by the commands through their context


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: the entry point of the package."""
    signal.signal(signal.SIGTERM, _terminate)
    app(args=list(arguments) if arguments is not None else sys.argv[1:])
