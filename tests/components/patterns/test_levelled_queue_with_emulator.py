"""A levelled queue and its consumer, deployed, with the permissions that the component gave it."""

import json
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from selfheal.functions.shared.contract import SERIES, AlarmKind
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.e2e.support.foreign_shop import foreign_deployed
from tests.support.emulator_functions import points
from tests.support.processes import until

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "levelled"
RATE, PLACES = 20, 4


@dataclass
class Deployed:
    """The queue, and what its consumer did."""

    clients: Clients
    outputs: dict[str, Any]

    def send(self, *bodies: str) -> None:
        for first in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[first : first + 10])
            ]
            self.clients.get("sqs").send_message_batch(QueueUrl=self.outputs["queue"], Entries=entries)

    def begun(self, prefix: str) -> list[tuple[float, str]]:
        """Return when messages whose body begins so were begun, and their bodies, in order."""
        logs, function = self.clients.get("logs"), self.outputs["function"]
        config = self.clients.get("lambda").get_function_configuration(FunctionName=function)
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=config["LoggingConfig"]["LogGroup"]
        )
        lines = [event["message"].strip() for page in pages for event in page["events"]]
        said = [json.loads(line) for line in lines if '"message": "begun"' in line]
        return sorted((line["at"], line["body"]) for line in said if line["body"].startswith(prefix))

    def letters(self, queue: str) -> list[dict[str, Any]]:
        """Take what is in a queue of letters."""
        answer = self.clients.get("sqs").receive_message(
            QueueUrl=self.outputs[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])

    def counted(self, *metrics: str) -> list[float]:
        """Return sums of metrics that the consumer counted itself. Default: its calls and its failures."""
        function = self.outputs["function"]
        own = SERIES[AlarmKind.FAST]
        names = metrics or own.metrics
        return [points(self.clients, function, name, own.namespace)[1] for name in names]

    def waiting(self) -> int:
        """Return how many messages the queue has, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.clients.get("sqs").get_queue_attributes(
            QueueUrl=self.outputs["queue"], AttributeNames=names
        )["Attributes"]
        return sum(int(found[name]) for name in names)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Deliver nothing meanwhile."""
        lambda_ = self.clients.get("lambda")
        (mapping,) = lambda_.list_event_source_mappings(FunctionName=self.outputs["function"])[
            "EventSourceMappings"
        ]
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def set(self, **variables: str) -> None:
        """Change variables of the consumer."""
        lambda_, function = self.clients.get("lambda"), self.outputs["function"]
        found = lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        lambda_.update_function_configuration(
            FunctionName=function, Environment={"Variables": found | variables}
        )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("levelled")
    with Emulator.start(folder / "emulator", iam=True) as emulator:
        yield Deployed(emulator.clients, foreign_deployed(folder / "program", emulator.clients, PROGRAM))


def said(letter: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}


def test_its_pace_is_kept_by_all_of_its_places_together(deployed: Deployed) -> None:
    with deployed.paused():
        deployed.send(*(f"good {number}" for number in range(60)))
    until(lambda: deployed.waiting() == 0, 60)
    moments = [at for at, _ in deployed.begun("good")]
    assert len(moments) == 60
    # A message is noted a little after it was begun, and then the next seems to follow too soon.
    slack = 0.25
    for first in range(60):
        for last in range(first + PLACES, 60):
            begun = last - first + 1
            assert begun - PLACES <= RATE * (moments[last] - moments[first] + slack)


def test_poison_is_a_letter_a_failure_comes_again_and_their_neighbours_come_once(deployed: Deployed) -> None:
    before = deployed.counted()
    with deployed.paused():
        deployed.send("fine 1", "poison", "fine 2", "bug", "fine 3")
    until(lambda: deployed.waiting() == 0, 60)
    counts = Counter(body for _, body in deployed.begun(""))
    assert [counts[body] for body in ("fine 1", "fine 2", "fine 3", "poison", "bug")] == [1, 1, 1, 1, 2]
    (letter,) = deployed.letters("letters")
    assert letter["Body"] == "poison"
    name = deployed.outputs["queue"].rsplit("/", 1)[-1]
    assert said(letter) == {
        "origin": f"arn:aws:sqs:us-east-1:000000000000:{name}",
        "target": name,
        "reason": "no amount",
    }
    assert deployed.counted() == [before[0] + 6, before[1] + 1]


def test_what_waited_too_long_is_evicted_and_counted(deployed: Deployed) -> None:
    deployed.set(MAX_AGE_SECONDS="1")
    with deployed.paused():
        deployed.send("late")
        time.sleep(1.5)
    until(lambda: deployed.waiting() == 0, 60)
    (letter,) = deployed.letters("evicted")
    assert letter["Body"] == "late"
    assert said(letter)["target"] == deployed.outputs["queue"].rsplit("/", 1)[-1]
    assert said(letter)["reason"].endswith("s; 1 s are allowed")
    assert deployed.begun("late") == []
    evicted, oldest = deployed.counted("Evicted", "OldestAge")
    assert evicted == 1
    assert oldest >= 1.5
