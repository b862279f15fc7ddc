"""A bus, its subscribers and a publisher, deployed, with the permissions that the components gave them."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.shared.publisher import Publisher, PublishError
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.cli.support import told
from tests.e2e.support.foreign_shop import foreign_deployed
from tests.support.processes import until

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "fanned_out"
QUIET_SECONDS = 1.0
"""Longer than an event takes from the publisher to its consumers."""


@dataclass
class Deployed:
    """The bus, and what its subscribers got."""

    emulator: Emulator
    outputs: dict[str, Any]

    @property
    def clients(self) -> Clients:
        return self.emulator.clients

    def send(self, *bodies: str) -> None:
        """Have events published."""
        for body in bodies:
            self.clients.get("sqs").send_message(QueueUrl=self.outputs["intake"], MessageBody=body)

    def got(self, subscriber: str, prefix: str, key: str = "order") -> list[Any]:
        """Return the orders that begin so which a subscriber got, or another field of what it wrote down."""
        name = self.outputs["functions"][subscriber]
        config = self.clients.get("lambda").get_function_configuration(FunctionName=name)
        pages = self.clients.get("logs").get_paginator("filter_log_events")
        lines = [
            event["message"]
            for page in pages.paginate(logGroupName=config["LoggingConfig"]["LogGroup"])
            for event in page["events"]
        ]
        notes = [json.loads(line) for line in lines if '"message": "got"' in line]
        return sorted(note[key] for note in notes if note["order"].startswith(prefix))

    def letters(self) -> list[dict[str, Any]]:
        """Take the events that could not be delivered."""
        answer = self.clients.get("sqs").receive_message(
            QueueUrl=self.outputs["letters"], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])

    def failures(self) -> list[dict[str, Any]]:
        """Return what is in the bucket of the stream's failures."""
        s3, bucket = self.clients.get("s3"), self.outputs["failures"]
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("fanned-out")
    with Emulator.start(folder / "emulator", iam=True) as emulator:
        yield Deployed(emulator, foreign_deployed(folder / "program", emulator.clients, PROGRAM))


def _sum_of(clients: Clients, alarm: dict[str, Any]) -> float:
    """Return the sum of what an alarm watches, over the last ten minutes."""
    now = datetime.now(UTC)
    found = clients.get("cloudwatch").get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])


def test_an_event_reaches_the_subscribers_that_it_matches_once_each(deployed: Deployed) -> None:
    accepted, paid = [f"a{n:02}" for n in range(12)], [f"p{n:02}" for n in range(7)]
    deployed.send(*(f"accepted {order}" for order in accepted), *(f"paid {order}" for order in paid))
    until(lambda: len(deployed.got("analytics", "")) >= 19 and len(deployed.got("billing", "")) >= 7)
    time.sleep(QUIET_SECONDS)
    assert deployed.got("fulfilment", "") == accepted
    assert deployed.got("billing", "") == paid
    assert deployed.got("analytics", "") == deployed.got("analytics", "", "key") == accepted + paid
    assert deployed.letters() == []


def test_a_publisher_names_the_entry_that_the_bus_refuses_and_the_others_arrive(deployed: Deployed) -> None:
    bus = deployed.outputs["buses"]["orders"]["bus"]
    entries = [
        {"DetailType": "paid", "Detail": json.dumps({"id": f"entry{n}"}), **source}
        for n, source in enumerate(({}, {"Source": "aws.orders"}, {}))
    ]
    with pytest.raises(PublishError) as raised:
        Publisher(deployed.clients.get("events"), bus, "orders").publish(entries)
    assert [(each.index, each.code) for each in raised.value.unsent] == [
        (1, "NotAuthorizedForSourceException")
    ]
    until(lambda: deployed.got("billing", "entry") == ["entry0", "entry2"])


def test_poison_of_a_stream_is_kept_with_its_data_and_the_others_pass(deployed: Deployed) -> None:
    deployed.send("accepted poisoned-no", *(f"accepted s{n}" for n in range(6)), "accepted poison-1")
    deployed.send(*(f"accepted t{n}" for n in range(6)))
    until(lambda: len(deployed.failures()) == 2 and len(deployed.got("analytics", "t")) == 6)
    assert deployed.got("analytics", "s") == [f"s{n}" for n in range(6)]
    assert deployed.got("analytics", "t") == [f"t{n}" for n in range(6)]
    dead: list[str] = []
    for letter in deployed.failures():
        assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
        assert letter["requestContext"]["functionArn"].endswith(deployed.outputs["functions"]["analytics"])
        [record] = json.loads(letter["payload"])["Records"]
        dead.append(record["kinesis"]["partitionKey"])
    assert sorted(dead) == ["poison-1", "poisoned-no"]
    alarms = deployed.clients.get("cloudwatch").describe_alarms()["MetricAlarms"]
    [alarm] = [each for each in alarms if each["AlarmName"].startswith("analytics-unhandled-")]
    until(lambda: _sum_of(deployed.clients, alarm) == 2)


def test_a_replay_by_command_reaches_the_subscriber_that_is_named_only(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    bus = deployed.outputs["buses"]["orders"]
    before = {name: len(deployed.got(name, "")) for name in ("fulfilment", "billing", "analytics")}
    billing = bus["rules"]["billing"].rpartition("/")[2]
    where = ("--endpoint", deployed.emulator.endpoint, "--archive", bus["archive"], "--rule", billing)
    done = told("replay", "--from", "1h", "--no-wait", *where)
    assert (done["state"], done["subscribers"]) == ("COMPLETED", {billing: bus["rules"]["billing"]})
    # Seven that were paid, and two of the publisher's.
    until(lambda: len(deployed.got("billing", "")) == before["billing"] + 9)
    time.sleep(QUIET_SECONDS)
    after = {name: len(deployed.got(name, "")) for name in before}
    assert after == before | {"billing": before["billing"] + 9}
    assert deployed.got("billing", "p00", "replay") == ["", done["replay"]]


def test_an_event_for_a_queue_that_is_gone_is_a_letter_and_the_others_get_theirs(deployed: Deployed) -> None:
    deployed.clients.get("sqs").delete_queue(QueueUrl=deployed.outputs["billingQueue"])
    deployed.send("paid late")
    letters: list[dict[str, Any]] = []
    until(lambda: bool(letters.extend(deployed.letters()) or letters))
    [letter] = letters
    said = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    name = deployed.outputs["billingQueue"].rsplit("/", 1)[-1]
    assert said["RULE_ARN"] == deployed.outputs["buses"]["orders"]["rules"]["billing"]
    assert said["TARGET_ARN"] == f"arn:aws:sqs:us-east-1:000000000000:{name}"
    assert said["ERROR_CODE"] == "NO_RESOURCE"
    assert json.loads(letter["Body"])["detail"] == {"id": "late"}
    until(lambda: deployed.got("analytics", "late") == ["late"])
