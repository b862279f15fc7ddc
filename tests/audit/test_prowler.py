"""Prowler against the deployed stacks, in the emulator: it asks it as it asks AWS."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.audit.accepted import judge, rows
from tests.audit.environments import tool
from tests.components.support.key import EVERYTHING
from tests.conftest import ROOT

pytestmark = pytest.mark.audit

SERVICES = (
    *("apigateway", "apigatewayv2", "awslambda", "cloudfront", "cloudwatch", "dynamodb", "eventbridge"),
    *("iam", "kinesis", "s3", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions"),
)
"""Of which the stacks have resources."""

SECONDS = 1200


def scan(prowler: Path, emulator: Emulator, folder: Path) -> list[tuple[str, str]]:
    """Return what Prowler finds: check, and the last part of the resource's ARN."""
    keys = emulator.credentials
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),  # it keeps nothing of the user's, and reads no profile
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_DEFAULT_REGION": emulator.region,
    }
    options = {
        "--region": [emulator.region],
        "--status": ["FAIL"],
        "--output-formats": ["json-ocsf"],
        "--output-directory": [str(folder)],
        "--output-filename": ["findings"],
        "--log-level": ["CRITICAL"],
        "--service": SERVICES,
    }
    given = [word for name, values in options.items() for word in (name, *values)]
    done = subprocess.run(
        [str(prowler), "aws", "--no-banner", "--no-color", "--ignore-exit-code-3", *given],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads((folder / "findings.ocsf.json").read_text(encoding="utf-8"))
    return [
        (each["metadata"]["event_code"], re.sub(r"^(?:[^:]*:){5}", "", each["resources"][0]["uid"]))
        for each in found
    ]


def test_it_finds_nothing_but_what_the_table_says(tmp_path: Path) -> None:
    prowler = tool("prowler", "prowler")
    with Emulator.start(tmp_path / "emulator") as emulator:
        provider = AwsProvider(emulator.clients)
        key = emulator.clients.get("kms").create_key(Description="of the organisation")["KeyMetadata"]["Arn"]
        deploy(ROOT, provider, stack="dev")
        everything = {name: value for name, value in EVERYTHING.items() if name != "service"}
        deploy(ROOT, provider, stack="orders", overrides={**everything, "encryptionKeyArn": key})
        found = scan(prowler, emulator, tmp_path)
    assert {"healer-", "orders-"} <= {on.rpartition(":")[2].partition("-")[0] + "-" for _, on in found}
    assert judge(found, rows("Prowler")) == []
