"""Starting the Pulumi program in a process of its own, without anything of the user's AWS set-up."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import sandbox
from sandbox.engine.events import Severity
from sandbox.engine.monitor import Site
from sandbox.engine.program import IMPORT_PATH_VARIABLE
from sandbox.engine.run import PARALLEL, Run

_TERMINATE_SECONDS = 5


def run_program(site: Site, address: str, run: Run) -> int:
    """Run the program to its end and return its exit code; what it prints becomes diagnostics.

    If this is interrupted (Ctrl-C), the program is ended first.
    """
    command = [sys.executable, "-m", "sandbox.engine.program"]
    command += [
        "--project",
        site.project,
        "--stack",
        site.stack,
        "--address",
        address,
        "--parallel",
        str(PARALLEL),
    ]
    if run.dry_run:
        command.append("--dry-run")
    process = subprocess.Popen(
        command,
        cwd=site.folder,
        env=environment(os.environ, site.config),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    readers = [
        threading.Thread(target=_forward, args=(stream, run, severity), daemon=True)
        for stream, severity in ((process.stdout, Severity.INFO), (process.stderr, Severity.WARNING))
    ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(_TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    for reader in readers:
        reader.join(_TERMINATE_SECONDS)  # a grandchild may hold the pipe open for ever
    return code


def environment(user: Mapping[str, str], config: Mapping[str, str]) -> dict[str, str]:
    """Return the program's environment: the user's without AWS_* and PULUMI_*, plus the configuration.

    The program itself never talks to AWS (the provider does), so it gets neither keys nor profiles.
    """
    kept = {key: value for key, value in user.items() if not key.startswith(("AWS_", "PULUMI_"))}
    root = str(Path(sandbox.__file__).parents[1])
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, user.get("PYTHONPATH", "")])),
        IMPORT_PATH_VARIABLE: root,
        "PYTHONUNBUFFERED": "1",
        # A cache is known by its source's size and whole second: an edit within the second would not be seen.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PULUMI_CONFIG": json.dumps(config),
        "no_grpc_proxy": "127.0.0.1",  # gRPC would else send even local calls to the user's http_proxy
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _forward(stream: IO[str] | None, run: Run, severity: Severity) -> None:
    for line in stream or ():
        if line.strip():
            run.say(severity, line.rstrip("\n"))
