"""The Pulumi CLI of the checkout, and the environment in which it deploys into the sandbox.

`make setup` puts it there (tools/): `.pulumi/bin/pulumi`, and the laptop's AWS provider in `.pulumi/home`.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from selfheal import SOURCE
from selfheal.sandbox.clients import Credentials
from selfheal.sandbox.errors import SandboxError

FOLDER = SOURCE / ".pulumi"
"""What `make setup` makes: `bin/pulumi`, which may be a link, and `home`, a PULUMI_HOME with the plugins."""

EXECUTABLE = FOLDER / "bin" / "pulumi"

HOME = FOLDER / "home"

UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_STACK")
"""What of the user's own set-up would win over the environment below."""


class NoPulumiError(SandboxError):
    """There is no Pulumi CLI in the checkout."""


def executable() -> Path:
    """Return the checkout's Pulumi CLI. Raises NoPulumiError where there is none."""
    if not EXECUTABLE.exists():  # false for a link to what is gone
        raise NoPulumiError(
            "This checkout has no Pulumi CLI: `make setup` found none on PATH, could download none, and had "
            "no Go to build one with. Install Go 1.26.6 or the Pulumi CLI, then run `make setup` again."
        )
    return EXECUTABLE


def environment(
    endpoint: str, region: str, credentials: Credentials, backend: Path, *, home: Path = HOME
) -> dict[str, str]:
    """Return what the CLI, its plugins and boto3 need to work on an emulator; added to a user's environment.

    Args:
        endpoint: Of the emulator, for example `http://127.0.0.1:4566`.
        region: Of its resources.
        credentials: A key of the emulator.
        backend: Folder of the stacks' state, which exists.
        home: The PULUMI_HOME, with the provider among its plugins.

    Remove `UNSET` from the user's environment as well.

    """
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,  # boto3 does not read AWS_REGION
        # Nothing of the user's own set-up may leak in: a profile or a region there would win or fail.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # A plugin that is missing is an error at once: behind a silent proxy its download hangs.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "no_grpc_proxy": "127.0.0.1",  # gRPC would else send even local calls to the user's http_proxy
    }


def merged(user: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return a user's environment with the sandbox's over it, and its CLI first on PATH."""
    kept = {key: value for key, value in user.items() if key not in UNSET}
    path = os.pathsep.join(filter(None, [str(EXECUTABLE.parent), user.get("PATH", "")]))
    return {**kept, **added, "PATH": path}
