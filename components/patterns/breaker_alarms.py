"""Alarms on a circuit that does not come to rest, and on its controller. They notify people."""

from collections.abc import Callable
from functools import partial

import pulumi
import pulumi_aws as aws

from selfheal.components.healing.metrics import LAMBDA_NAMESPACE
from selfheal.components.patterns.alarms import alarm
from selfheal.functions.shared.breaker.settings import OUTAGE_METRIC
from selfheal.functions.shared.contract import METRICS_NAMESPACE

Alarm = Callable[..., aws.cloudwatch.MetricAlarm]


def breaker_alarms(
    name: str,
    circuit: str,
    *,
    controller: pulumi.Output[str],
    wake: pulumi.Output[str],
    workflow_arn: pulumi.Output[str],
    outage_seconds: int,
    people: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """Register the alarms.

    Args:
        name: Prefix of the logical names.
        circuit: Name of the circuit.
        controller: Name of the function that takes one step.
        wake: Name of the function that starts the workflow.
        workflow_arn: ARN of the workflow.
        outage_seconds: Seconds without rest after which people are told.
        people: ARN of the topic to notify.
        parent: The component.

    """
    look = f"`selfheal breaker show {circuit}`"
    add: Alarm = partial(alarm, name, people=people, parent=parent)
    add(
        "outage",
        description=(
            f"The circuit {circuit} has not been at rest for {outage_seconds} s: what depends on it waits "
            f"or runs with reduced concurrency. What to do: {look} says since when and why; mend the "
            "dependency, or force the circuit."
        ),
        namespace=METRICS_NAMESPACE,
        metric=OUTAGE_METRIC,
        dimensions={"FunctionName": wake},
        statistic="Maximum",
        threshold=outage_seconds,
    )
    for which, function, consequence in (
        ("controller", controller, "it may neither pause consumers nor probe"),
        ("wake", wake, "nobody may start the controller"),
    ):
        add(
            f"{which}-errors",
            description=pulumi.Output.concat(
                f"The circuit breaker of {circuit} failed three times within five minutes: {consequence}. "
                "What to do: read the log of the function ",
                function,
                f", and {look}.",
            ),
            namespace=LAMBDA_NAMESPACE,
            metric="Errors",
            dimensions={"FunctionName": function},
            statistic="Sum",
            threshold=3,
            period=300,
        )
    add(
        "workflow-failed",
        description=pulumi.Output.concat(
            f"The workflow of the circuit breaker of {circuit} ended with an error. The schedule starts it "
            "again within two minutes. If this stays, consumers may run into a dead dependency, or stay "
            "paused. What to do: see the executions of ",
            workflow_arn,
            f", and {look}.",
        ),
        namespace="AWS/States",
        metric="ExecutionsFailed",
        dimensions={"StateMachineArn": workflow_arn},
        statistic="Sum",
        threshold=1,
    )
