"""parliament over every policy document of roles and people that any kind of configuration makes."""

import json
import subprocess
from typing import Any

import pytest

from selfheal.functions.shared.contract import Mode, RemedyKind
from tests.audit.accepted import judge, rows
from tests.audit.environments import tool
from tests.components.support.deployments import healer, target, target_for
from tests.components.support.key import EVERYTHING, KEY, program
from tests.support.pulumi_mocks import Deployment

pytestmark = pytest.mark.audit

TYPES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy")

PROGRAMS: list[dict[str, str]] = [
    {},
    {"traffic": "alias", "remedies": '["rollback_alias", "override"]'},
    {"remedies": '["environment"]', "encryptionKeyArn": KEY},
    EVERYTHING,
    {**EVERYTHING, "encryptionKeyArn": KEY},
]


def documents() -> dict[str, str]:
    """Return each document once, by a name that says where it is from."""
    found: dict[str, str] = {}

    def add(where: str, deployment: Deployment) -> None:
        for resource in (each for type_ in TYPES for each in deployment.of(type_)):
            found.setdefault(resource.inputs["policy"], f"{where}: {resource.name}")

    for number, config in enumerate(PROGRAMS):
        add(f"program {number}", program(**config))
    for mode in Mode:
        for kind in RemedyKind:
            probed: dict[str, Any] = {"probe": "{}"}
            add(f"{mode} {kind}", healer(mode=mode, targets=[target_for(kind, **probed)]))
    add("key of a target", healer(targets=[target(environment_key_arn=KEY)]))
    return {name: text for text, name in found.items()}


def test_it_finds_nothing_but_what_the_table_says() -> None:
    python = tool("parliament", "python")
    told = documents()
    assert len(told) > 30
    script = str((python.parents[3] / "tests/audit/parliament_findings.py").resolve())
    done = subprocess.run(
        [str(python), script],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert judge({(issue, subject) for issue, subject, _ in found}, rows("parliament")) == [], found
