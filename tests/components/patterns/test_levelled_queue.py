"""The queue, its consumer and its mapping: what is registered, what is known at preview, what is refused."""

import json
import math
from pathlib import Path
from typing import Any

import pulumi
import pytest

from selfheal.components.access import Access
from selfheal.components.errors import ComponentError
from selfheal.components.function import code
from selfheal.components.iam import allow
from selfheal.components.patterns.levelled_queue import (
    RETENTION_SECONDS,
    ROOM_SECONDS,
    LevelledQueue,
    LevelledQueueArgs,
)
from selfheal.functions.shared.pace import LAST_DAY_SECONDS, SPARE_SECONDS
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/circuits"
QUEUE, LETTERS, EVICTED = (
    f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-1a2b3c4"
    for name in ("orders", "orders-dead-letters", "orders-evicted")
)
DAY = 86400


class Payments:
    """A circuit, as far as a queue knows one."""

    def __init__(self) -> None:
        self.access = Access({"CIRCUIT": "payments"}, [allow(["dynamodb:UpdateItem"], [TABLE])])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "consumer.py").write_text("def handle(event, context): ...\n")
    return tmp_path


def levelled(
    folder: Path, preview: bool = False, consumer: dict[str, Any] | None = None, **changes: Any
) -> Deployment:
    runs = {"code": code(folder, "consumer.handle")} | (consumer or {})
    args: LevelledQueueArgs = {"consumer": runs, "rate": 10, "people": PEOPLE} | changes  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        queue = LevelledQueue("orders", args)
        pulumi.export("arn", queue.queue_arn)
        pulumi.export("sender", [*queue.sender.statements])
        pulumi.export("variables", {**queue.sender.environment})
        pulumi.export("concurrency", queue.maximum_concurrency)
        pulumi.export("names", [queue.queue_name, queue.function_name, queue.evicted.queue_name])

    return deploy(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False])
