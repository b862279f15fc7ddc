"""The rules on what consumes queues, streams and events."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import each, five
from tests.policies.support.changes import Change, drop, hide, put, remove, several, text
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Ref
from tests.policies.support.resilience import resilient

WORK, CLICKS, TARGET = "from-work", "from-clicks", "orders-to-work"
ELSEWHERE = arn("sqs.Queue", "elsewhere")
KAFKA = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/orders/1"
OLDEST, RETRIES = "maximumRecordAgeInSeconds", "maximumRetryAttempts"


def reads(source: Any) -> Change:
    return put(WORK, eventSourceArn=source)


def fails_to(destination: Any, mapping: str = CLICKS) -> Change:
    return put(mapping, destinationConfig={"onFailure": {"destinationArn": destination}})


def retry(**policy: Any) -> Change:
    return put(TARGET, retryPolicy=policy)


CASES = [
    *five(
        "lambda-mapping-visibility",
        start=resilient,
        fine=[
            reads(text("work")),
            several(
                put("work", visibilityTimeoutSeconds=30),
                put("consumer", timeout=5),
                drop(WORK, "maximumBatchingWindowInSeconds"),
            ),
            several(
                drop("work", "visibilityTimeoutSeconds"),
                drop("consumer", "timeout"),
                put(WORK, maximumBatchingWindowInSeconds=12),
            ),
        ],
        wrong=[
            (put("work", visibilityTimeoutSeconds=64), "hides messages for 64 s, and must for at least 65 s"),
            (put("consumer", timeout=11), "at least 71 s"),
            (put(WORK, maximumBatchingWindowInSeconds=6), "at least 66 s"),
            (drop("work", "visibilityTimeoutSeconds"), "for 30 s"),
            (reads(ELSEWHERE), "the queue of event source mapping from-work is none of this stack"),
            (put(WORK, functionName="elsewhere"), "the function of event source mapping from-work"),
        ],
        elsewhere=[reads(KAFKA), remove(WORK), put("counter", timeout=900)],
        unknown=[
            *each(
                "not known at preview",
                hide("work", "visibilityTimeoutSeconds"),
                hide("consumer", "timeout"),
                hide(WORK, "maximumBatchingWindowInSeconds"),
            ),
            (hide(WORK, "functionName"), "the function of event source mapping from-work"),
        ],
        configured=[
            (put("work", visibilityTimeoutSeconds=15), {"times": 1}, ""),
            (put("work", visibilityTimeoutSeconds=14), {"times": 1}, "at least 15 s"),
        ],
    ),
    *five(
        "lambda-mapping-capped",
        start=resilient,
        fine=[
            put(WORK, scalingConfig={"maximumConcurrency": "2"}),
            put("consumer", reservedConcurrentExecutions=5),
            # AWS takes no smaller cap than 2, and -1 reserves nothing.
            put("consumer", reservedConcurrentExecutions=1),
            put("consumer", reservedConcurrentExecutions=-1),
        ],
        wrong=[
            (drop(WORK, "scalingConfig"), "has no maximum concurrency"),
            (put(WORK, scalingConfig={}), "has no maximum concurrency"),
            (
                put("consumer", reservedConcurrentExecutions=4),
                "more than the 4 reserved for function consumer",
            ),
        ],
        elsewhere=[
            several(reads(KAFKA), drop(WORK, "scalingConfig")),
            several(reads(Ref("clicks")), drop(WORK, "scalingConfig")),
        ],
        unknown=each(
            "not known at preview",
            hide(WORK, "scalingConfig"),
            put(WORK, scalingConfig={"maximumConcurrency": UNKNOWN}),
        ),
        configured=[(put(WORK, scalingConfig={"maximumConcurrency": 11}), {"maximum": 10}, "at most 10")],
    ),
    *five(
        "lambda-mapping-partial",
        start=resilient,
        fine=[several(drop(WORK, "functionResponseTypes"), put(WORK, batchSize=1))],
        wrong=[
            (drop(WORK, "functionResponseTypes"), "from-work takes no partial responses"),
            (put(WORK, functionResponseTypes=[]), "from-work takes no"),
            (drop(CLICKS, "functionResponseTypes"), "from-clicks takes no"),
            (drop("from-circuits", "functionResponseTypes"), "from-circuits takes no"),
        ],
        elsewhere=[several(reads(KAFKA), drop(WORK, "functionResponseTypes"))],
        unknown=each(
            "not known at preview",
            hide(WORK, "functionResponseTypes"),
            put(WORK, functionResponseTypes=[UNKNOWN]),
        ),
        configured=[(drop("from-circuits", "functionResponseTypes"), {"sources": ["queue", "stream"]}, "")],
    ),
    *five(
        "lambda-stream-bounded",
        start=resilient,
        fine=[put(CLICKS, **{OLDEST: 60, RETRIES: 0}), put(CLICKS, eventSourceArn=text("clicks"))],
        wrong=[
            (drop(CLICKS, OLDEST), "no limit on the seconds of a record's age"),
            (put(CLICKS, **{OLDEST: -1}), "no limit on the seconds of a record's age"),
            (drop(CLICKS, RETRIES), "no limit on the retries"),
            (put(CLICKS, **{RETRIES: -1}), "no limit on the retries"),
            (put(CLICKS, **{OLDEST: 604_800}), "at most 86400"),
            (put(CLICKS, **{RETRIES: 10_000}), "at most 100"),
            (drop(CLICKS, "bisectBatchOnFunctionError"), "does not bisect"),
            (put("from-circuits", bisectBatchOnFunctionError=False), "from-circuits does not bisect"),
        ],
        elsewhere=[drop(WORK, "enabled"), several(put(CLICKS, eventSourceArn=KAFKA), drop(CLICKS, RETRIES))],
        unknown=each(
            "not known at preview",
            hide(CLICKS, OLDEST),
            hide(CLICKS, RETRIES),
            hide(CLICKS, "bisectBatchOnFunctionError"),
        ),
        configured=[
            (put(CLICKS, **{RETRIES: 500}), {"maximumRetries": 500}, ""),
            (put(CLICKS, **{OLDEST: 604_800}), {"maximumAgeSeconds": 604_800}, ""),
        ],
    ),
    *five(
        "lambda-stream-failures",
        start=resilient,
        fine=[
            fails_to("arn:aws:s3:::elsewhere"),
            fails_to(Ref("lost", "text")),
            # The rows of a table are still there.
            fails_to(Ref("undelivered"), "from-circuits"),
        ],
        wrong=[
            (drop(CLICKS, "destinationConfig"), "what it gives up is lost"),
            (drop("from-circuits", "destinationConfig"), "from-circuits has no failure destination"),
            (fails_to(Ref("undelivered")), "to queue undelivered, which is told sequence numbers"),
            (fails_to(text("people")), "to topic people"),
        ],
        elsewhere=[
            drop(WORK, "enabled"),
            several(put(CLICKS, eventSourceArn=KAFKA), drop(CLICKS, "destinationConfig")),
        ],
        unknown=[
            (hide(CLICKS, "destinationConfig", "lost"), ""),
            (hide(CLICKS, "destinationConfig", "undelivered"), "to queue undelivered"),
            # sqs-dead-letters-resolved says that it cannot be found.
            (hide(CLICKS, "destinationConfig"), ""),
        ],
        configured=[(fails_to(Ref("undelivered")), {"kinds": ["bucket", "queue"]}, "")],
    ),
    *five(
        "events-target-undelivered",
        start=resilient,
        fine=[retry(maximumEventAgeInSeconds="60", maximumRetryAttempts=0)],
        wrong=[
            (drop(TARGET, "deadLetterConfig"), "an event that cannot be delivered is dropped"),
            (retry(maximumEventAgeInSeconds=60), "how many retries"),
            (retry(maximumRetryAttempts=1), "how many seconds of an event's age"),
            (retry(maximumEventAgeInSeconds=86_400, maximumRetryAttempts=186), "at most 185"),
            (several(drop(TARGET, "deadLetterConfig"), put(TARGET, rule="elsewhere")), "is dropped"),
        ],
        elsewhere=[drop("minute-to-breaker", "enabled"), remove(TARGET)],
        unknown=[
            (hide(TARGET, "deadLetterConfig", "undelivered"), ""),
            (retry(maximumEventAgeInSeconds=UNKNOWN, maximumRetryAttempts=1), "not known at preview"),
        ],
        configured=[
            (
                retry(maximumEventAgeInSeconds=60, maximumRetryAttempts=9),
                {"maximumRetries": 5},
                "allows 9 retries",
            )
        ],
    ),
]
