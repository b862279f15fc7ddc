"""Processes that speak only Pulumi's protocol start without the SDK, and can import it afterwards."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

LISTED = "sorted(name for name in sys.modules if name.split('.')[0] in {'pulumi', 'pulumi_aws', 'boto3'})"


def run(*lines: str) -> str:
    """Run lines in a new Python, which must succeed, and return what it printed."""
    script = "\n".join(("import sys", *lines))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("entry", ["plugin", "language"])
def test_neither_the_sdk_nor_boto3_is_imported(entry: str) -> None:
    told = run(f"import selfheal.sandbox.pulumi.{entry}.__main__", f"print(*{LISTED})").split()
    assert "pulumi.runtime.proto.provider_pb2" in told
    assert [name for name in told if not name.startswith("pulumi.runtime.proto")] == []


def test_the_sdk_that_is_imported_later_is_the_real_one_with_the_same_messages() -> None:
    """As the plugin does for its schema. Messages of two classes would not be accepted for each other."""
    told = run(
        "from selfheal.sandbox.pulumi import protocol",
        "import pulumi, pulumi.provider.server, pulumi_aws",
        "from pulumi.runtime.proto import provider_pb2",
        "print(pulumi.Output.__module__, pulumi.runtime.__file__ is not None)",
        "print(provider_pb2 is protocol.provider_pb2)",
    )
    assert told.splitlines() == ["pulumi.output True", "True"]


def test_a_sdk_that_is_imported_already_is_kept() -> None:
    told = run(
        "import pulumi",
        "from pulumi.runtime.proto import provider_pb2",
        "from selfheal.sandbox.pulumi import protocol",
        "print(sys.modules['pulumi'] is pulumi, provider_pb2 is protocol.provider_pb2)",
    )
    assert told == "True True"
