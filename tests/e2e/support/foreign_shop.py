"""Programs of component users, deployed in the sandbox."""

import shutil
from pathlib import Path
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

ROOT = Path(__file__).parents[3]
FOREIGN = Path(__file__).parent / "foreign"


def foreign_deployed(folder: Path, clients: Clients, program: Path = FOREIGN) -> dict[str, Any]:
    """Deploy a user's dev stack from a copy in `folder`, which must not exist, and return its outputs.

    A program sees its own folder and what is installed. The link stands for the installation, and makes sure
    that it is this repository's components that are tested.
    """
    shutil.copytree(program, folder)
    provider = AwsProvider(clients)
    return deploy(folder, provider, stack="dev")
