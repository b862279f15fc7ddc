"""The Pulumi CLI of the checkout, its environment for the sandbox, and stacks for it.

`make setup` installs it in `.pulumi/bin` (see tools/), and the sandbox's AWS provider in `.pulumi/home`.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from selfheal import SOURCE
from selfheal.sandbox.clients import Credentials
from selfheal.sandbox.errors import SandboxError

FOLDER = SOURCE / ".pulumi"
"""Made by `make setup`: `bin/pulumi`, which may be a link, and `home`, a PULUMI_HOME with the plugins."""

EXECUTABLE = FOLDER / "bin" / "pulumi"

HOME = FOLDER / "home"

UNSET = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("PULUMI_ACCESS_TOKEN", "PULUMI_STACK"),
)
"""Variables of the user that would override the environment below."""

LOCAL = ("127.0.0.1", "localhost")

_INIT_SECONDS = 60.0


class NoPulumiError(SandboxError):
    """There is no Pulumi CLI in the checkout."""


def executable() -> Path:
    """Return the checkout's Pulumi CLI. Raises NoPulumiError where there is none."""
    if not EXECUTABLE.exists():  # a broken link does not
        raise NoPulumiError(
            "This checkout has no Pulumi CLI: `make setup` found none on PATH, could download none, and had "
            "no Go to build one with. Install Go 1.26.6 or the Pulumi CLI, then run `make setup` again."
        )
    return EXECUTABLE


def environment(
    endpoint: str, region: str, credentials: Credentials, backend: Path, *, home: Path = HOME
) -> dict[str, str]:
    """Return the variables with which the CLI, its plugins and boto3 use an emulator.

    Args:
        endpoint: Of the emulator, for example `http://127.0.0.1:4566`.
        region: Of its resources.
        credentials: A key of the emulator.
        backend: Existing folder for the stacks' state.
        home: The PULUMI_HOME, with the provider among its plugins.

    Add them to the user's environment and remove what `unset` names from it, as `merged` does.

    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,  # boto3 does not read AWS_REGION
        # The user's profiles and regions must have no effect.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Fail at once if a plugin is missing: behind a proxy that does not answer, its download would hang.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "no_grpc_proxy": "127.0.0.1",  # otherwise gRPC sends local calls to the user's http_proxy
    }


def merged(user: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return a user's environment with the sandbox's over it, and its CLI first on PATH."""
    dropped = unset(user)
    kept = {key: value for key, value in user.items() if key not in dropped}
    path = os.pathsep.join(filter(None, [str(EXECUTABLE.parent), user.get("PATH", "")]))
    return {**kept, **added, **no_proxy(user), "PATH": path}


def unset(user: Mapping[str, str]) -> list[str]:
    """Return what is to be removed from a user's environment: `UNSET`, and the endpoints of services."""
    return [*UNSET, *sorted(key for key in user if key.startswith("AWS_ENDPOINT_URL_"))]


def no_proxy(user: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which no call to this machine goes to the user's proxy, besides the user's own.

    Both spellings, since some programs read the one first and others the other.
    """
    given = user.get("no_proxy") or user.get("NO_PROXY") or ""
    names = [each for each in (part.strip() for part in given.split(",")) if each]
    value = ",".join([*names, *(each for each in LOCAL if each not in names)])
    return {"NO_PROXY": value, "no_proxy": value}


def init_stack(  # noqa: PLR0917 - a stack, and where it is
    project: Path,
    stack: str,
    folder: Path,
    environment: Mapping[str, str],
    overrides: Mapping[str, Any],
    secrets: Mapping[str, Mapping[str, str]] | None = None,
    secrets_provider: str = "passphrase",
) -> Path:
    """Create a stack in the environment's backend, and return its configuration file, for `--config-file`.

    `stack init`, and even a preview, write an `encryptionsalt` into Pulumi.<stack>.yaml. To leave the
    project's files unchanged, the stack is created in a folder with copies of them.

    Args:
        project: Folder of Pulumi.yaml.
        stack: Name of the stack. Its configuration is that of the project's Pulumi.<stack>.yaml, if any.
        folder: An empty folder for the copies; created if absent.
        environment: The whole environment of the CLI, for example by `merged`.
        overrides: Configuration that overrides the file's, by full key, for example `selfheal:mode`.
        secrets: Objects of texts to set as secrets, by full key, for example `selfheal:callers`.
        secrets_provider: What encrypts secrets: the passphrase in the environment, or `awskms://...`.

    Raises:
        SandboxError: with the CLI's output, if it fails.

    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(project / "Pulumi.yaml", folder)
    given = project / f"Pulumi.{stack}.yaml"
    content: dict[str, Any] = yaml.safe_load(given.read_text(encoding="utf-8")) if given.is_file() else {}
    content["config"] = (content.get("config") or {}) | dict(overrides)
    copy = folder / given.name
    copy.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    _run(["stack", "init", stack, "--secrets-provider", secrets_provider], folder, environment)
    for key, values in (secrets or {}).items():
        for name, value in values.items():
            # On standard input: what is on a command line can be read by anybody on this machine.
            set_one = ["config", "set", "--secret", "--path", f"{key}.{name}", "--stack", stack]
            _run(set_one, folder, environment, value)
    return copy


def _run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], given: str | None = None
) -> None:
    done = subprocess.run(
        [str(executable()), *arguments, "--non-interactive"],
        cwd=folder,
        env=dict(environment),
        input=given or "",
        capture_output=True,
        text=True,
        timeout=_INIT_SECONDS,
        check=False,
    )
    if done.returncode:
        what = " ".join(arguments[:2])
        raise SandboxError(f"`pulumi {what}` failed: {(done.stderr or done.stdout).strip()}")
