"""Ways around the rules that a sceptical engineer found: each a kind that no row of the other tables has."""

from tests.policies.mutations.table import foreign
from tests.policies.support.changes import Change, add, document, several, text
from tests.policies.support.healers import subscribe
from tests.policies.support.references import Ref

ANYBODY = {"Principal": {"AWS": "*"}}


def side_topic(*more: Change) -> Change:
    """Let another topic wake the healer, to which no alarm publishes."""
    return several(
        add("sns.Topic", "chat"), lambda scene: subscribe(scene, "chat", "medic", "chat-medic"), *more
    )


def side_queue(*more: Change) -> Change:
    """Let the healer read another queue, to which no alarm leads."""
    mapping = {
        "eventSourceArn": Ref("side"),
        "functionName": Ref("medic", "name"),
        "functionResponseTypes": ["ReportBatchItemFailures"],
    }
    return several(add("sqs.Queue", "side"), add("lambda.EventSourceMapping", "from-side", **mapping), *more)


SIDE_DOORS = [
    *foreign(
        "sns-topic-policy-closed",
        ("another topic without a policy", "topic", side_topic()),
        (
            "another topic that is open to everybody",
            "alarm action",
            side_topic(
                add(
                    "sns.TopicPolicy",
                    "chat-policy",
                    arn=Ref("chat"),
                    policy=document(ANYBODY | {"Action": "sns:Publish", "Resource": text("chat")}),
                )
            ),
        ),
    ),
    *foreign(
        "sqs-queue-policy-closed",
        (
            "another queue that is open to everybody",
            "topic",
            side_queue(
                add(
                    "sqs.QueuePolicy",
                    "side-policy",
                    queueUrl=Ref("side", "id"),
                    policy=document(ANYBODY | {"Action": "sqs:SendMessage", "Resource": text("side")}),
                )
            ),
        ),
    ),
]
