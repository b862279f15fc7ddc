"""A queue's mapping in the whole sandbox: its `enabled` belongs to whoever runs the service, not to `up`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.emulator import Emulator
from sandbox.engine.engine import Engine
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state_file import StateFile
from sandbox.provider import AwsProvider, Clients
from tests.support.emulator_functions import deploy, until

pytestmark = pytest.mark.slow

PROGRAM = """
import pulumi
import pulumi_aws as aws

queue = aws.sqs.Queue("jobs", visibility_timeout_seconds=30)
mapping = aws.lambda_.EventSourceMapping(
    "jobs",
    event_source_arn=queue.arn,
    function_name="worker",
    batch_size={batch_size},
    opts=pulumi.ResourceOptions(ignore_changes=["enabled"]),
)
pulumi.export("uuid", mapping.uuid)
pulumi.export("queue", queue.url)
"""


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator.start(tmp_path / "emulator") as running:
        yield running


def test_up_leaves_a_paused_consumer_paused(tmp_path: Path, emulator: Emulator) -> None:
    clients = Clients(emulator.endpoint, emulator.region, emulator.credentials)
    lambda_, sqs = clients.get("lambda"), clients.get("sqs")
    deploy(clients, "worker")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: jobs\nruntime: python\noptions:\n  refresh: always\n")
    (project / "Pulumi.dev.yaml").write_text("config:\n  aws:region: us-east-1\n")

    def engine(batch_size: int) -> Engine:
        (project / "__main__.py").write_text(PROGRAM.format(batch_size=batch_size))
        return Engine(
            Project.load(project),
            StackConfig.load(project, "dev"),
            StateFile(tmp_path / "state.json"),
            AwsProvider(emulator.endpoint, emulator.region, emulator.credentials),
        )

    def live() -> dict[str, Any]:
        return lambda_.get_event_source_mapping(UUID=uuid)

    first = engine(10).up()
    assert first.ok, first.error
    uuid, queue = first.outputs["uuid"], first.outputs["queue"]
    assert live()["State"] == "Enabled"

    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    again = engine(10).up()
    assert again.ok, again.error
    assert set(again.changes) == {"same"}
    assert live()["State"] == "Disabled"

    other = engine(5).up()
    assert other.ok, other.error
    assert other.changes["update"] == 1
    assert (live()["State"], live()["BatchSize"]) == ("Disabled", 5)

    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    until(lambda: _messages(sqs, queue) == 0, 20)

    gone = engine(5).destroy()
    assert gone.ok, gone.error
    with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
        live()


def _messages(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(answer[name]) for name in names)
