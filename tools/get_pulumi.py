"""Get the Pulumi CLI while `COMMAND...` makes .venv: `python tools/get_pulumi.py COMMAND...`.

Called by `make setup`, before anything is installed: standard library only. docs/adr/0012 says why these
routes. The pinned versions stand in tools/pulumi/go.mod and, for the host of YAML programs, in
tools/pulumi-yaml/go.mod. Does nothing where all is there, at these versions.
Exit code 0 without a CLI as well (what needs none works), otherwise COMMAND's, or 1 with a reason.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PYTHON = CHECKOUT / ".venv" / "bin" / "python"
MODULE = CHECKOUT / "tools" / "pulumi"
YAML_MODULE = CHECKOUT / "tools" / "pulumi-yaml"
FOLDER = CHECKOUT / ".pulumi"
BIN = FOLDER / "bin"
HOME = FOLDER / "home"
STAMP = FOLDER / "versions"
"""For which versions the CLI is there."""

INSTALLER = "https://get.pulumi.com/install.sh"
"""What the SDK's installer downloads first."""
COMMAND_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
YAML_HOST = "pulumi-language-yaml"
YAML_PACKAGE = f"github.com/pulumi/pulumi-yaml/cmd/{YAML_HOST}"
HOST = "pulumi-language-python"
HOST_SCRIPT = f"""#!/bin/sh
# The language host of the checkout; the executor beside it is Pulumi's own.
here=$(cd "$(dirname "$0")" && pwd)
python="$here/../../.venv/bin/python"
# Garbage is looked for less often, as its start.py does for programs.
entry="import gc, sys; gc.set_threshold(20_000, 20, 100); \
from selfheal.sandbox.pulumi.language.__main__ import main; main(sys.argv[1:])"
exec "$python" -I -c "$entry" --use-executor "$here/{HOST}-exec" "$@"
"""

Venv = Future[subprocess.CompletedProcess[bytes]]


class RouteError(Exception):
    """A route leads to no CLI here; the text says why."""


