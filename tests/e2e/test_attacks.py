"""What the healer must refuse, sent to it in the emulator. No clock: the tests set alarms and metrics."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.e2e.support.platform import Platform, deployed, wait_for

pytestmark = pytest.mark.slow

TOPIC = "arn:aws:sns:us-east-1:000000000000:"


def notification(
    topic: str, alarm: str, state: str, at: str = "2026-11-21T09:40:00.000+0000"
) -> dict[str, Any]:
    message = f'{{"AlarmName": "{alarm}", "NewStateValue": "{state}", "StateChangeTime": "{at}"}}'
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": topic, "Message": message}}]}


def nudges(platform: Platform) -> dict[str, object]:
    """Events that may wake it, whatever they claim."""
    topic = platform.outputs["healerTopicArn"]
    return {
        "an OK notification": notification(topic, platform.outputs["alarmNames"][0], "OK"),
        "an unrelated alarm": notification(topic, "someone-elses", "ALARM"),
        "two days old": notification(
            topic, platform.outputs["alarmNames"][0], "ALARM", "2026-11-19T09:40:00.000+0000"
        ),
    }


STRANGERS: dict[str, object] = {
    "nothing": {},
    "a list": [1, 2],
    "a forged topic": notification(TOPIC + "forged", "healer-fragile-fast", "ALARM"),
    "a claim to be the schedule": {"wake": "schedule", "force": True},
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    with deployed(tmp_path_factory.mktemp("attacked"), iam=False, clock=False) as platform:
        yield platform


def test_nothing_it_is_told_makes_it_act_against_what_it_sees(platform: Platform) -> None:
    """First all is well, then alarms are forced, then the service really fails; in this order."""
    everything = nudges(platform) | STRANGERS

    platform.count(100, 0)
    for what, event in everything.items():
        platform.invoke_healer(event)
        assert platform.variables()["FAILURE_RATE"] == "0.3", f"all is well: {what}"

    platform.set_alarm("fast", "ALARM")
    platform.set_alarm("backstop", "ALARM")
    for what, event in everything.items():
        platform.invoke_healer(event)
        assert platform.variables()["FAILURE_RATE"] == "0.3", f"alarms forced: {what}"
    assert platform.incident() is None

    platform.count(100, 30)
    for what, event in STRANGERS.items():
        assert platform.invoke_healer(event) == {"wake": None, "decisions": {}}, what
        assert platform.variables()["FAILURE_RATE"] == "0.3", f"it really fails: {what}"

    before = platform.healer_runs()
    for _ in range(1000):
        platform.invoke_healer(nudges(platform)["two days old"])
    wait_for("1,000 runs", lambda: platform.healer_runs() - before >= 1000)
    incident = platform.incident()
    assert incident is not None
    assert (incident["acts"], len(incident["recent_acts"])) == (1, 1)
    assert platform.variables()["FAILURE_RATE"] == "0"


def test_no_traffic_after_the_act_is_not_called_recovered(platform: Platform) -> None:
    """Go on from the incident above: the OK notification is delivered, and no request proves anything."""
    platform.set_alarm("fast", "OK")
    platform.set_alarm("backstop", "OK")
    for _ in range(3):
        assert platform.wake_healer()["decisions"] == {"fragile": "collecting-evidence"}
    assert platform.status() == "VERIFYING"
