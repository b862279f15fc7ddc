"""The metrics and expressions of the alarms."""

from dataclasses import dataclass

import pulumi_aws as aws
from pulumi import Input

from selfheal.functions.shared.contract import METRICS_NAMESPACE

LAMBDA_NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True)
class AlarmPlan:
    """One kind of alarm: its metrics, its period, and the expressions of its error rate."""

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
    """Id and expression; the last is the error rate. `{k}` is replaced by the minimum number of errors."""

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Every metric once, in order."""
        return tuple(dict.fromkeys((*self.requests, *self.errors)))


FAST = AlarmPlan(
    kind="fast",
    namespace=METRICS_NAMESPACE,
    requests=("Requests",),
    errors=("Errors",),
    # CloudWatch's minimum, for high-resolution metrics (API reference, PutMetricAlarm).
    period=10,
    # No FILL: both counts come from the same log line, and a period without one has no datapoint.
    expressions=(("rate", "IF(errors >= {k}, errors / requests, 0)"),),
)
"""For functions that count their own requests and errors. It sees failures that Lambda does not count."""

BACKSTOP = AlarmPlan(
    kind="backstop",
    namespace=LAMBDA_NAMESPACE,
    requests=("Invocations", "Throttles"),
    errors=("Errors", "Throttles"),
    # Lambda publishes at one-minute intervals.
    period=60,
    # Lambda counts a throttled request neither as an invocation nor as an error, so it is added to both. SUM
    # of an array has a datapoint where any of its series has one. (CloudWatch advises against the other SUM
    # in alarms, which adds up one series over time.) Lambda publishes Errors, possibly 0, with every
    # Invocations: a minute with errors and no invocations, or with more errors than invocations, is a late
    # datapoint and not an outage. Only that comparison uses FILL, so a minute without any data stays missing
    # and is evaluated later.
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
"""For any function: crashes, timeouts and throttling, as Lambda counts them."""


def queries(
    plan: AlarmPlan, function_name: Input[str], min_errors: int
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """Return the metric queries of an alarm on the error rate.

    Args:
        plan: FAST or BACKSTOP.
        function_name: Value of the dimension FunctionName.
        min_errors: With fewer errors than this, the rate counts as 0.

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