def pinned(path: Path, pattern: str) -> str:
    """Return the version that a file pins, e.g. `3.274.1`."""
    found = re.search(pattern + r"(\d+\.\d+\.\d+)\b", path.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{path} pins no version ({pattern})")
    return found[1]


CLI = pinned(MODULE / "go.mod", r"pulumi/pulumi/pkg/v3 v")
YAML = pinned(YAML_MODULE / "go.mod", r"pulumi/pulumi-yaml v")
SDK = pinned(CHECKOUT / "requirements.txt", r"^pulumi==")
AWS = pinned(CHECKOUT / "requirements.txt", r"^pulumi-aws==")
VERSIONS = f"pulumi {CLI}, SDK {SDK}, YAML {YAML}\n"
INSTALL = CHECKOUT / "sandbox" / "pulumi" / "plugin" / "install.py"
PLUGIN = HOME / "plugins" / f"resource-aws-v{AWS}" / "pulumi-resource-aws"


def main(command: Sequence[str]) -> int:
    """Run the command that makes .venv and find a CLI, side by side; returns the exit code."""
    with ThreadPoolExecutor(1) as pool:
        venv = pool.submit(subprocess.run, command, check=True, cwd=CHECKOUT)
        there = have() or find(venv)
        try:
            venv.result()
        except subprocess.CalledProcessError as error:
            return error.returncode
    return finish() if there else 0


def have() -> bool:
    """Whether the CLI is there, for these versions; a link to one that is gone is not enough."""
    return STAMP.is_file() and STAMP.read_text() == VERSIONS and (BIN / "pulumi").exists()


def find(venv: Venv) -> bool:
    """Take the first route that leads to a CLI; say of each what it does. False if none does."""
    STAMP.unlink(missing_ok=True)
    for route in (on_path, official_bundle, built_with_go):
        shutil.rmtree(BIN, ignore_errors=True)
        BIN.mkdir(parents=True)
        begun = time.monotonic()
        try:
            done = route(venv)
        except BaseException as error:
            shutil.rmtree(BIN)
            if not isinstance(error, RouteError):
                raise
            say(f"{error}.")
        else:
            STAMP.write_text(VERSIONS)
            say(f"{done} ({time.monotonic() - begun:.1f} s).")
            return True
    say(
        "this checkout has none, so what needs an engine is left out. To have it: install Go "
        f"{_go_version()} (https://go.dev/dl/) or the Pulumi CLI (https://www.pulumi.com/docs/install/), "
        "then run `make setup` again."
    )
    return False


def on_path(venv: Venv) -> str:  # noqa: ARG001  (routes are alike)
    """Route 1: link the user's own CLI, if it is as new as the SDK and has its Python language host."""
    found = shutil.which("pulumi")
    if found is None:
        raise RouteError("none on PATH")
    version = _version(Path(found))
    if tuple(map(int, version.split("."))) < tuple(map(int, SDK.split("."))):
        raise RouteError(f"{found} is {version}, older than the SDK in requirements.txt ({SDK})")
    if not (Path(found).resolve().parent / HOST).exists() and shutil.which(HOST) is None:
        raise RouteError(f"{found} has no Python language host ({HOST}) beside it or on PATH")
    (BIN / "pulumi").symlink_to(Path(found).absolute())
    return f"linked {found}, version {version}"


def official_bundle(venv: Venv, connect_seconds: float = 20, seconds: float = 300) -> str:
    """Route 2: the official download, by the SDK's own installer.

    That has no time-outs, so it is tried first whether its server answers, and it runs in a child.
    """
    server = urllib.parse.urlsplit(INSTALLER).netloc
    say(f"asking {server} for the official one (at most {connect_seconds:g} s) ...")
    ask = f"import urllib.request; urllib.request.urlopen({INSTALLER!r}, timeout={connect_seconds}).read(1)"
    run([sys.executable, "-c", ask], connect_seconds, f"{server} does not answer")
    try:
        venv.result()  # it has the SDK
    except subprocess.CalledProcessError as error:
        raise RouteError("without .venv there is no installer") from error
    say(f"downloading the official {CLI} (100 MB, about a minute, at most {seconds:g} s) ...")
    install = (
        "import sys; from semver import VersionInfo; from pulumi.automation import PulumiCommand; "
        "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
    )
    run([str(PYTHON), "-I", "-c", install, str(FOLDER), CLI], seconds, "the download failed")
    if not (BIN / HOST).exists():
        raise RouteError(f"the download has no {HOST}")
    return f"downloaded {_version(BIN / 'pulumi')}"


def built_with_go(
    venv: Venv,  # noqa: ARG001
    download_seconds: float = 600,
    build_seconds: float = 1800,
) -> str:
    """Route 3: built from the pinned module, with the language host of this checkout beside it."""
    go = shutil.which("go")
    if go is None:
        raise RouteError("no Go on PATH to build one with")
    # An older Go asks its proxy for the toolchain that go.mod names, or refuses at once: both show here.
    too_old = f"{go} cannot build for Go {_go_version()}, which tools/pulumi/go.mod asks for"
    run([go, "list", "-m"], 180, too_old, MODULE)
    caches = " and ".join(run([go, "env", "GOMODCACHE", "GOCACHE"], 20, "go env", MODULE).split())
    say(f"building {CLI} with {go} (3 to 6 minutes, once; Go's shared caches grow by 4 GB: {caches}) ...")
    readonly = "-mod=readonly"
    run([go, "list", readonly, "-deps", COMMAND_PACKAGE], download_seconds, "no modules", MODULE)
    sdk = run(
        [go, "list", readonly, "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"],
        60,
        "no SDK",
        MODULE,
    ).strip()
    build(
        go,
        MODULE,
        COMMAND_PACKAGE,
        f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={CLI}",
        build_seconds,
    )
    shutil.copyfile(Path(sdk, "python", "cmd", f"{HOST}-exec"), BIN / f"{HOST}-exec")
    (BIN / HOST).touch(0o755)  # `finish` writes it
    try:
        version = f"github.com/pulumi/pulumi-yaml/pkg/version.Version={YAML}"
        build(go, YAML_MODULE, YAML_PACKAGE, version, build_seconds)
    except RouteError as error:
        say(f"programs in YAML are left out, there is no {YAML_HOST}: {error}.")
    return f"built {_version(BIN / 'pulumi')}"


def build(go: str, module: Path, package: str, version: str, seconds: float) -> None:
    """Build a command into BIN as a module pins it; `version` is a variable of it and its value."""
    flags = f"-s -w -X {version}"
    target = str(BIN / package.rsplit("/", 1)[1])
    command = [go, "build", "-mod=readonly", "-ldflags", flags, "-o", target, package]
    run(command, seconds, "the build failed", module)


def finish() -> int:
    """Give pack and plugin their environment, and make language host and AWS provider this checkout's.

    Returns the exit code.
    """
    if (BIN / f"{HOST}-exec").exists() and (BIN / HOST).read_text() != HOST_SCRIPT:
        (BIN / HOST).write_text(HOST_SCRIPT)
    for folder in (CHECKOUT / "policies", CHECKOUT / "components" / "plugin"):
        environment = folder / ".venv"
        if not environment.exists():  # without one the official host hangs while it loads the pack
            environment.unlink(missing_ok=True)
            environment.symlink_to(os.path.relpath(CHECKOUT / ".venv", folder))
    for cached in (*HOME.glob("plugins/schema-*.json"), *HOME.glob("schemas/*.json")):
        cached.unlink()  # YAML programs would not see what the sandbox's provider has learned since
    try:
        if not PLUGIN.exists() or PLUGIN.stat().st_mtime < INSTALL.stat().st_mtime:
            module = "selfheal.sandbox.pulumi.plugin.install"
            run([str(PYTHON), "-I", "-m", module, str(HOME)], 60, "no AWS provider")
    except RouteError as error:
        say(f"{error}.")
        return 1
    return 0


def run(command: Sequence[str], seconds: float, problem: str, folder: Path = CHECKOUT) -> str:
    """Return what a command prints. Raises RouteError with the problem and its last words if it fails.

    After `seconds`, or if this is interrupted, it is killed with its children.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise RouteError(f"{problem}: {error}") from error
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise RouteError(f"{problem} within {seconds:g} s") from error
            raise
    if process.returncode:
        lines = (err.strip() or out.strip() or f"exit code {process.returncode}").splitlines()
        last = max(
            number for number, line in enumerate(lines) if line[:1].strip()
        )  # what is indented belongs to it
        raise RouteError(f"{problem}: {' '.join(line.strip() for line in lines[last:])}")
    return out


def say(text: str) -> None:
    """Print a line of what happens to the CLI."""
    print(f"Pulumi CLI: {text}", flush=True)


def _version(cli: Path) -> str:
    said = run([str(cli), "version"], 20, f"{cli} does not say its version")
    found = re.search(r"\d+\.\d+\.\d+", said)
    if found is None:
        raise RouteError(f"{cli} says {said.strip()!r} where its version is expected")
    return found[0]


def _go_version() -> str:
    return pinned(MODULE / "go.mod", "^go ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
