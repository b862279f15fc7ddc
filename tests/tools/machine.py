"""A checkout of no more than `make setup` starts from, and a PATH of no more than a test puts there."""

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]

MAKE_VENV = """\
import pathlib, sys
python = pathlib.Path(".venv/bin/python")
python.parent.mkdir(parents=True)
python.write_text(f'''#!/bin/sh
exec {sys.executable} "$PWD/fake_python.py" "$@"
''')
python.chmod(0o755)
"""
"""Instead of pip: a Python that does what FAKE_PYTHON says."""

FAKE_PYTHON = """\
import pathlib, sys
arguments = sys.argv[1:]
if "selfheal.sandbox.pulumi.plugin.install" in arguments:
    plugin = pathlib.Path(arguments[-1], "plugins", "resource-aws-v7.51.1", "pulumi-resource-aws")
    plugin.parent.mkdir(parents=True)
    plugin.touch()
else:
    INSTALL
"""


class Machine:
    """The fake machine: its checkout, its PATH, and what was printed."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.checkout = folder / "checkout"
        self.path = folder / "path"
        self._capfd = capfd
        for name in (
            "tools/get_pulumi.py",
            "tools/pulumi/go.mod",
            "tools/pulumi-yaml/go.mod",
            "requirements.txt",
            "sandbox/pulumi/plugin/install.py",
        ):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, self.checkout / name)
        for name in ("policies", "components/plugin"):
            (self.checkout / name).mkdir(parents=True)
        self.path.mkdir()
        self.installs("sys.exit('no installer here')")
        self.tools = self.load()

    @property
    def cli(self) -> Path:
        return self.checkout / ".pulumi" / "bin" / "pulumi"

    def load(self) -> ModuleType:
        """Read the script as a new run of it does."""
        spec = importlib.util.spec_from_file_location("get_pulumi", self.checkout / "tools" / "get_pulumi.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        # Bytecode would outlive a change of the script within the same second, if that keeps its length.
        shutil.rmtree(self.checkout / "tools" / "__pycache__", ignore_errors=True)
        return module

    def installs(self, code: str) -> None:
        """Let the SDK's installer do this; it has `root`, the folder to install to."""
        text = FAKE_PYTHON.replace("INSTALL", f"root = pathlib.Path(arguments[-2]); {code}")
        self.checkout.joinpath("fake_python.py").write_text(text)

    def put(self, name: str, *lines: str, folder: Path | None = None) -> Path:
        """Put a shell script on PATH (or elsewhere)."""
        path = (folder or self.path) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        return path

    def put_go(self, *build: str, here: str = "echo selfheal/tools/pulumi") -> None:
        """Put a Go on PATH that writes a CLI, after doing what `build` says."""
        sdk = self.folder / "sdk"
        (sdk / "python" / "cmd").mkdir(parents=True)
        (sdk / "python" / "cmd" / "pulumi-language-python-exec").write_text("# the executor")
        pinned = self.tools.CLI
        self.put(
            "go",
            f'echo "$PWD: go $*" >> {self.folder}/asked',
            "case $1 in",
            "env) echo /caches/mod; echo /caches/build;;",
            f'list) case "$*" in "list -m") {here};; *-m*) echo {sdk};; esac;;',
            "build)",
            *build,
            f"  {sys.executable} -c 'import os, sys; path = sys.argv[1]; "
            f'open(path, "w").write("#!/bin/sh\\necho v{pinned}\\n"); os.chmod(path, 0o755)\' "$6"',
            "  ;;",
            "esac",
        )

    def asked_go(self) -> str:
        """What Go was asked for."""
        path = self.folder / "asked"
        return path.read_text() if path.exists() else ""

    def setup(self, command: Sequence[str] = (sys.executable, "-c", MAKE_VENV)) -> tuple[int, str]:
        """Run the script as `make setup` does; returns exit code and what it said."""
        if (self.checkout / ".venv").exists() and command[-1] == MAKE_VENV:
            command = (sys.executable, "-c", "")
        code = self.load().main(command)
        return code, self._capfd.readouterr().out
