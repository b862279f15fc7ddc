"""Mutations of the stack that has every resilience pattern once."""

import json
from typing import Any

from tests.policies.mutations.table import refused_by
from tests.policies.support.changes import Change, add, document, drop, put, remove, several, text
from tests.policies.support.recording import ACCOUNT, REGION, arn
from tests.policies.support.references import Json, Lost, Ref
from tests.policies.support.scene import Scene

WORK, CLICKS, TARGET = "from-work", "from-clicks", "orders-to-work"
MAPPINGS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*"


def ignoring(*paths: str) -> Change:
    return lambda scene: scene.find(WORK).ignore(*paths)


def redriven(target: Any) -> Change:
    return put("work", redrivePolicy=Json({"deadLetterTargetArn": target, "maxReceiveCount": 5}))


def workflow(change: Change) -> Change:
    """Change the first task of the workflow."""

    def made(scene: Scene) -> None:
        definition = json.loads(scene.find("steps").get("definition"))
        change(definition["States"]["Charge"])
        scene.find("steps").put("definition", to=json.dumps(definition))

    return made


def pausing(resource: Any, **condition: Any) -> Change:
    held = {"Condition": condition} if condition else {}
    may = document({"Action": "lambda:UpdateEventSourceMapping", "Resource": resource, **held})
    return put("breaker-rights", policy=may)


TABLE = [
    *refused_by(
        "sqs-queue-dead-letters",
        ("a queue without dead letters", several(drop("work", "redrivePolicy"), remove("work-dead")), "up"),
        ("one more queue", add("sqs.Queue", "more")),
        (
            "a second step by a queue of its own",
            several(
                add("sqs.Queue", "next", visibilityTimeoutSeconds=60),
                add(
                    "lambda.EventSourceMapping",
                    "from-next",
                    eventSourceArn=Ref("next"),
                    functionName=Ref("counter", "name"),
                    scalingConfig={"maximumConcurrency": 2},
                    functionResponseTypes=["ReportBatchItemFailures"],
                ),
            ),
            "both",
        ),
    ),
    *refused_by(
        "sqs-dead-letters-resolved",
        (
            "dead letters of another stack",
            several(redriven(arn("sqs.Queue", "theirs")), remove("work-dead", "work-dead-depth")),
        ),
        ("dead letters that cannot be followed", put("bus", deadLetterConfig={"arn": Lost("x")})),
    ),
    *refused_by(
        "sqs-dead-letters-outlast",
        ("letters that expire with the order", put("work-dead", messageRetentionSeconds=345_600), "up"),
        ("letters that are kept for four days", drop("work-dead", "messageRetentionSeconds")),
        ("an order that is kept for as long", put("work", messageRetentionSeconds=1_209_600)),
    ),
    *refused_by(
        "sqs-dead-letters-alarmed",
        ("letters of a queue in silence", remove("work-dead-depth"), "up"),
        ("letters of a workflow in silence", remove("steps-dead-depth")),
        ("letters that were put aside in silence", remove("aside-depth")),
        ("an alarm on letters that nobody hears", drop("undelivered-depth", "alarmActions")),
        ("an alarm that counts no redrive", put("work-dead-depth", metricName="NumberOfMessagesSent")),
    ),
    *refused_by(
        "lambda-mapping-visibility",
        ("orders that are shown twice", put("work", visibilityTimeoutSeconds=30), "up"),
        ("a consumer that takes a minute", put("consumer", timeout=60)),
        ("a window that nobody counted", put(WORK, maximumBatchingWindowInSeconds=60)),
    ),
    *refused_by(
        "lambda-mapping-capped",
        ("a consumer without a cap", drop(WORK, "scalingConfig"), "up"),
        ("a cap above what is reserved", put("consumer", reservedConcurrentExecutions=3)),
    ),
    *refused_by(
        "lambda-mapping-partial",
        ("a batch that fails as one", drop(WORK, "functionResponseTypes"), "up"),
        ("a batch of a stream that fails as one", put(CLICKS, functionResponseTypes=[])),
    ),
    *refused_by(
        "lambda-stream-bounded",
        ("records of any age", drop(CLICKS, "maximumRecordAgeInSeconds"), "up"),
        ("retries for ever", put(CLICKS, maximumRetryAttempts=-1)),
        ("a batch that is never cut", put(CLICKS, bisectBatchOnFunctionError=False)),
    ),
    *refused_by(
        "lambda-stream-failures",
        ("poison that is lost", drop(CLICKS, "destinationConfig"), "up"),
        (
            "poison without its data",
            put(CLICKS, destinationConfig={"onFailure": {"destinationArn": Ref("undelivered")}}),
            "both",
        ),
    ),
    *refused_by(
        "events-target-undelivered",
        ("events that are dropped", drop(TARGET, "deadLetterConfig"), "up"),
        ("events that are tried for a day", drop(TARGET, "retryPolicy")),
    ),
    *refused_by(
        "states-machine-retries",
        ("a task that is tried once", workflow(lambda task: task.pop("Retry")), "up"),
        ("retries in step", workflow(lambda task: task["Retry"][1].update(JitterStrategy="NONE"))),
        ("retries that wait for ever", workflow(lambda task: task["Retry"][1].pop("MaxDelaySeconds"))),
    ),
    *refused_by(
        "states-machine-catches",
        (
            "a task whose failure ends all",
            workflow(lambda task: task["Catch"][1].update(ErrorEquals=["States.Timeout"])),
            "up",
        ),
    ),
    *refused_by(
        "lambda-mapping-owned",
        ("a mapping that up switches on", ignoring("scalingConfig"), "up"),
        ("a mapping that up sets to full speed", ignoring("enabled")),
        ("a mapping that up takes back", ignoring()),
        (
            "another consumer that is paused",
            pausing(MAPPINGS, ArnEquals={"lambda:FunctionArn": [text("consumer"), text("counter")]}),
        ),
    ),
    *refused_by(
        "s3-bucket-private",
        ("a bucket that is open", remove("lost-private"), "up"),
        ("a bucket that is half open", put("lost-private", blockPublicPolicy=False)),
    ),
    *refused_by("s3-bucket-encrypted", ("a bucket in the clear", remove("lost-encryption"), "up")),
    *refused_by(
        "cloudfront-distribution-closed",
        (
            "a site by HTTP",
            lambda scene: scene.find("shop").put(
                "defaultCacheBehavior", "viewerProtocolPolicy", to="allow-all"
            ),
            "up",
        ),
        (
            "a site with old TLS",
            lambda scene: scene.find("shop").put("viewerCertificate", "minimumProtocolVersion", to="TLSv1"),
        ),
        (
            "a site whose files need no signature",
            put("shop", origins=[{"originId": "pages", "domainName": "pages.s3.amazonaws.com"}]),
        ),
    ),
    *refused_by(
        "apigateway-method-authorized",
        ("a public door in production", put("put", authorization="NONE"), "prod", "up"),
    ),
    *refused_by(
        "cloudwatch-log-group-retention",
        ("logs of an API for ever", drop("access-logs", "retentionInDays"), "up"),
        ("logs of a workflow for ever", put("steps-logs", retentionInDays=0)),
    ),
]
