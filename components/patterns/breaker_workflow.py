"""The workflow of a circuit breaker: steps of the controller, with the waits that it says between them."""

from typing import Any

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.iam import allow, service_role

_RETRY = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxDelaySeconds": 20,
    # About a minute in all. Then the execution fails, which is alarmed, and the schedule starts another.
    "MaxAttempts": 7,
    "JitterStrategy": "FULL",
}

_END_SECONDS = 5
"""What Lambda may need to end a function at its timeout, which then is the error that is shown."""


def breaker_workflow(
    name: str,
    controller: aws.lambda_.Function,
    timeout: int,
    *,
    arns: Arns,
    boundary: pulumi.Input[str] | None,
    parent: pulumi.Resource,
) -> aws.sfn.StateMachine:
    """Register the workflow, with a role that may invoke the controller and nothing else.

    Args:
        name: Logical name, and prefix of the role's.
        controller: The function that takes one step. Its answer holds `done`, and `wait` in seconds.
        timeout: Its timeout in seconds.
        arns: Builds ARNs.
        boundary: As for `service_role`.
        parent: The component.

    """
    function = arns.function(controller.name)
    role, policy = service_role(
        name, "states.amazonaws.com", [allow(["lambda:InvokeFunction"], [function])], parent, boundary
    )
    step: dict[str, Any] = {
        "Type": "Task",
        "Resource": pulumi.Output.concat("arn:", arns.partition, ":states:::lambda:invoke"),
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "TimeoutSeconds": timeout + _END_SECONDS,
        "Retry": [_RETRY],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        "Next": "Done?",
    }
    definition = {
        "Comment": "Steps of the circuit breaker's controller, until the circuit is at rest",
        "StartAt": "Step",
        "States": {
            "Step": step,
            "Done?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Done"}],
                "Default": "Wait",
            },
            "Wait": {"Type": "Wait", "SecondsPath": "$.wait", "Next": "Step"},
            "Done": {"Type": "Succeed"},
            "Failed": {
                "Type": "Fail",
                "Error": "ControllerFailed",
                "Cause": "Steps of the controller failed until the retries ended: see its log. The schedule "
                "starts another execution.",
            },
        },
    }
    return aws.sfn.StateMachine(
        name,
        definition=pulumi.Output.json_dumps(definition),
        role_arn=role.arn,
        # Not Express: an outage lasts longer than five minutes.
        type="STANDARD",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy]),
    )
