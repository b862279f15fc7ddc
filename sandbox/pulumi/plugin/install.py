"""Puts the plugin into a PULUMI_HOME, where the engine finds it as if `pulumi plugin install` had."""

import shlex
import sys
from pathlib import Path

from selfheal import SOURCE
from selfheal.sandbox.pulumi.plugin.version import provider_version

_SCRIPT = """\
#!/bin/sh
# Written by sandbox/pulumi/plugin/install.py. -I: the program's folder must not shadow our modules.
exec {python} -I -c {entry} "$@"
"""


def install(home: Path) -> Path:
    """Write the plugin's executable below `home`, which is made if absent; return it. Harmless twice.

    It runs this Python on this checkout: run it again after either has moved.
    """
    folder = home / "plugins" / f"resource-aws-v{provider_version()}"
    folder.mkdir(parents=True, exist_ok=True)
    entry = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); "
    entry += "from selfheal.sandbox.pulumi.plugin.__main__ import main; "
    text = _SCRIPT.format(python=shlex.quote(sys.executable), entry=shlex.quote(f"{entry}main()"))
    executable = folder / "pulumi-resource-aws"
    if not executable.exists() or executable.read_text() != text:
        # Written aside and moved: an engine may start the one that is there at this moment.
        draft = executable.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(0o755)
        draft.replace(executable)
    return executable


if __name__ == "__main__":
    install(Path(sys.argv[1]))
