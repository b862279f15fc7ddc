"""The metrics that the alarms are made of, by the names that CloudWatch knows them under."""

from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import Input

from selfheal.functions.shared.contract import METRICS_NAMESPACE

LAMBDA_NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True)
class AlarmPlan:
    """One kind of alarm: what it counts, how often, and how a rate comes of it."""

    kind: str
    """Suffix of the logical name."""
    namespace: str
    requests: tuple[str, ...]
    """Metrics whose sum is the number of requests."""
    errors: tuple[str, ...]
    """Metrics whose sum is the number of errors."""
    period: int
    """Seconds."""
    expressions: tuple[tuple[str, str], ...]
    """Id and expression, the last being the error rate. `{k}` stands for the least number of errors."""

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Every metric once, in order."""
        return tuple(dict.fromkeys((*self.requests, *self.errors)))


FAST = AlarmPlan(
    kind="fast",
    namespace=METRICS_NAMESPACE,
    requests=("Requests",),
    errors=("Errors",),
    # The shortest that CloudWatch evaluates, on 1-second metrics (API reference, PutMetricAlarm).
    period=10,
    # Nothing is filled: both counts come out of one log line, and a period without one has no datapoint.
    expressions=(("rate", "IF(errors >= {k}, errors / requests, 0)"),),
)
"""For a function that counts its own requests and errors; sees failures that Lambda does not count."""

BACKSTOP = AlarmPlan(
    kind="backstop",
    namespace=LAMBDA_NAMESPACE,
    requests=("Invocations", "Throttles"),
    errors=("Errors", "Throttles"),
    # Lambda publishes at one-minute intervals.
    period=60,
    # A throttled request is no invocation and no error: it is added to both. The sum of an array has a
    # datapoint wherever one of its series has. (What CloudWatch advises against in alarms is the other SUM,
    # of one series over time.) Lambda publishes Errors, 0 or more, with every Invocations: a minute with
    # errors and no invocations, or with more errors than invocations, is a late datapoint and not an outage.
    # Only that comparison is filled, so a minute that nothing is known of stays missing and counts later.
    expressions=(
        ("failures", "SUM([errors, throttles])"),
        ("requests", "SUM([invocations, throttles])"),
        (
            "rate",
            (
                "IF(FILL(errors + 1, 0) > FILL(invocations + 1, 0), 0, "
                "IF(failures >= {k}, failures / requests, 0))"
            ),
        ),
    ),
)
"""For any function: crashes, timeouts and throttling, as Lambda itself counts them."""


def queries(
    plan: AlarmPlan, function_name: Input[str], min_errors: int
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """Return the metric queries of an alarm whose graph shows the error rate.

    Args:
        plan: FAST or BACKSTOP.
        function_name: Value of the dimension FunctionName.
        min_errors: Errors below this number count as a rate of 0.

    """
    metrics = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=metric.lower(),
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=plan.namespace,
                metric_name=metric,
                dimensions={"FunctionName": function_name},
                period=plan.period,
                stat="Sum",
            ),
            return_data=False,
        )
        for metric in plan.metric_names
    ]
    last = plan.expressions[-1][0]
    expressions = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=key, expression=text.format(k=min_errors), label=key, return_data=key == last
        )
        for key, text in plan.expressions
    ]
    return metrics + expressions
