"""What would make Pulumi hang is found before it is run, and said with what to do."""

import os
from pathlib import Path

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.sandbox import readiness
from selfheal.cli.sandbox.readiness import packs, require_ready
from tests.cli.support import pulumi_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return pulumi_home(tmp_path / "home")


@pytest.fixture
def cli(tmp_path: Path) -> Path:
    return script(tmp_path / "pulumi", "echo 3.274.1")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def pack(folder: Path, runtime: str) -> Path:
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text(runtime)
    return folder


def named(environment: str) -> str:
    return f"runtime:\n  name: python\n  options:\n    virtualenv: {environment}\n"


def check(cli: Path, home: Path, *arguments: str, folder: Path | None = None) -> None:
    require_ready(cli, home, arguments, environment=os.environ, folder=folder or cli.parent)


def test_all_that_is_needed_is_there(cli: Path, home: Path) -> None:
    check(cli, home, "up", "--yes")


def test_a_missing_provider_is_named_with_its_version(cli: Path, tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"resource-aws-v7\.\d+\.\d+.*make setup"):
        check(cli, tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("text", "said"),
    [("sleep 60", "does not start or answer"), ("exit 4", "exit code 4"), ("", "exit code 0")],
)
def test_a_cli_that_does_not_tell_its_version_is_not_run(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setattr(readiness, "VERSION_SECONDS", 0.5)
    with pytest.raises(CliError, match=f"{said}.*make setup"):
        check(script(tmp_path / "broken", text), home)


def test_a_pack_without_its_interpreter_is_refused(cli: Path, home: Path, tmp_path: Path) -> None:
    own = pack(tmp_path / "own", named(".venv"))
    with pytest.raises(CliError, match=r"own has no interpreter.*pulumi install"):
        check(cli, home, "preview", "--policy-pack", str(own))
    (own / ".venv" / "bin").mkdir(parents=True)
    (own / ".venv" / "bin" / "python").symlink_to(cli)
    check(cli, home, "preview", "--policy-pack", str(own))


@pytest.mark.parametrize(
    "text",
    ["runtime: python\n", "runtime:\n  name: nodejs\n", "[", "", "runtime:\n  name: python\n  options: 3\n"],
)
def test_a_pack_of_no_environment_of_its_own_is_pulumis_to_judge(
    cli: Path, home: Path, tmp_path: Path, text: str
) -> None:
    check(cli, home, "up", "--policy-pack", str(pack(tmp_path / "other", text)))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["up", "--policy-pack", "a", "--policy-pack=b"], ["a", "b"]),
        (["up", "--policy-pack", "a,b", "--policy-pack-config", "c"], ["a", "b"]),
        (["up", "--policy-pack", "none"], []),
        (["up", "--policy-pack", "https://x/y"], []),
        (["up", "--policy-pack"], []),
        (["plugin", "run", "--", "--policy-pack", "a"], []),
        (["--cwd", "deep", "up", "--policy-pack", "../a"], ["deep/../a"]),
        (["-C=deep", "up", "--policy-pack", "../b"], ["deep/../b"]),
    ],
)
def test_packs_are_found_in_every_form_that_pulumi_takes(
    tmp_path: Path, arguments: list[str], found: list[str]
) -> None:
    for name in ("a", "b"):
        pack(tmp_path / name, named(".venv"))
    (tmp_path / "deep").mkdir()
    assert packs(arguments, tmp_path) == [tmp_path / name for name in found]
    # An absolute one is where it says.
    assert packs(["up", f"--policy-pack={tmp_path / 'a'}"], Path("/")) == [tmp_path / "a"]