def test_the_queue_hides_messages_for_six_timeouts_and_its_letters_live_longer(
    folder: Path, preview: bool
) -> None:
    deployment = levelled(folder, preview, {"timeout_seconds": 40})
    queues = {queue.name: queue.inputs for queue in deployment.of("aws:sqs/queue:Queue")}
    redrive = json.loads(queues["orders"]["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": LETTERS, "maxReceiveCount": 5}
    assert queues["orders"]["visibilityTimeoutSeconds"] == 240
    assert queues["orders"]["messageRetentionSeconds"] == 4 * DAY
    for name in ("orders-dead-letters", "orders-evicted"):
        assert queues[name]["messageRetentionSeconds"] == 14 * DAY
    assert all(queue["sqsManagedSseEnabled"] is True for queue in queues.values())


def test_only_this_queue_may_redrive_to_its_dead_letters(folder: Path) -> None:
    allowed = levelled(folder).named("orders-redrive-allow").inputs
    assert allowed["queueUrl"].endswith("/orders-dead-letters-1a2b3c4")
    assert json.loads(allowed["redriveAllowPolicy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [QUEUE],
    }


@pytest.mark.parametrize("preview", [True, False])
def test_the_mapping_caps_its_concurrency_and_takes_partial_answers(folder: Path, preview: bool) -> None:
    mapping = levelled(folder, preview, maximum_concurrency=4, batch_size=7).named("orders-mapping")
    assert mapping.inputs == {
        "eventSourceArn": QUEUE,
        "functionName": "orders-consumer-1a2b3c4",
        "batchSize": 7,
        "scalingConfig": {"maximumConcurrency": 4},
        "functionResponseTypes": ["ReportBatchItemFailures"],
    }
    assert mapping.ignored == ()


def test_the_consumer_is_told_its_pace_and_where_to_put_what(folder: Path) -> None:
    function = levelled(folder, consumer={"environment": {"OWN": "1"}}).named("orders-consumer").inputs
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders"
    assert function["environment"]["variables"] == {
        "OWN": "1",
        "QUEUE_URL": f"{url}-1a2b3c4",
        "QUEUE_NAME": "orders-1a2b3c4",
        "DEAD_LETTERS_URL": f"{url}-dead-letters-1a2b3c4",
        "EVICTED_URL": f"{url}-evicted-1a2b3c4",
        "SECONDS_PER_MESSAGE": "0.5",
        "MAX_AGE_SECONDS": "21600",
        "RETENTION_SECONDS": "345600",
    }
    assert function["handler"] == "consumer.handle"


@pytest.mark.parametrize("preview", [True, False])
def test_the_consumer_may_take_from_its_queue_and_move_to_two_others_and_nothing_else(
    folder: Path, preview: bool
) -> None:
    policy = levelled(folder, preview).named("orders-consumer-policy").inputs["policy"]
    assert iam.too_wide(policy) == []
    assert {
        (action, arn)
        for statement in iam.statements(policy)
        for action in statement["Action"]
        for arn in statement["Resource"]
        if action.startswith("sqs:")
    } == {
        *((f"sqs:{what}", QUEUE) for what in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
        ("sqs:ChangeMessageVisibility", QUEUE),
        ("sqs:SendMessage", LETTERS),
        ("sqs:SendMessage", EVICTED),
    }
    assert {action.split(":")[0] for s in iam.statements(policy) for action in s["Action"]} == {
        *("sqs", "logs", "xray")
    }


@pytest.mark.parametrize("preview", [True, False])
def test_what_others_need_is_known_at_preview(folder: Path, preview: bool) -> None:
    exports = levelled(folder, preview).exports
    assert exports == {
        "arn": QUEUE,
        "sender": [{"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [QUEUE]}],
        "variables": {},
        "concurrency": 5,
        "names": ["orders-1a2b3c4", "orders-consumer-1a2b3c4", "orders-evicted-1a2b3c4"],
    }


def test_a_breaker_owns_the_mapping_of_a_consumer_behind_its_circuit(folder: Path) -> None:
    deployment = levelled(folder, circuit=Payments())
    assert deployment.named("orders-mapping").ignored == ("enabled", "scalingConfig")
    (queue,) = (each for each in deployment.of("aws:sqs/queue:Queue") if each.name == "orders")
    assert json.loads(queue.inputs["redrivePolicy"])["maxReceiveCount"] == 1000
    assert deployment.named("orders-consumer").inputs["environment"]["variables"]["CIRCUIT"] == "payments"
    assert iam.allows(
        deployment.named("orders-consumer-policy").inputs["policy"], "dynamodb:UpdateItem", TABLE
    )


def test_a_circuit_that_the_consumer_already_uses_is_used_once(folder: Path) -> None:
    circuit = Payments()
    deployment = levelled(folder, consumer={"uses": [circuit.access]}, circuit=circuit)
    policy = iam.statements(deployment.named("orders-consumer-policy").inputs["policy"])
    assert [statement["Action"] for statement in policy].count(["dynamodb:UpdateItem"]) == 1


@pytest.mark.parametrize("preview", [True, False])
def test_people_are_told_of_what_will_take_too_long(folder: Path, preview: bool) -> None:
    deployment = levelled(folder, preview)
    queue, function = {"QueueName": "orders-1a2b3c4"}, {"FunctionName": "orders-consumer-1a2b3c4"}
    for what, watched, threshold, periods in (
        # At 10 a second it takes 900 s to handle 9,000.
        ("trailing", ("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue), 9000, 3),
        ("expiring", ("AWS/SQS", "ApproximateAgeOfOldestMessage", queue), 2 * DAY, 1),
        ("age", ("selfheal", "OldestAge", function), 10800, 1),
    ):
        alarm = deployment.named(f"orders-{what}").inputs
        assert (alarm["namespace"], alarm["metricName"], alarm["dimensions"]) == watched
        assert (alarm["statistic"], alarm["threshold"]) == ("Maximum", threshold)
        assert (alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (periods, periods)
        assert alarm["alarmActions"] == alarm["okActions"] == [PEOPLE]
        assert "orders-1a2b3c4" in alarm["alarmDescription"]


def test_people_are_told_of_letters_and_of_what_was_evicted(folder: Path) -> None:
    deployment = levelled(folder)
    for queue in ("orders-dead-letters", "orders-evicted"):
        for what in ("depth", "age"):
            alarm = deployment.named(f"{queue}-{what}").inputs
            assert alarm["dimensions"] == {"QueueName": f"{queue}-1a2b3c4"}
            assert alarm["alarmActions"] == [PEOPLE]


def test_a_few_messages_of_a_slow_queue_are_no_alarm_of_nothing(folder: Path) -> None:
    alarm = levelled(folder, rate=0.1, batch_size=1, maximum_concurrency=2, drain_seconds=65)
    assert alarm.named("orders-trailing").inputs["threshold"] == 7


def test_secrets_are_not_recorded_as_arguments(folder: Path) -> None:
    deployment = levelled(folder, consumer={"environment": {"TOKEN": "s3cret"}})
    assert deployment.of("selfheal:index:LevelledQueue")[0].inputs == {}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"rate": 0.09}, "rate must be a number from 0.1 to 1,000, got 0.09."),
    ({"rate": 1001}, "rate must be a number from 0.1 to 1,000, got 1001."),
    ({"rate": math.nan}, "rate must be a number from 0.1 to 1,000, got nan."),
    ({"rate": True}, "rate must be a number from 0.1 to 1,000, got True."),
    (
        {"maximum_concurrency": 1},
        "maximum_concurrency must be a whole number from 2 to 1,000, got 1. Leave it out for 5.",
    ),
    ({"maximum_concurrency": 2.5}, "maximum_concurrency must be a whole number from 2 to 1,000, got 2.5."),
    ({"batch_size": 0}, "batch_size must be a whole number from 1 to 10, got 0. Leave it out for 10."),
    ({"batch_size": 11}, "batch_size must be a whole number from 1 to 10, got 11. Leave it out for 10."),
    (
        {"max_age_seconds": 59},
        "max_age_seconds must be a whole number from 60 to 259,200, got 59. Leave it out for 21,600.",
    ),
    (
        {"max_age_seconds": 259201},
        "max_age_seconds must be a whole number from 60 to 259,200, got 259201.",
    ),
    (
        {"drain_seconds": 59},
        "drain_seconds must be a whole number from 60 to 86,400, got 59. Leave it out for 900.",
    ),
    (
        {"most_receives": 0},
        "most_receives must be a whole number from 1 to 1,000, got 0. Leave it out for 5.",
    ),
    ({"most_receives": 5, "circuit": Payments()}, "most_receives must be 1000 with a circuit, got 5: "),
]


@pytest.mark.parametrize(("changes", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_bad_arguments_are_refused_with_what_is_allowed(
    folder: Path, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(ComponentError) as error:
        levelled(folder, **changes)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("rate", "takes", "advice", "timeout"),
    [
        (1, "50 s at 1 a", "batch_size to at most 5", 52),
        (0.1, "500 s at 0.1 a", "batch_size and maximum_", 502),
    ],
)
def test_a_batch_that_does_not_fit_into_the_timeout_is_refused_with_what_to_change(
    folder: Path, rate: float, takes: str, advice: str, timeout: int
) -> None:
    with pytest.raises(ComponentError) as error:
        levelled(folder, rate=rate)
    text = str(error.value)
    assert f"a batch of 10 takes {takes} second with 5 batches at a time" in text
    assert "must leave 2 s of the consumer's timeout of 30 s for a slow call" in text
    assert f"Set {advice}" in text
    assert f"or timeout_seconds of the consumer to at least {timeout}." in text


def test_that_advice_helps(folder: Path) -> None:
    levelled(folder, rate=1, batch_size=5)
    with pytest.raises(ComponentError):
        levelled(folder, rate=1, batch_size=6)
    levelled(folder, rate=1, consumer={"timeout_seconds": 52})


def test_a_variable_of_the_pattern_cannot_be_set_by_its_user(folder: Path) -> None:
    with pytest.raises(ComponentError, match="must not set SECONDS_PER_MESSAGE"):
        levelled(folder, consumer={"environment": {"SECONDS_PER_MESSAGE": "0"}})


def test_the_component_leaves_what_its_consumer_needs(folder: Path) -> None:
    """On time after the last message, and on days before the queue deletes what is evicted last."""
    assert ROOM_SECONDS > SPARE_SECONDS
    with pytest.raises(ComponentError):
        levelled(folder, max_age_seconds=RETENTION_SECONDS - int(LAST_DAY_SECONDS) + 1)
    levelled(folder, max_age_seconds=RETENTION_SECONDS - int(LAST_DAY_SECONDS))


@pytest.mark.parametrize("preview", [True, False])
def test_with_an_alias_the_queue_feeds_that_and_each_change_publishes_a_version(
    folder: Path, preview: bool
) -> None:
    deployment = levelled(folder, preview, alias=True)
    assert deployment.named("orders-consumer").inputs["publish"] is True
    alias = deployment.named("orders-consumer-live").inputs
    assert (alias["name"], alias["functionName"]) == ("live", "orders-consumer-1a2b3c4")
    if not preview:
        fed = deployment.named("orders-mapping").inputs["functionName"]
        assert fed.endswith(":function:orders-consumer-1a2b3c4:live")


def test_without_one_the_queue_feeds_the_newest_code(folder: Path) -> None:
    deployment = levelled(folder)
    assert deployment.of("aws:lambda/alias:Alias") == []
    assert deployment.named("orders-mapping").inputs["functionName"] == "orders-consumer-1a2b3c4"


def test_an_alias_behind_a_circuit_is_refused(folder: Path) -> None:
    """The breaker would not find the mapping, and could not pause it."""
    with pytest.raises(ComponentError, match="alias must be false with a circuit"):
        levelled(folder, alias=True, circuit=Payments())
