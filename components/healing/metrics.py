"""The alarms on a target: their metrics and expressions.

The healer judges the same metrics by `period_of` and `breaching` in `functions/healer/evidence.py`. Both are
tested over one table of cases, datapoints that are missing included.
"""

from dataclasses import dataclass
from math import ceil

import pulumi_aws as aws
from pulumi import Input

from selfheal.functions.shared.contract import PERIODS, AlarmKind, Invocation, Series, series_of

LAMBDA_NAMESPACE = "AWS/Lambda"

MINUTE = 60
HOUR = 3600


@dataclass(frozen=True)
class AlarmPlan:
    """One alarm: what it watches, and how far it looks back."""

    kind: AlarmKind
    series: Series
    """The metrics."""
    period: int
    """Seconds that one datapoint covers."""
    periods: int = 1
    """How many of them it looks back. One that breaches is enough to alarm."""

    @property
    def step(self) -> int:
        """Seconds between two evaluations: by so much the windows of a longer period slide."""
        return min(self.period, MINUTE)

    def expressions(self, min_errors: int) -> tuple[tuple[str, str], ...]:
        """Return ids and expressions; the last is the error rate.

        Args:
            min_errors: With fewer errors than this, the rate counts as 0.

        """
        if "Throttles" in self.series.metrics:
            return (
                # SUM of an array has a datapoint where any of its series has one. (CloudWatch advises
                # against the other SUM in alarms, which adds up one series over time.) Lambda counts a
                # throttled request neither as an invocation nor as an error, so it is added to both.
                ("failures", "SUM([errors, throttles])"),
                ("total", "SUM([invocations, throttles])"),
                # Each count plus 1, or 0 if it is missing: without FILL, of which AWS does not say what it
                # makes of a metric without any datapoint.
                ("none", "total * 0"),
                ("oneerror", "errors + 1"),
                ("onecall", "invocations + 1"),
                ("failed", "SUM([oneerror, none])"),
                ("invoked", "SUM([onecall, none])"),
                # Lambda publishes Errors, possibly 0, with every Invocations. A period with only one of
                # them, or with more errors than invocations, lacks a datapoint that is late, and is no
                # outage. With neither, everything was throttled. A period without any data stays missing.
                ("late", "failed > invoked OR (failed < 1 AND invoked > 0)"),
                ("rate", f"IF(late, 0, IF(failures >= {min_errors}, failures / total, 0))"),
            )
        requests, errors = (names[0].lower() for names in (self.series.requests, self.series.errors))
        rate = f"IF({errors} > {requests}, 0, IF({errors} >= {min_errors}, {errors} / {requests}, 0))"
        return (("rate", rate),)


def plans(*, instrumented: bool, timeout: int, invocation: Invocation) -> tuple[AlarmPlan, ...]:
    """Return the alarms on a function, the fastest first.

    Args:
        instrumented: Whether it counts its own requests and errors.
        timeout: Its timeout in seconds.
        invocation: Who invokes it.

    """
    series = {kind: series_of(kind, invocation) for kind in AlarmKind}
    # Of the fast one CloudWatch's minimum, for high-resolution metrics (API reference, PutMetricAlarm).
    fast = AlarmPlan(AlarmKind.FAST, series[AlarmKind.FAST], PERIODS[AlarmKind.FAST])
    return (
        *((fast,) if instrumented else ()),
        AlarmPlan(AlarmKind.BACKSTOP, series[AlarmKind.BACKSTOP], MINUTE, _periods(timeout)),
        # One window that slides: CloudWatch user guide, "Alarm evaluation window" (SlidingWindow, the
        # default), https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
        AlarmPlan(AlarmKind.SLOW, series[AlarmKind.SLOW], HOUR),
    )


def _periods(timeout: int) -> int:
    """Return how many minutes the backstop looks back: as far as its datapoints may still change.

    Lambda stamps a metric with the start of the call ("Viewing metrics for Lambda functions"), and counts
    it when it ends. A call that hangs until its timeout is an error of a minute that is long over.
    """
    return ceil((timeout + MINUTE) / MINUTE) + 1


def queries(
    plan: AlarmPlan, function_name: Input[str], min_errors: int
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """Return the metric queries of an alarm on the error rate.

    Args:
        plan: The alarm.
        function_name: Value of the dimension FunctionName.
        min_errors: With fewer errors than this, the rate counts as 0.

    """
    metrics = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=metric.lower(),
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=plan.series.namespace,
                metric_name=metric,
                dimensions={"FunctionName": function_name},
                period=plan.period,
                stat="Sum",
            ),
            return_data=False,
        )
        for metric in plan.series.metrics
    ]
    texts = plan.expressions(min_errors)
    expressions = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=key, expression=text, label=key, return_data=key == texts[-1][0]
        )
        for key, text in texts
    ]
    return metrics + expressions
