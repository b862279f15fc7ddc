"""A stack of the real CLI that writes nothing into the project's own folder.

`stack init`, and even a plain preview, write an `encryptionsalt` into Pulumi.<stack>.yaml. So the stack is
made in a folder that holds copies of the project's files, and every operation is given the copy of the
stack's file by `--config-file`.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from selfheal.sandbox.errors import SandboxError
from selfheal.sandbox.pulumi.cli import executable

_INIT_SECONDS = 60.0


def init(
    project: Path, stack: str, folder: Path, environment: Mapping[str, str], overrides: Mapping[str, Any]
) -> Path:
    """Make a stack in the environment's backend, and return the file to give by `--config-file`.

    Args:
        project: Folder of Pulumi.yaml, which stays as it is.
        stack: Name of the stack; its configuration is that of the project's Pulumi.<stack>.yaml, if any.
        folder: Holds the copies; created if absent, and empty.
        environment: The whole one of the CLI, for example by `pulumi_cli.merged`.
        overrides: Configuration over the file's, by full key, for example `selfheal:mode`.

    Raises:
        SandboxError: with what the CLI said, if it refused.

    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(project / "Pulumi.yaml", folder)
    name = f"Pulumi.{stack}.yaml"
    given = project / name
    content: dict[str, Any] = yaml.safe_load(given.read_text(encoding="utf-8")) if given.is_file() else {}
    content["config"] = (content.get("config") or {}) | dict(overrides)
    copy = folder / name
    copy.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    done = subprocess.run(
        [str(executable()), "stack", "init", stack, "--non-interactive"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INIT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SandboxError(f"`pulumi stack init {stack}` failed: {(done.stderr or done.stdout).strip()}")
    return copy
