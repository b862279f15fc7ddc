"""Checks of what runs here: the Pulumi CLI, the AWS provider, and the stack's configuration."""

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.stack_outputs import NO_STACK
from selfheal.cli.processes import Completed, run_quietly
from selfheal.cli.project_files import project_folder

SECONDS = 15.0
"""How long the Pulumi CLI may take for an answer."""


def check_tools(access: AwsAccess, location: Location, deployed: Deployed) -> Iterator[Check]:
    """Look at the Pulumi CLI, the provider and the configuration, as far as there is a project here."""
    what = "Pulumi CLI"
    if access.pulumi is None:
        do = "Install it where you deploy: https://www.pulumi.com/docs/install. Operating does not need it."
        yield Check("pulumi.cli", what, State.WARN, "there is none on PATH", do)
        return
    version = _ask(access, location.folder, "version")
    if version is None:
        do = "Run `pulumi version` yourself; it hangs where its backend or a plugin does not answer."
        yield Check("pulumi.cli", what, State.FAIL, f"{access.pulumi} does not tell its version", do)
        return
    yield _at_least("pulumi.cli", what, version.strip().removeprefix("v"), _pinned("pulumi"))
    folder = project_folder(location.folder)
    if folder is None:
        found = f"no Pulumi.yaml at or above {location.folder.resolve()}"
        yield Check(
            "pulumi.config", "stack's configuration", State.WARN, found, "Run it in the project's folder."
        )
        return
    yield _provider(access, folder)
    yield _configuration(access, folder, location, deployed)


def _ask(access: AwsAccess, folder: Path, *arguments: str) -> str | None:
    done = _run(access, folder, *arguments)
    return None if done is None or done.code else done.output


def _run(access: AwsAccess, folder: Path, *arguments: str) -> Completed | None:
    environment = {**access.environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = [str(access.pulumi), *arguments]
    return run_quietly(command, SECONDS, environment=environment, folder=folder)


def _document(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _pinned(package: str) -> str | None:
    """Return the version of a package that is installed here; None where only the CLI is."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _at_least(name: str, what: str, found: str, wanted: str | None) -> Check:
    """Compare versions: the CLI may be newer than the Python package, within one major version."""
    has, needs = _numbers(found), _numbers(wanted or "")
    if not needs or (has[:1] == needs[:1] and has >= needs):
        return Check(name, what, State.OK, found)
    do = f"Use {wanted} or a later one of the same major version: with another nothing here has been tried."
    return Check(name, what, State.WARN, f"{found}; the Python package is {wanted}", do)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split("-", maxsplit=1)[0].split(".") if part.isdecimal()]


def _provider(access: AwsAccess, folder: Path) -> Check:
    name, what, wanted = "pulumi.provider", "AWS provider", _pinned("pulumi-aws")
    listed = _document(_ask(access, folder, "plugin", "ls", "--json"))
    if not isinstance(listed, list):
        return Check(name, what, State.UNKNOWN, "`pulumi plugin ls` does not tell", "Run it yourself.")
    plugins: list[Any] = listed  # pyright: ignore[reportUnknownVariableType]
    found = [str(each.get("version")) for each in plugins if each.get("name") == "aws"]
    if wanted is None or wanted in found:
        return Check(name, what, State.OK, wanted or ", ".join(found))
    do = "`pulumi up` downloads it. Where it cannot: `pulumi plugin install resource aws` from a mirror."
    return Check(
        name, what, State.WARN, f"{wanted} is not installed; there is {', '.join(found) or 'none'}", do
    )


def _configuration(access: AwsAccess, folder: Path, location: Location, deployed: Deployed) -> Check:
    name, what = "pulumi.config", "stack's configuration"
    done = _run(access, folder, "config", "--json", "--stack", location.stack, "--non-interactive")
    found = _document(done.output) if done is not None and not done.code else None
    if not isinstance(found, dict):
        if location.is_sandbox and done is not None and NO_STACK in done.reason:
            do = f"selfheal pulumi stack init {location.stack}"
            return Check(name, what, State.UNKNOWN, f"there is no stack {location.stack}", do)
        do = "Run `pulumi config` in the project's folder; log in with `pulumi login` if it asks for that."
        return Check(name, what, State.UNKNOWN, f"Pulumi does not tell that of stack {location.stack}", do)
    values: dict[str, Any] = found  # pyright: ignore[reportUnknownVariableType]
    configured = {key: str(each.get("value")) for key, each in values.items() if not each.get("secret")}
    region, mode = access.clients.get("sts").meta.region_name, deployed.environment.get("MODE")
    if configured.get("aws:region", region) != region:
        return Check(
            name,
            what,
            State.WARN,
            f"aws:region is {configured['aws:region']}, and this looks at {region}",
            "Name the region with --region, or set `pulumi config set aws:region`.",
        )
    wanted = next((value for key, value in configured.items() if key.endswith(":mode")), mode)
    if mode and wanted != mode:
        found_is = f"the mode is {wanted} in configuration, and {mode} is deployed"
        return Check(name, what, State.WARN, found_is, "Deploy the stack, or set the mode back.")
    return Check(name, what, State.OK, f"{len(values)} keys, region {region}, mode {mode or 'not known'}")
