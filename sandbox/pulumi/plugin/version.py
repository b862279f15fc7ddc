"""Which version of the AWS provider the plugin stands in for: the one that the program's SDK asks for."""

import re

from selfheal import SOURCE
from selfheal.sandbox.errors import SandboxError

_REQUIREMENTS = SOURCE / "requirements.txt"


def provider_version() -> str:
    """Return the version of pulumi-aws in requirements.txt, such as `7.51.1`.

    Raises SandboxError if it is not pinned there: the engine asks for exactly that version.
    """
    pinned = re.search(r"^pulumi-aws==([^\s;\\]+)", _REQUIREMENTS.read_text(), re.MULTILINE)
    if pinned is None:
        raise SandboxError(f"{_REQUIREMENTS} pins no pulumi-aws. Run `make pins`.")
    return pinned[1]
