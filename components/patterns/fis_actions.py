"""The actions of AWS FIS that make a fault, as resources."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from selfheal.components.patterns.switch_document import iso
from selfheal.scenarios.faults import FunctionFault

AUTOMATION_SPARE_SECONDS = 300
"""What an automation may take beside the fault. Then FIS ends it, and the switch has ended by itself."""


def function_action(
    fault: FunctionFault, seconds: int, percent: int, target: str
) -> aws.fis.ExperimentTemplateActionArgs:
    """Return the action on a function.

    Args:
        fault: What becomes of its invocations.
        seconds: How long.
        percent: Of the invocations, 1 to 100.
        target: Name of the template's target.

    """
    parameters: dict[str, pulumi.Input[str]] = {
        "duration": iso(seconds),
        "invocationPercentage": str(percent),
        **fault.fis_parameters,
    }
    return aws.fis.ExperimentTemplateActionArgs(
        name="fault",
        action_id=fault.fis_action,
        parameters=_pairs(parameters),
        target=aws.fis.ExperimentTemplateActionTargetArgs(key="Functions", value=target),
    )


def automation_action(document: pulumi.Input[str], seconds: int) -> aws.fis.ExperimentTemplateActionArgs:
    """Return the action that runs an automation, by its document's ARN, which makes a fault for so long."""
    parameters: dict[str, pulumi.Input[str]] = {
        "documentArn": document,
        "maxDuration": iso(seconds + AUTOMATION_SPARE_SECONDS),
    }
    return aws.fis.ExperimentTemplateActionArgs(
        name="fault", action_id="aws:ssm:start-automation-execution", parameters=_pairs(parameters)
    )


def _pairs(
    parameters: Mapping[str, pulumi.Input[str]],
) -> list[aws.fis.ExperimentTemplateActionParameterArgs]:
    return [
        aws.fis.ExperimentTemplateActionParameterArgs(key=key, value=value)
        for key, value in parameters.items()
    ]
