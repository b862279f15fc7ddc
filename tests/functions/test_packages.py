"""Each packaged function starts in an interpreter that has boto3 and nothing else, as in Lambda."""

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from selfheal.components.function import package

BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
ENVIRONMENTS = {
    "downstream": {"DOWNSTREAM_TABLE": "downstream"},
    "breaker": {
        "BREAKER_TABLE": "breakers",
        "CIRCUIT": "payments",
        "CONSUMERS": "[]",
        "PROBE": '{"url": "http://127.0.0.1:9/health"}',
    },
    "fragile": {"FAILURE_RATE": "0"},
    "healer": {
        "MODE": "act",
        "TARGETS": "[]",
        "BUDGET": "12",
        "TOPIC_ARN": "arn:t",
        "ESCALATION_TOPIC_ARN": "arn:e",
        "LEDGER_TABLE": "ledger",
    },
    "status": {"LEDGER_TABLE": "ledger"},
}
ALSO = {"status": ["healer"]}
"""What is packed besides, by function."""


def zipped(function: str, folder: Path) -> Path:
    archive = folder / f"{function}.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, asset in package(function, also=ALSO.get(function, ())).assets.items():
            file.write(getattr(asset, "path"), name)  # noqa: B009 - pulumi types it as any asset
    return archive


def only_boto3(folder: Path) -> Path:
    """A folder with boto3 and what it needs, and nothing else of this environment."""
    folder.mkdir()
    for name in BOTO3:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def run(
    code: str, archive: Path, libraries: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    prelude = f"import sys; sys.path[:0] = [{str(archive)!r}, {str(libraries)!r}]; "
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + code],
        env={"AWS_DEFAULT_REGION": "us-east-1", "PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("function", sorted(ENVIRONMENTS))
def test_a_package_imports_with_boto3_and_nothing_else(function: str, tmp_path: Path) -> None:
    archive, libraries = zipped(function, tmp_path), only_boto3(tmp_path / "libraries")
    code = f"from selfheal.functions.{function}.handler import handle; print(handle.__name__)"
    result = run(code, archive, libraries, ENVIRONMENTS[function])
    assert (result.returncode, result.stdout) == (0, "handle\n"), result.stderr


def test_that_interpreter_really_has_nothing_else(tmp_path: Path) -> None:
    archive, libraries = zipped("fragile", tmp_path), only_boto3(tmp_path / "libraries")
    assert run("import boto3", archive, libraries, {}).returncode == 0
    assert "No module named 'moto'" in run("import moto", archive, libraries, {}).stderr
