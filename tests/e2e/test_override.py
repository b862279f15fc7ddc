"""Remedy `override`, the default of production stacks, with the emulator enforcing IAM: nothing restarts."""

import time
from pathlib import Path

import pytest

from tests.e2e.support.platform import Platform, deployed, wait_for

OK = 200

pytestmark = pytest.mark.slow


def overridden(platform: Platform) -> str | None:
    """Return the value that the service is told to use."""
    key = {"pk": {"S": "override#fragile"}, "sk": {"S": "FAILURE_RATE"}}
    dynamodb = platform.clients.get("dynamodb")
    item = dynamodb.get_item(TableName=platform.outputs["ledgerTable"], Key=key).get("Item", {})
    return item.get("value", {}).get("S")


def test_an_override_heals_without_touching_the_function(tmp_path: Path) -> None:
    with deployed(tmp_path, iam=True, remedies=["override"]) as platform, platform.traffic() as traffic:
        wait_for("the act", lambda: overridden(platform) == "0", platform.story)
        assert platform.variables()["FAILURE_RATE"] == "0.3"
        time.sleep(15)
        quiet = traffic.samples()[-50:]
        assert [sample.status for sample in quiet if sample.status != OK] == []
        assert platform.status() == "VERIFYING"
