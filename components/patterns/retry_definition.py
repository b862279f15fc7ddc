"""The definition of a `RetryWorkflow`, its retrier, and the time that it may take. Pure, but for outputs."""

import math
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from selfheal.components import ranges
from selfheal.components.errors import ComponentError

LONGEST_SECONDS = 300
"""The longest that an Express workflow may take. Source: Step Functions developer guide, "Quotas"."""

SPARE_SECONDS = 15
"""What the workflow may take beside its attempts and pauses: a cold start, and sending a letter."""

ATTEMPTS = (0, 10)
DELAYS_SECONDS = (1, LONGEST_SECONDS)

DEFAULT_INTERVAL_SECONDS = 1
DEFAULT_BACKOFF_RATE = 2.0
DEFAULT_MAX_DELAY_SECONDS = 20
DEFAULT_MAX_ATTEMPTS = 3

REFUSED = ("CircuitOpen", "RefusedError")
"""Errors of a task that does not try now: its circuit is open, or it says so. The message goes back."""

POISON = "PoisonError"
"""The error of a task whose message can never succeed."""

NOT_THE_MESSAGES_FAULT = (
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)
"""Errors after whose retries a message goes back: the task was throttled, or not reached. Source: Step
Functions developer guide, "Handle transient Lambda service exceptions"."""

CUT_OFF = ("Runtime.ExitError", "Sandbox.Timedout", "States.Timeout", "Lambda.Unknown")
"""Errors of a task that was killed or ran out of time or memory. Source: Step Functions developer guide,
"Handling errors in Step Functions workflows"."""

REASON = (
    "( $cause := '' & $states.errorOutput.Cause; "
    # What a function raised is JSON; what a service says is not.
    "$said := $substring($cause, 0, 1) = '{' and $substring($cause, -1) = '}' "
    "? $parse($cause).errorMessage : $cause; "
    # SQS refuses these characters. It takes 256 KiB of attributes; a reason is for people.
    r"$substring($replace($states.errorOutput.Error & ': ' & $said, "
    r"/[\x00-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/, '?'), 0, 256) )"
)
"""JSONata: the error's name and text."""


class RetryArgs(TypedDict):
    """When a failed task is tried again: after random(0, pause), where the pause grows with each attempt."""

    interval_seconds: NotRequired[int]
    """The longest pause before the second attempt. 1 to 300. Default 1."""

    backoff_rate: NotRequired[float]
    """By how much it grows with each further attempt, at least 1. Default 2."""

    max_delay_seconds: NotRequired[int]
    """The most that it grows to, from `interval_seconds` to 300. Default 20."""

    max_attempts: NotRequired[int]
    """Attempts after the first one. 0 to 10. Default 3."""


def workflow(
    retrier: Mapping[str, Any],
    seconds: int,
    *,
    partition: pulumi.Input[str],
    function: pulumi.Input[str],
    queue: pulumi.Input[str],
    dead_letters: pulumi.Input[str],
    counts_attempts: bool = False,
) -> dict[str, Any]:
    """Return the definition, in Amazon States Language.

    Args:
        retrier: The fields of the retrier.
        seconds: What the workflow may take.
        partition: Of AWS.
        function: ARN of the task's function.
        queue: ARN of the queue that letters return to.
        dead_letters: URL of the queue that letters are sent to.
        counts_attempts: Whether the task itself gives up, so that a message whose task was cut off goes back.

    """
    back_for = [*REFUSED, *NOT_THE_MESSAGES_FAULT, *(CUT_OFF if counts_attempts else ())]
    letter = {
        "body": "{% $states.input.record.body %}",
        "attributes": "{% $states.input.attributes %}",
        "reason": "{% " + REASON + " %}",
    }
    back = {"error": "{% $states.errorOutput.Error %}", "cause": "{% '' & $states.errorOutput.Cause %}"}
    return {
        "Comment": "Calls a function for one message, with retries; sends a letter if that fails at last",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": seconds,
        "StartAt": "Try",
        "States": {
            "Try": {
                "Type": "Task",
                "Resource": pulumi.Output.concat("arn:", partition, ":states:::lambda:invoke"),
                "Arguments": {
                    "FunctionName": function,
                    "Payload": "{% $merge([$states.input.record, "
                    "{'retryCount': $states.context.State.RetryCount}]) %}",
                },
                "Output": {"letter": False},
                # The first that matches decides, so the exceptions come first.
                "Retry": [
                    {"ErrorEquals": [*REFUSED, POISON], "MaxAttempts": 0},
                    {"ErrorEquals": ["States.ALL"], **retrier},
                ],
                "Catch": [
                    {"ErrorEquals": back_for, "Output": back, "Next": "GoBack"},
                    {"ErrorEquals": ["States.ALL"], "Output": letter, "Next": "Letter"},
                ],
                "End": True,
            },
            "Letter": {
                "Type": "Task",
                "Resource": pulumi.Output.concat("arn:", partition, ":states:::sqs:sendMessage"),
                "Arguments": {
                    "QueueUrl": dead_letters,
                    "MessageBody": "{% $states.input.body %}",
                    "MessageAttributes": pulumi.Output.concat(
                        "{% $merge([{'origin': {'DataType': 'String', "
                        "'StringValue': $states.context.StateMachine.Id}}, $states.input.attributes, "
                        "{'target': {'DataType': 'String', 'StringValue': '",
                        queue,
                        "'}, 'reason': {'DataType': 'String', 'StringValue': $states.input.reason}}]) %}",
                    ),
                },
                "Output": {"letter": True},
                # If all of them fail the execution fails, and the message comes again.
                "Retry": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "IntervalSeconds": 1,
                        "MaxAttempts": 2,
                        "MaxDelaySeconds": 2,
                        "JitterStrategy": "FULL",
                    }
                ],
                "End": True,
            },
            "GoBack": {
                "Type": "Fail",
                "Error": "{% $states.input.error %}",
                "Cause": "{% $states.input.cause %}",
            },
        },
    }


