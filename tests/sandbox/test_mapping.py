"""A queue's mapping in the whole sandbox, paused and resumed."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy
from tests.support.emulator_functions import deploy as deploy_function
from tests.support.processes import until

pytestmark = pytest.mark.slow

PROGRAM = """
import pulumi
import pulumi_aws as aws

queue = aws.sqs.Queue("jobs", visibility_timeout_seconds=30)
mapping = aws.lambda_.EventSourceMapping(
    "jobs", event_source_arn=queue.arn, function_name="worker", batch_size=10
)
pulumi.export("uuid", mapping.uuid)
pulumi.export("queue", queue.url)
"""


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator.start(tmp_path / "emulator") as running:
        yield running


def test_a_mapping_that_is_resumed_consumes_what_was_sent_meanwhile(
    tmp_path: Path, emulator: Emulator
) -> None:
    clients = Clients(emulator.endpoint, emulator.region, emulator.credentials)
    lambda_, sqs = clients.get("lambda"), clients.get("sqs")
    deploy_function(clients, "worker")
    (tmp_path / "Pulumi.yaml").write_text("name: jobs\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    provider = AwsProvider(emulator.endpoint, emulator.region, emulator.credentials)
    outputs = deploy(tmp_path, provider, stack="dev")
    uuid, queue = outputs["uuid"], outputs["queue"]
    live = lambda_.get_event_source_mapping(UUID=uuid)
    assert (live["State"], live["BatchSize"]) == ("Enabled", 10)

    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    time.sleep(2)
    assert _messages(sqs, queue) == 1
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    until(lambda: _messages(sqs, queue) == 0, 20)


def _messages(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(answer[name]) for name in names)
