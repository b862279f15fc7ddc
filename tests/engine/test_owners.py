"""What belongs to runtime is left alone by `up`, and what belongs to Pulumi is restored by it."""

from datetime import UTC, datetime
from typing import Any

from selfheal.cli.operator.mode_override import Change, write_mode
from selfheal.functions.shared.contract import Mode
from tests.support.emulator_functions import deploy
from tests.support.processes import until
from tests.support.stacks import Account, Stack

OVERRIDE = {"pk": {"S": "override#fragile"}, "sk": {"S": "FAILURE_RATE"}}
MODE = {"pk": {"S": "mode"}, "sk": {"S": "override"}}


def item(stack: Stack, key: dict[str, Any]) -> dict[str, Any]:
    """Return an item of the ledger."""
    table = stack.outputs()["ledgerTable"]
    dynamodb = stack.account.clients.get("dynamodb")
    return dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})


def test_up_leaves_the_overrides_of_a_value_and_of_the_mode_and_mends_an_alarm_that_was_changed_by_hand(
    cloud: Account,
) -> None:
    """Also where `remedies` says that the value is for the healer to override.

    The alarm's threshold was made so low that it rang however well the service was.
    """
    stack = cloud.stack("runtime", remedies=["override"])
    stack.up()
    dynamodb, table = stack.account.clients.get("dynamodb"), stack.outputs()["ledgerTable"]
    dynamodb.put_item(TableName=table, Item={**OVERRIDE, "value": {"S": "0"}, "version": {"N": "1"}})
    change = Change(Mode.OBSERVE, "arn:aws:iam::000000000000:user/ada", "seen in a test", clear=False)
    write_mode(dynamodb, table, change, datetime.now(UTC))
    overrides = [item(stack, key) for key in (OVERRIDE, MODE)]
    assert all(overrides)

    cloudwatch = stack.account.clients.get("cloudwatch")
    name = next(name for name in stack.outputs()["alarmNames"] if "fast" in name)

    def alarm() -> dict[str, Any]:
        return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    kept = ("AlarmName", "AlarmActions", "OKActions", "Metrics", "EvaluationPeriods", "TreatMissingData")
    judged = ("Threshold", "ComparisonOperator")
    before = {key: alarm()[key] for key in (*kept, *judged)}
    spoilt = {"Threshold": 0.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    cloudwatch.put_metric_alarm(**before | spoilt)

    assert "~ 1 updated" in stack.up()
    assert {key: alarm()[key] for key in before} == before
    assert [item(stack, key) for key in (OVERRIDE, MODE)] == overrides


JOBS = """
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


def test_up_leaves_a_paused_consumer_paused(cloud: Account) -> None:
    clients = cloud.clients
    lambda_, sqs = clients.get("lambda"), clients.get("sqs")
    deploy(clients, "worker")
    stack = cloud.small("jobs", JOBS.format(batch_size=10))
    stack.up()
    uuid, queue = (stack.outputs()[key] for key in ("uuid", "queue"))

    def live() -> tuple[str, int]:
        found = lambda_.get_event_source_mapping(UUID=uuid)
        return found["State"], found["BatchSize"]

    assert live() == ("Enabled", 10)
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    stack.up("--expect-no-changes")
    assert live() == ("Disabled", 10)

    stack.program(JOBS.format(batch_size=5))
    assert "~ 1 updated" in stack.up()
    assert live() == ("Disabled", 5)

    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def waiting() -> int:
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    until(lambda: waiting() == 0, 20)
    stack.run("destroy", "--skip-preview")
    assert lambda_.list_event_source_mappings()["EventSourceMappings"] == []
