"""`Detection`: alarms on a Lambda function that fails more often than chance explains."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components import metrics, names, thresholds

DEFAULT_NATURAL_ERROR_RATE = 0.001
DEFAULT_FALSE_ALARMS_PER_YEAR = 1.0


class DetectionArgs(TypedDict):
    """The function to watch, and whom to notify."""

    function_name: pulumi.Input[str]
    """Name of the Lambda function, of this stack or another."""

    actions: list[pulumi.Input[str]]
    """ARNs of the topics to notify when an alarm fires and when it clears."""

    instrumented: NotRequired[bool]
    """Whether the function emits `Requests` and `Errors` in namespace `selfheal`. Default: false."""

    natural_error_rate: NotRequired[float]
    """Share of requests that fail when the service is healthy; above 0, at most 0.2. Default 0.001."""

    false_alarms_per_year: NotRequired[float]
    """Accepted false alarms per year, of all alarms together; above 0, at most 1,000. Default 1."""

    alarm_error_rate: NotRequired[float]
    """Error rate to alarm at; above the natural one, at most 1. Default 0.05, or 10 x natural if more."""


class AlarmRecord(TypedDict):
    """An alarm and its rule, so that a healer can check the alarm against the metrics."""

    name: pulumi.Output[str]
    """Name of the alarm, known at preview."""

    namespace: str
    """Namespace of the metrics below. Their only dimension is FunctionName."""

    requests: list[str]
    """Metrics whose sum is the number of requests."""

    errors: list[str]
    """Metrics whose sum is the number of errors."""

    period: int
    """Seconds."""

    min_errors: int
    """Fewer errors than this in one period may be chance."""

    error_rate: float
    """Errors divided by requests, from which the alarm fires."""


class Detection(pulumi.ComponentResource):
    """Alarms with derived thresholds: a fast one for an instrumented function, and a backstop for any.

    Each fires after one period, because the number of errors that it requires cannot be chance: see
    `thresholds.derive`.
    """

    alarms: list[AlarmRecord]
    """The alarms, fastest first."""

    def __init__(self, name: str, args: DetectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the alarms.

        Raises:
            ComponentError: when a rate is out of range, two rates are too close to be distinguished, or an
                identifier is none.

        """
        super().__init__("selfheal:index:Detection", name, {**args}, opts)
        function = names.FUNCTION.of("function_name", args["function_name"])
        actions = [names.TOPIC.of("each of actions", action) for action in args["actions"]]
        args = DetectionArgs({**args, "function_name": function, "actions": actions})
        natural = args.get("natural_error_rate", DEFAULT_NATURAL_ERROR_RATE)
        accepted = args.get("false_alarms_per_year", DEFAULT_FALSE_ALARMS_PER_YEAR)
        rate = args.get("alarm_error_rate", thresholds.default_alarm_error_rate(natural))
        plans = [metrics.FAST, metrics.BACKSTOP] if args.get("instrumented", False) else [metrics.BACKSTOP]
        self.alarms = []
        for plan in plans:
            # The accepted false alarms are for the function, so two alarms get half each.
            least = thresholds.derive(natural, accepted / len(plans), plan.period, rate)
            alarm = self._alarm(f"{name}-{plan.kind}", args, plan, least, rate)
            self.alarms.append(
                {
                    "name": alarm.name,
                    "namespace": plan.namespace,
                    "requests": list(plan.requests),
                    "errors": list(plan.errors),
                    "period": plan.period,
                    "min_errors": least,
                    "error_rate": rate,
                }
            )
        self.register_outputs({"alarms": self.alarms})

    def _alarm(
        self, name: str, args: DetectionArgs, plan: metrics.AlarmPlan, min_errors: int, rate: float
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            name,
            alarm_description=_description(args["function_name"], plan, min_errors, rate),
            metric_queries=metrics.queries(plan, args["function_name"], min_errors),
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=rate,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            treat_missing_data="notBreaching",
            alarm_actions=args["actions"],
            ok_actions=args["actions"],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _description(
    function_name: pulumi.Input[str], plan: metrics.AlarmPlan, min_errors: int, rate: float
) -> pulumi.Output[str]:
    return pulumi.Output.concat(
        "Function ",
        function_name,
        f" failed at least {min_errors} requests and {rate:.2%} of them within {plan.period} s: more than "
        "chance explains. The healer looks at it now; what it did, and what to do yourself, is in "
        "docs/operations.md. The function: https://console.aws.amazon.com/lambda/home#/functions/",
        function_name,
        "?tab=monitoring",
    )
