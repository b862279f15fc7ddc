"""The doctor's checks of what runs here: a `pulumi` that answers as the test says, in a project."""

import json
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal.cli.doctor.check import Check
from selfheal.cli.doctor.tools import check_tools
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.location import Location
from tests.cli.doctor.fakes import deployed

PULUMI, PROVIDER = metadata.version("pulumi"), metadata.version("pulumi-aws")
CONFIG = {
    "aws:region": {"value": "eu-west-1", "secret": False},
    "shop:mode": {"value": "act", "secret": False},
}


class Clients:
    """All that is asked of them here is the region."""

    def get(self, service: str) -> Any:
        assert service == "sts"
        return SimpleNamespace(meta=SimpleNamespace(region_name="eu-west-1"))

    def patient(self, seconds: int) -> "Clients":
        raise AssertionError(seconds)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return tmp_path


def looked(
    folder: Path,
    *,
    version: str = PULUMI,
    plugins: Any = ({"name": "aws", "version": PROVIDER},),
    config: Any = CONFIG,
) -> dict[str, Check]:
    script = folder / "pulumi"
    answers = {"version": f"v{version}", "plugin": json.dumps(plugins), "config": json.dumps(config)}
    cases = "".join(f"{name}) echo '{text}';;\n" for name, text in answers.items())
    script.write_text(f"#!/bin/sh\ncase $1 in\n{cases}*) exit 9;;\nesac\n")
    script.chmod(0o755)
    access = AwsAccess(Clients(), "AWS", script, {"PATH": "/usr/bin:/bin"})
    return {each.id: each for each in check_tools(access, Location(stack="prod", folder=folder), deployed())}


def states(checks: dict[str, Check]) -> dict[str, str]:
    return {name: check.state.value for name, check in checks.items()}


def test_what_is_as_pinned_is_well(project: Path) -> None:
    checks = looked(project)
    assert states(checks) == {"pulumi.cli": "ok", "pulumi.provider": "ok", "pulumi.config": "ok"}
    assert checks["pulumi.config"].found == "2 keys, region eu-west-1, mode act"


def test_a_newer_cli_of_the_same_major_version_is_well(project: Path) -> None:
    assert states(looked(project, version="3.9999.0-alpha.1"))["pulumi.cli"] == "ok"


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        ({"version": "2.9.1"}, "pulumi.cli", f"2.9.1; the Python package is {PULUMI}"),
        ({"version": "3.1.0"}, "pulumi.cli", f"3.1.0; the Python package is {PULUMI}"),
        ({"version": "4.0.0"}, "pulumi.cli", f"4.0.0; the Python package is {PULUMI}"),
        ({"plugins": [{"name": "aws", "version": "6.0.0"}]}, "pulumi.provider", "there is 6.0.0"),
        (
            {"config": CONFIG | {"aws:region": {"value": "us-east-1"}}},
            "pulumi.config",
            "aws:region is us-east-1",
        ),
        (
            {"config": CONFIG | {"shop:mode": {"value": "observe"}}},
            "pulumi.config",
            "observe in configuration",
        ),
    ],
)
def test_what_differs_is_a_warning(project: Path, given: dict[str, Any], name: str, words: str) -> None:
    checks = looked(project, **given)
    assert [each for each, state in states(checks).items() if state == "warn"] == [name]
    assert words in checks[name].found
    assert checks[name].do


def test_a_stack_that_pulumi_does_not_tell_of_is_unknown(project: Path) -> None:
    assert states(looked(project, config=None))["pulumi.config"] == "unknown"


@pytest.mark.parametrize(
    ("aws", "found", "do"),
    [
        (False, "there is no stack dev", "selfheal pulumi stack init dev"),
        (True, "Pulumi does not tell that of stack dev", "Run `pulumi config`"),
    ],
)
def test_a_stack_that_is_not_there_is_made_in_the_sandbox(
    project: Path, monkeypatch: pytest.MonkeyPatch, found: str, do: str, *, aws: bool
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    script = project / "pulumi"
    script.write_text(
        f"#!/bin/sh\n[ $1 = version ] && echo v{PULUMI} && exit\n"
        "echo \"error: no stack named 'dev' found\" >&2\nexit 6\n"
    )
    script.chmod(0o755)
    access = AwsAccess(Clients(), "AWS", script, {"PATH": "/usr/bin:/bin"})
    checks = {each.id: each for each in check_tools(access, Location(folder=project, aws=aws), deployed())}
    check = checks["pulumi.config"]
    assert (check.found, check.state.value) == (found, "unknown")
    assert check.do.startswith(do)


def test_without_a_project_or_a_pulumi_only_that_is_said(tmp_path: Path) -> None:
    assert states(looked(tmp_path)) == {"pulumi.cli": "ok", "pulumi.config": "warn"}
    access = AwsAccess(Clients(), "AWS", None, {})
    [check] = check_tools(access, Location(folder=tmp_path), deployed())
    assert (check.id, check.state.value) == ("pulumi.cli", "warn")
    broken = AwsAccess(Clients(), "AWS", tmp_path / "none", {})
    [check] = check_tools(broken, Location(folder=tmp_path), deployed())
    assert (check.id, check.state.value) == ("pulumi.cli", "fail")
