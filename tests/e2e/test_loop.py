"""The whole loop, with real traffic: once plainly and once with the emulator enforcing IAM.

The emulator enforces identity policies, permissions boundaries and the topic's policy for its API. It checks
no invoke permissions, and not the topic's policy for alarms: those are evaluated from the recorded documents
in tests/components.
"""

import json
import time
from datetime import datetime

import pytest
from botocore.exceptions import ClientError

from tests.e2e.support.platform import CANARY, Platform, wait_for

OK = 200
SETTLED = 10.0
"""Seconds after the act in which requests that were under way may still fail."""

pytestmark = pytest.mark.slow


def test_the_loop_heals_and_proves_it(platform: Platform) -> None:
    platform.set_variable("CANARY", CANARY)
    epoch = time.time()
    with platform.traffic() as traffic:
        wait_for("the act", lambda: platform.variables()["FAILURE_RATE"] == "0")
        assert platform.variables()["CANARY"] == CANARY

        # A storm of duplicates while the incident is open: one act all the same. With IAM enforced, the topic
        # is closed to all but CloudWatch, its deployer included.
        for _ in range(30):
            if platform.iam:
                with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
                    platform.notify_healer('{"NewStateValue": "ALARM"}')
            else:
                platform.notify_healer('{"NewStateValue": "ALARM"}')
            platform.wake_healer()

        wait_for("recovery", lambda: platform.status() == "RECOVERED", platform.story)
        samples = traffic.samples()

    incident = platform.incident()
    assert incident is not None
    assert incident["acts"] == 1
    assert incident["evidence"]["errors"] == 0
    assert incident["evidence"]["requests"] >= 138
    assert platform.alarm_state("fast") == "OK"

    acted = datetime.fromisoformat(incident["acted_at"]).timestamp()
    began = datetime.fromisoformat(incident["opened_at"]).timestamp()
    assert acted - began < 10
    failed_at = [epoch + sample.sent for sample in samples if sample.status != OK]
    assert failed_at
    assert [at for at in failed_at if at > acted + SETTLED] == []

    told = platform.told()
    assert sum("[selfheal] RECOVERED" in message for message in told) == 1
    logs = platform.logs()
    assert any('"message": "decision"' in line for line in logs)
    everything = [*told, *logs, json.dumps(incident, default=str)]
    assert not [text for text in everything if CANARY in text]


def acts(platform: Platform) -> tuple[str, int] | None:
    """Return the newest incident and its acts; that its drift has ended may be noted meanwhile."""
    incident = platform.incident()
    return (incident["id"], incident["acts"]) if incident else None


def test_an_alarm_forced_into_alarm_changes_nothing(platform: Platform) -> None:
    wait_for("quiet", lambda: platform.alarm_state("fast") != "ALARM")
    platform.set_variable("FAILURE_RATE", "0.3")  # as `up` restores it
    platform.wake_healer()  # which notes that the drift has ended, unless its schedule did already
    before = acts(platform)
    platform.set_alarm("fast", "ALARM")
    reasons = ("alarm-not-corroborated-by-metrics", "alarm-not-fresh", "healthy")
    assert platform.wake_healer()["decisions"]["fragile"] in reasons
    assert acts(platform) == before
    assert platform.variables()["FAILURE_RATE"] == "0.3"
