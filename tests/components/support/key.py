"""A key of the organisation, and what the program registers with it."""

import json
import runpy
from collections.abc import Mapping
from typing import Any

from tests.conftest import ROOT
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/developers"

LAYER = "arn:aws:lambda:us-east-1:211125607513:layer:aws-fis-extension-arm64:9"

EVERYTHING = {"service": "orders", "sandbox": "true", "analytics": "true", "chaos": "true"}
"""The orders service with all that can be added to it."""


def program(preview: bool = False, /, **config: str) -> Deployment:
    """Deploy the unmodified program by this configuration."""
    given = {"failureRate": "0.3", "mode": "act", **config}

    def run() -> None:
        runpy.run_path(str(ROOT / "__main__.py"))

    return deploy(
        run,
        preview=preview,
        config={f"selfheal:{key}": value for key, value in given.items()},
        invokes={"aws:ssm/getParameter:getParameter": lambda args: {**args, "value": LAYER}},
    )


def key_policy() -> str:
    """Return the key's policy that the documentation gives."""
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    return text.partition("<!-- key policy -->\n```json\n")[2].partition("```")[0]


def key_rights(policy: str) -> dict[str, set[str]]:
    """Return what a role's policy allows with the key, by the service through which, or `environment`.

    Fails for a statement on another key, or with another condition.
    """
    found: dict[str, set[str]] = {}
    for statement in json.loads(policy)["Statement"]:
        if not any(action.startswith("kms:") for action in statement["Action"]):
            continue
        assert statement["Resource"] == [KEY]
        through = _through(statement["Condition"])
        assert through not in found, f"two statements for {through}"
        found[through] = {action.removeprefix("kms:") for action in statement["Action"]}
    return found


def _through(condition: Mapping[str, Mapping[str, Any]]) -> str:
    context = "kms:EncryptionContext:aws:lambda:FunctionArn"
    [(operator, values)] = condition.items()
    if operator == "StringLike":
        assert values == {context: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"}
        return "environment"
    assert operator == "StringEquals"
    name = values["kms:ViaService"].removesuffix(f".{REGION}.amazonaws.com")
    if name == "lambda":
        return f"environment of {values[context].rpartition(':')[2]}"
    assert set(values) == {"kms:ViaService"}
    return name
