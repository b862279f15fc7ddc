"""The rules on what ends as a dead letter."""

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import five
from tests.policies.support.changes import Change, add, compute, drop, hide, put, remove, several
from tests.policies.support.recording import arn
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.resilience import resilient

ELSEWHERE = arn("sqs.Queue", "elsewhere")
UNTOLD = "no alarm tells people"


def redrive(target: object) -> Json:
    return Json({"deadLetterTargetArn": target, "maxReceiveCount": 3})


def alone(change: Change) -> Change:
    """Take the dead-letter queue of the work away as well, which is none without it."""
    return several(change, remove("work-dead", "work-dead-depth"))


CASES = [
    *five(
        "sqs-queue-dead-letters",
        start=resilient,
        fine=[
            put("work", redrivePolicy=redrive(Ref("work-dead", "text"))),
            several(
                drop("work", "redrivePolicy"),
                add(
                    "sqs.RedrivePolicy",
                    "apart",
                    queueUrl=Unknown(("work",)),
                    redrivePolicy=redrive(Ref("work-dead")),
                ),
            ),
            several(
                add("sqs.Queue", "later"),
                add("scheduler.Schedule", "soon", target={"deadLetterConfig": {"arn": Ref("later")}}),
            ),
            several(
                add("sqs.Queue", "own"), put("counter", deadLetterConfig={"targetArn": Ref("own", "text")})
            ),
        ],
        wrong=[
            (alone(drop("work", "redrivePolicy")), "queue work has no dead-letter queue"),
            (alone(put("work", redrivePolicy="")), "queue work has"),
            (alone(put("work", redrivePolicy='{"maxReceiveCount": 3}')), "queue work has"),
            (alone(compute("work", redrivePolicy=UNKNOWN)), "queue work has"),
            (remove("work"), "queue work-dead has"),
            (add("sqs.Queue", "other"), "queue other has"),
            # No consumer may send there any more.
            (put("consumer-rights", policy="{}"), "queue aside has"),
            # What is consumed is where the work goes on, and no dead letter.
            (
                add("lambda.EventSourceMapping", "a", eventSourceArn=Ref("aside"), functionName="counter"),
                "queue aside has",
            ),
            # A message that a workflow sends when all is well.
            (put("steps", definition='{"States": {}}'), "queue steps-dead has"),
        ],
        elsewhere=[alone(remove("work"))],
        unknown=[
            (hide("work", "redrivePolicy", "work-dead"), ""),
            # sqs-dead-letters-resolved says that it cannot be found.
            (alone(hide("work", "redrivePolicy")), ""),
            (hide("steps", "definition", "steps-dead"), ""),
            (hide("consumer-rights", "policy", "aside"), "queue aside has"),
        ],
        configured=[(alone(drop("work", "redrivePolicy")), {"accepted": ["work"]}, "")],
    ),
    *five(
        "sqs-dead-letters-resolved",
        start=resilient,
        fine=[put("work", redrivePolicy=redrive(Ref("work-dead", "text")))],
        wrong=[
            (put("work", redrivePolicy=redrive(ELSEWHERE)), "elsewhere, which is none of this stack"),
            (put("orders-to-work", deadLetterConfig={"arn": ELSEWHERE}), "event target orders-to-work"),
            (put("breaker-events", destinationConfig={"onFailure": {"destination": ELSEWHERE}}), "elsewhere"),
        ],
        elsewhere=[
            drop("work", "redrivePolicy"),
            put("bus", deadLetterConfig={"arn": arn("sns.Topic", "elsewhere")}),
        ],
        unknown=[
            (hide("work", "redrivePolicy"), "queue work sends what fails (`redrivePolicy`) is not known"),
            (hide("orders-to-work", "deadLetterConfig", "bus"), ""),
            (put("bus", deadLetterConfig={"arn": UNKNOWN}), "event bus bus"),
            (hide("from-clicks", "destinationConfig"), "from-clicks"),
            (hide("news-to-work", "redrivePolicy"), "subscription news-to-work"),
            (hide("steps", "definition"), "state machine steps"),
        ],
        configured=[
            (put("work", redrivePolicy=redrive(ELSEWHERE)), {"queuesElsewhere": ["elsewhere"]}, ""),
        ],
    ),
    *five(
        "sqs-dead-letters-outlast",
        start=resilient,
        fine=[
            drop("work", "messageRetentionSeconds"),
            put("work-dead", messageRetentionSeconds="345601"),
            # What is put aside has an age of its own.
            put("aside", messageRetentionSeconds=60),
        ],
        wrong=[
            (put("work-dead", messageRetentionSeconds=345_600), "keeps messages 345600 s"),
            (
                drop("work-dead", "messageRetentionSeconds"),
                "queue work-dead, the dead-letter queue of queue work",
            ),
            (put("work", messageRetentionSeconds=1_209_600), "that queue 1209600 s"),
        ],
        elsewhere=[drop("work", "redrivePolicy"), put("work", redrivePolicy=redrive(ELSEWHERE))],
        unknown=[
            (hide("work-dead", "messageRetentionSeconds"), "not known at preview"),
            (hide("work", "messageRetentionSeconds"), "not known at preview"),
        ],
        configured=[
            (
                put("work-dead", messageRetentionSeconds=345_601),
                {"moreSeconds": 86_400},
                "at least 86400 s more",
            )
        ],
    ),
    *five(
        "sqs-dead-letters-alarmed",
        start=resilient,
        fine=[
            put("work-dead-depth", metricName="ApproximateAgeOfOldestMessage"),
            put("work-dead-depth", dimensions={"QueueName": Ref("work-dead", "name")}),
            hide("work-dead-depth", "dimensions", "work-dead"),
        ],
        wrong=[
            (remove("work-dead-depth"), f"{UNTOLD} of messages in dead-letter queue work-dead"),
            (remove("aside-depth"), f"{UNTOLD} of messages in dead-letter queue aside"),
            (remove("steps-dead-depth"), "steps-dead"),
            (drop("work-dead-depth", "alarmActions"), "work-dead"),
            (put("work-dead-depth", actionsEnabled=False), "work-dead"),
            (put("work-dead-depth", metricName="NumberOfMessagesSent"), "work-dead"),
            (put("work-dead-depth", dimensions={"QueueName": "other"}), "work-dead"),
        ],
        elsewhere=[add("sqs.Queue", "other"), remove("work", "work-dead", "work-dead-depth")],
        unknown=[
            (hide("work-dead-depth", "dimensions"), "work-dead"),
            (hide("work-dead-depth", "actionsEnabled"), "work-dead"),
            (hide("work-dead-depth", "metricName"), "work-dead"),
        ],
        configured=[
            (
                put("work-dead-depth", metricName="Letters"),
                {"metrics": ["Letters", "ApproximateNumberOfMessagesVisible"]},
                "",
            )
        ],
    ),
]
