"""`Detection`: alarms on a Lambda function that fails more often than chance explains."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.healing import metrics, thresholds
from selfheal.functions.shared.contract import (
    DEFAULT_INVOCATION,
    DEFAULT_NATURAL_ERROR_RATE,
    DEFAULT_TIMEOUT_SECONDS,
    TIMEOUT_SECONDS,
    Invocation,
)

DEFAULT_FALSE_ALARMS_PER_YEAR = 1.0

SLOW_MIN_ERRORS = 5
SLOW_ERROR_RATE = 0.5
"""The slow alarm is for an outage with little traffic. It needs so many errors, whatever chance explains: a
few requests that fail together, as when a caller tries again, are not independent of each other."""


class DetectionArgs(TypedDict):
    """The function to watch, and whom to notify."""

    function_name: pulumi.Input[str]
    """Name of the Lambda function, of this stack or another."""

    actions: list[pulumi.Input[str]]
    """ARNs of the topics to notify when an alarm fires and when it clears."""

    instrumented: NotRequired[bool]
    """Whether the function emits `Requests` and `Errors` in namespace `selfheal`. Default: false."""

    timeout_seconds: NotRequired[int]
    """The function's timeout, 1 to 900: how late an error may be counted. Default 60; state a longer one."""

    invocation: NotRequired[Invocation]
    """Who invokes it. A throttled request fails only if a caller waits for it. Default SYNCHRONOUS."""

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

    kind: str
    """One of AlarmKind: what metrics it watches."""

    period: int
    """Seconds that one datapoint covers."""

    periods: int
    """How many periods it looks back. One that breaches is enough to alarm."""

    min_errors: int
    """Fewer errors than this in one period may be chance."""

    error_rate: float
    """Errors divided by requests, from which the alarm fires."""


class Detection(pulumi.ComponentResource):
    """Alarms with derived thresholds: two on Lambda's metrics, and a fast one for an instrumented function.

    Each fires after one period, because the number of errors that it requires cannot be chance: see
    `thresholds.derive`. The backstop looks back as far as a datapoint may still change. The slow one covers
    an hour, for outages with little traffic.
    """

    alarms: list[AlarmRecord]
    """The alarms, fastest first."""

    def __init__(self, name: str, args: DetectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the alarms.

        Raises:
            ComponentError: when a rate or the timeout is out of range, two rates are too close to be
                distinguished, the way of invocation is unknown, or an identifier is none.

        """
        super().__init__("selfheal:index:Detection", name, {**args}, opts)
        function = names.FUNCTION.of("function_name", args["function_name"])
        actions = [names.TOPIC.of("each of actions", action) for action in args["actions"]]
        args = DetectionArgs({**args, "function_name": function, "actions": actions})
        natural = args.get("natural_error_rate", DEFAULT_NATURAL_ERROR_RATE)
        accepted = args.get("false_alarms_per_year", DEFAULT_FALSE_ALARMS_PER_YEAR)
        rate = args.get("alarm_error_rate", thresholds.default_alarm_error_rate(natural))
        timeout = checked_timeout(args.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS))
        plans = metrics.plans(
            instrumented=args.get("instrumented", False),
            timeout=timeout,
            invocation=checked_invocation(args.get("invocation", DEFAULT_INVOCATION)),
        )
        self.alarms = []
        for plan in plans:
            # The accepted false alarms are for the function, so each alarm gets an equal part.
            rule = threshold(plan, natural, accepted / len(plans), rate)
            alarm = self._alarm(f"{name}-{plan.kind}", args, plan, *rule)
            self.alarms.append(
                {
                    "name": alarm.name,
                    "kind": plan.kind.value,
                    "period": plan.period,
                    "periods": plan.periods,
                    "min_errors": rule[0],
                    "error_rate": rule[1],
                }
            )
        self.register_outputs({"alarms": self.alarms})

    def _alarm(
        self, name: str, args: DetectionArgs, plan: metrics.AlarmPlan, min_errors: int, rate: float
    ) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            name,
            alarm_description=_description(Arns(self), args["function_name"], plan, min_errors, rate),
            metric_queries=metrics.queries(plan, args["function_name"], min_errors),
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=rate,
            evaluation_periods=plan.periods,
            datapoints_to_alarm=1,
            treat_missing_data="notBreaching",
            alarm_actions=args["actions"],
            ok_actions=args["actions"],
            opts=pulumi.ResourceOptions(parent=self),
        )


def threshold(plan: metrics.AlarmPlan, natural: float, accepted: float, rate: float) -> tuple[int, float]:
    """Return the minimum number of errors and the error rate of an alarm.

    Looking back adds no false alarms: each period is one datapoint, however often it is looked at. The hours
    of the slow alarm slide, so there is a datapoint in every minute. Each gets the bound of a minute, so all
    together stay within what is accepted: their sum is an upper bound, however much the hours overlap.

    Args:
        plan: The alarm.
        natural: Share of requests that fail when the service is healthy.
        accepted: False alarms a year for this alarm.
        rate: Error rate at which to alarm. The slow alarm takes 0.5 if that is more.

    """
    if plan.period <= metrics.MINUTE:
        return thresholds.derive(natural, accepted, plan.period, rate), rate
    rate = max(rate, SLOW_ERROR_RATE)
    return max(SLOW_MIN_ERRORS, thresholds.derive(natural, accepted, plan.step, rate)), rate


def checked_timeout(seconds: int) -> int:
    """Return a function's timeout.

    Raises:
        ComponentError: when Lambda does not allow it.

    """
    least, most = TIMEOUT_SECONDS
    if isinstance(seconds, bool) or seconds != int(seconds) or not least <= seconds <= most:
        raise ComponentError(
            f"timeout_seconds must be {least} to {most} whole seconds, as Lambda allows, got {seconds}. It "
            "is the function's own timeout: how long after a call began its failure may be counted."
        )
    return int(seconds)


def checked_invocation(invocation: str) -> Invocation:
    """Return who invokes a function.

    Raises:
        ComponentError: when it is none of Invocation.

    """
    if invocation not in set(Invocation):
        raise ComponentError(
            f"invocation must be synchronous, asynchronous or queued, got {invocation!r}. It says who "
            "invokes the function: a caller that waits, Lambda's own queue, or an event source mapping."
        )
    return Invocation(invocation)


def _description(
    arns: Arns, function_name: pulumi.Input[str], plan: metrics.AlarmPlan, min_errors: int, rate: float
) -> pulumi.Output[str]:
    return pulumi.Output.concat(
        "Function ",
        function_name,
        f" failed at least {min_errors} requests and {rate:.2%} of them within {plan.period} s: more than "
        "chance explains. The healer looks at it now; what it did, and what to do yourself, is in "
        "docs/operations.md. The function: ",
        arns.function_page(function_name),
    )
