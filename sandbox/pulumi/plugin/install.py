"""Installs the plugin into a PULUMI_HOME, as `pulumi plugin install` would."""

import re
import shlex
import sys
from pathlib import Path

from selfheal import SOURCE
from selfheal.sandbox.errors import SandboxError

_REQUIREMENTS = SOURCE / "requirements.txt"
_NAME = "pulumi-resource-aws"
_WRITTEN = "# Written by sandbox/pulumi/plugin/install.py."
_SCRIPT = f"""\
#!/bin/sh
{_WRITTEN} -I: the program's folder must not shadow our modules.
exec {{python}} -I -c {{entry}} "$@"
"""


def provider_version() -> str:
    """Return the version of pulumi-aws in requirements.txt, for example `7.51.1`.

    The engine asks for a plugin of exactly this version. Raises SandboxError if it is not pinned there.
    """
    pinned = re.search(r"^pulumi-aws==([^\s;\\]+)", _REQUIREMENTS.read_text(), re.MULTILINE)
    if pinned is None:
        raise SandboxError(f"{_REQUIREMENTS} pins no pulumi-aws. Run `make pins`.")
    return pinned[1]


def is_of_this_checkout(home: Path) -> bool:
    """Return whether the plugin in `home`, if it is ours, runs this checkout's code."""
    try:
        text = (home / "plugins" / f"resource-aws-v{provider_version()}" / _NAME).read_text(encoding="utf-8")
    except (OSError, ValueError):  # there is none, or it is the real one
        return True
    return _WRITTEN not in text or repr(str(SOURCE)) in text.replace("'\"'\"'", "'")


def install(home: Path) -> Path:
    """Write the plugin's executable into `home`, which is created if absent, and return its path. Idempotent.

    The executable names this Python and this checkout: run this again after either has moved.
    """
    folder = home / "plugins" / f"resource-aws-v{provider_version()}"
    folder.mkdir(parents=True, exist_ok=True)
    # Garbage is looked for less often: what a short process has imported stays (see language/start.py).
    entry = f"import gc, sys; gc.set_threshold(20_000, 20, 100); sys.path.insert(0, {str(SOURCE)!r}); "
    entry += "from selfheal.sandbox.pulumi.plugin.__main__ import main; "
    text = _SCRIPT.format(python=shlex.quote(sys.executable), entry=shlex.quote(f"{entry}main()"))
    executable = folder / _NAME
    if not executable.exists() or executable.read_text() != text:
        # Replaced in one step, because an engine may be starting the present one.
        draft = executable.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(0o755)
        draft.replace(executable)
    return executable


if __name__ == "__main__":
    install(Path(sys.argv[1]))
