"""Dead-letter queues: what they keep, who is told, and who may send there."""

from typing import Any

import pytest

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import own_code
from selfheal.components.patterns.dead_letters import DeadLetters, DeadLettersArgs
from selfheal.components.patterns.function import FunctionArgs, pattern_function
from selfheal.components.security import Security
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
DAY = 86400


def dead_letters(preview: bool = False, **changes: Any) -> Deployment:
    args: DeadLettersArgs = {"people": PEOPLE} | changes  # pyright: ignore[reportAssignmentType]
    return deploy(lambda: DeadLetters("lost", args) and None, preview=preview)


def test_a_letter_is_kept_as_long_as_sqs_keeps_one_and_encrypted() -> None:
    (queue,) = dead_letters().of("aws:sqs/queue:Queue")
    assert queue.inputs == {"messageRetentionSeconds": 14 * DAY, "sqsManagedSseEnabled": True}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("what", "metric", "threshold"),
    [
        ("depth", "ApproximateNumberOfMessagesVisible", 1),
        ("age", "ApproximateAgeOfOldestMessage", 3 * DAY),
    ],
)
def test_depth_and_age_tell_people_when_they_alarm_and_when_they_clear(
    preview: bool, what: str, metric: str, threshold: int
) -> None:
    alarm = dict(dead_letters(preview, holds="letters of a test").named(f"lost-{what}").inputs)
    text = alarm.pop("alarmDescription")
    assert "letters of a test" in text
    assert "lost-1a2b3c4" in text
    assert "selfheal dlq redrive" in text
    assert alarm == {
        "namespace": "AWS/SQS",
        "metricName": metric,
        "dimensions": {"QueueName": "lost-1a2b3c4"},
        "statistic": "Maximum",
        "threshold": threshold,
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "period": 60,
        "evaluationPeriods": 1,
        "datapointsToAlarm": 1,
        "treatMissingData": "notBreaching",
        "alarmActions": [PEOPLE],
        "okActions": [PEOPLE],
    }


def test_numbers_of_days_are_as_given() -> None:
    deployment = dead_letters(retention_days=8, age_days=3)
    (queue,) = deployment.of("aws:sqs/queue:Queue")
    assert queue.inputs["messageRetentionSeconds"] == 8 * DAY
    assert deployment.named("lost-age").inputs["threshold"] == 3 * DAY


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"retention_days": 7}, "retention_days must be a whole number from 8 to 14 days, got 7"),
        ({"retention_days": 15}, "retention_days must be a whole number from 8 to 14 days, got 15"),
        ({"age_days": 0}, "age_days must be a whole number from 1 to 9 days, got 0"),
        ({"age_days": 10}, "age_days must be a whole number from 1 to 9 days, got 10"),
        # A letter may have used up four days before, and a day is to be left.
        ({"retention_days": 9, "age_days": 5}, "age_days must be a whole number from 1 to 4 days, got 5"),
    ],
)
def test_numbers_of_days_out_of_range_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        dead_letters(**changes)


def test_who_uses_it_may_send_there_and_nothing_else() -> None:
    def program() -> None:
        lost = DeadLetters("lost", {"people": PEOPLE})
        user: FunctionArgs = {"code": own_code("fragile"), "uses": [lost.access]}
        arns = Arns(lost)
        pattern_function("user", user, Access(), arns=arns, security=Security({}, arns), parent=lost)

    deployment = deploy(program)
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lost-1a2b3c4"
    policy = deployment.named("user-policy").inputs["policy"]
    assert iam.allows(policy, "sqs:SendMessage", arn)
    assert not any(iam.allows(policy, f"sqs:{action}", arn) for action in ("ReceiveMessage", "DeleteMessage"))
    assert deployment.named("user").inputs["environment"]["variables"] == {
        "DEAD_LETTERS_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/lost-1a2b3c4"
    }