def checked_retrier(args: RetryArgs) -> dict[str, Any]:
    """Return the fields of a retrier.

    Raises:
        ComponentError: when a number is out of its range.

    """
    interval = ranges.whole(
        "retry: interval_seconds",
        args.get("interval_seconds"),
        DELAYS_SECONDS,
        default=DEFAULT_INTERVAL_SECONDS,
    )
    longest = ranges.whole(
        "retry: max_delay_seconds",
        args.get("max_delay_seconds"),
        (interval, DELAYS_SECONDS[1]),
        default=max(interval, DEFAULT_MAX_DELAY_SECONDS),
    )
    attempts = ranges.whole(
        "retry: max_attempts", args.get("max_attempts"), ATTEMPTS, default=DEFAULT_MAX_ATTEMPTS
    )
    rate = ranges.number(
        "retry: backoff_rate", args.get("backoff_rate"), (1, math.inf), default=DEFAULT_BACKOFF_RATE
    )
    return {
        "IntervalSeconds": interval,
        "BackoffRate": rate,
        "MaxDelaySeconds": longest,
        "MaxAttempts": attempts,
        "JitterStrategy": "FULL",
    }


def workflow_seconds(timeout: int, retrier: Mapping[str, Any]) -> int:
    """Return the time that a workflow may take: all attempts and pauses, at their longest.

    Args:
        timeout: Of the task's function, in seconds.
        retrier: The fields of the retrier.

    Raises:
        ComponentError: when an Express workflow may not take that long.

    """
    attempts = 1 + retrier["MaxAttempts"]
    pauses = longest_pauses(retrier)
    seconds = math.ceil(attempts * timeout + pauses + SPARE_SECONDS)
    if seconds <= LONGEST_SECONDS:
        return seconds
    fitting = math.floor((LONGEST_SECONDS - SPARE_SECONDS - pauses) / attempts)
    shorter = f"timeout_seconds of the task to at most {fitting}, or " if fitting >= 1 else ""
    raise ComponentError(
        f"the workflow may take {LONGEST_SECONDS} s, which AWS allows at most, and would need {seconds} s: "
        f"{attempts} attempts of {timeout} s, {pauses:g} s of pauses between them, and {SPARE_SECONDS} s for "
        f"its start and a letter. Set {shorter}max_attempts or max_delay_seconds lower."
    )


def longest_pauses(retrier: Mapping[str, Any]) -> float:
    """Return the sum of all pauses of a retrier, in seconds, each as long as jitter can make it."""
    total, pause = 0.0, float(retrier["IntervalSeconds"])
    for _ in range(retrier["MaxAttempts"]):
        total += min(pause, retrier["MaxDelaySeconds"])
        pause = min(pause * retrier["BackoffRate"], retrier["MaxDelaySeconds"])
    return total
