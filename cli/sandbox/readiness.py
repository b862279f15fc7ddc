"""Checks before the Pulumi CLI is run: without what it needs, it does not fail but hangs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from selfheal.cli.errors import CliError
from selfheal.cli.processes import run_quietly
from selfheal.sandbox.pulumi.plugin.install import is_of_this_checkout, provider_version

VERSION_SECONDS = 15.0
"""How long `pulumi version` may take. Usual is 0.1 s."""


def require_ready(
    executable: Path, home: Path, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path
) -> None:
    """Check the plugin, the CLI, and the interpreter of each policy pack that the arguments name.

    Args:
        executable: The Pulumi CLI.
        home: Its PULUMI_HOME.
        arguments: What it is to be run with.
        environment: Its whole environment.
        folder: Where it is to be run.

    Raises:
        CliError: with what to do.

    """
    plugin = home / "plugins" / f"resource-aws-v{provider_version()}"
    if not plugin.is_dir():
        raise CliError(
            f"The laptop's AWS provider is not installed: there is no {plugin}, the version that "
            "requirements.txt names. Run `make setup` in the checkout."
        )
    if not is_of_this_checkout(home):
        raise CliError(
            f"The laptop's AWS provider in {home} belongs to another checkout, or this one was moved. Run "
            "`make clean setup` in the checkout."
        )
    quiet = {**environment, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    done = run_quietly([str(executable), "version"], VERSION_SECONDS, environment=quiet, folder=folder)
    if done is None or done.code or not done.output.strip():
        how = "does not start or answer" if done is None else f"ended with exit code {done.code}"
        raise CliError(
            f"{executable} {how} when asked for its version (allowed: {VERSION_SECONDS:.0f} s). Remove it "
            "and run `make setup` in the checkout again."
        )
    for pack in packs(arguments, folder):
        _require_interpreter(pack)


def packs(arguments: Sequence[str], folder: Path) -> list[Path]:
    """Return the folders of the policy packs that Pulumi's arguments name."""
    base = folder
    for value in _values(arguments, "--cwd", "-C"):
        base = base / value
    listed = (part for value in _values(arguments, "--policy-pack") for part in value.split(","))
    return [base / part for part in listed if (base / part / "PulumiPolicy.yaml").is_file()]


def _values(arguments: Sequence[str], *names: str) -> Iterator[str]:
    """Return the values of an option, as `--option VALUE` or `--option=VALUE`."""
    words = iter(arguments)
    for word in words:
        if word == "--":
            return
        name, equals, value = word.partition("=")
        if name in names:
            yield value if equals else next(words, "")


def _require_interpreter(pack: Path) -> None:
    """Raise where a pack in Python has not the virtual environment that it names."""
    try:
        runtime: Any = yaml.safe_load((pack / "PulumiPolicy.yaml").read_text(encoding="utf-8"))["runtime"]
        named = str(runtime["options"]["virtualenv"]) if runtime["name"] == "python" else None
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return  # malformed, or of no environment of its own: Pulumi says so, and does not hang
    if named is not None and not (pack / named / "bin" / "python").exists():
        raise CliError(
            f"The policy pack {pack} has no interpreter: there is no {pack / named / 'bin' / 'python'}, and "
            f"without it Pulumi hangs. Run `pulumi install` in {pack}; in this checkout `make setup`."
        )
