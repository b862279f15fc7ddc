"""`Healer`: detection and healing for Lambda functions, in ten lines."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.code import package
from selfheal.components.dashboard import dashboard
from selfheal.components.detection import AlarmRecord, Detection, DetectionArgs
from selfheal.components.grants import ledger_grants, remedy_grants
from selfheal.components.guards import GuardArgs, check_guards, guards_text
from selfheal.components.healer_environment import environment
from selfheal.components.iam import Statement, allow, function_role, write_logs, write_traces
from selfheal.components.ledger import deployment_item, ledger_table
from selfheal.components.log_groups import DEFAULT_RETENTION_DAYS, log_group
from selfheal.components.people import approver_policy, operator_policy
from selfheal.components.targets import TargetArgs, check
from selfheal.components.topics import check_emails, escalation_topic, healer_topic
from selfheal.components.wakeups import wake_by_schedule, wake_by_topic
from selfheal.components.watch import watch
from selfheal.functions.shared.contract import HEALER_TIMEOUT_SECONDS, Limits, Mode

MEMORY_MB = 256

EVENT_AGE_SECONDS = 60
"""The shortest that Lambda knows. An older nudge says nothing that the schedule has not seen."""

QUEUE_RETENTION_SECONDS = 14 * 24 * 3600
"""The longest that SQS knows: people may be on holiday."""


class HealerArgs(TypedDict):
    """What to look after, and how freely."""

    targets: list[TargetArgs]
    """The functions to look after, at least one; about eight fit into one healer."""

    ledger_name: str
    """Name of the ledger's table, unique in account and region: the program looks it up before it exists."""

    mode: NotRequired[Mode]
    """How much it may do by itself. Default OBSERVE, which has no permission to change a target."""

    budget: NotRequired[int]
    """Acts on all targets in a day, 1 to 24. Default 12."""

    guards: NotRequired[GuardArgs]
    """Further limits. Default: those of GuardArgs."""

    escalation_emails: NotRequired[list[str]]
    """Addresses to tell when people are needed; each has to confirm. Default none."""

    reserve_concurrency: NotRequired[bool]
    """Whether to reserve a concurrency of 1. Default true; false where a quota of 10 forbids it."""

    protect_ledger: NotRequired[bool]
    """Whether DynamoDB refuses to delete the ledger. Default true."""

    log_retention_days: NotRequired[int]
    """Days that logs are kept; one of the numbers that CloudWatch Logs knows. Default 14."""


class Healer(pulumi.ComponentResource):
    """Alarms, the healer that they wake, its ledger, the way to people, and a watch on the healer itself."""

    function_name: pulumi.Output[str]
    """Name of the healer's function, known at preview."""

    ledger_table: pulumi.Output[str]
    """Name of the ledger's table."""

    topic_arn: pulumi.Output[str]
    """Topic that wakes the healer, known at preview; only alarms of this account may publish to it."""

    escalation_topic_arn: pulumi.Output[str]
    """Topic that reaches people, known at preview."""

    approver_policy_arn: pulumi.Output[str]
    """Managed policy for people who may approve plans, known at preview. Attach it yourself."""

    operator_policy_arn: pulumi.Output[str]
    """Managed policy for people who may besides set the mode and command it, known at preview."""

    alarm_names: list[pulumi.Output[str]]
    """Alarms on the targets, in the order of the targets, known at preview."""

    def __init__(self, name: str, args: HealerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register it all.

        Raises:
            ComponentError: when a target, remedy, guard, rate, address or retention is not what its argument
                allows.

        """
        check(args["targets"])
        budget, guards = args.get("budget", Limits.budget), args.get("guards", GuardArgs())
        check_guards(budget, guards)
        check_emails(args.get("escalation_emails", []))
        super().__init__("selfheal:index:Healer", name, {**args}, opts)
        options = pulumi.ResourceOptions(parent=self)
        arns = Arns(self)
        self.topic_arn = healer_topic(name, arns, self)
        self.escalation_topic_arn = escalation_topic(name, arns, args.get("escalation_emails", []), self)
        targets = [(target, self._detect(name, target)) for target in args["targets"]]
        self.alarm_names = [alarm["name"] for _, alarms in targets for alarm in alarms]

        table = ledger_table(name, args["ledger_name"], args.get("protect_ledger", True), self)
        self.ledger_table = table.name
        queue = aws.sqs.Queue(
            f"{name}-failures",
            sqs_managed_sse_enabled=True,
            message_retention_seconds=QUEUE_RETENTION_SECONDS,
            opts=options,
        )
        group = log_group(name, args.get("log_retention_days", DEFAULT_RETENTION_DAYS), self)
        role, policy = function_role(
            name,
            [write_logs(arns, group.name), write_traces(), *self._statements(args, arns, queue)],
            self,
        )
        function = aws.lambda_.Function(
            name,
            runtime="python3.13",
            architectures=["arm64"],
            handler="selfheal.functions.healer.handler.handle",
            code=package("healer"),
            role=role.arn,
            timeout=HEALER_TIMEOUT_SECONDS,
            memory_size=MEMORY_MB,
            # Economy only: the ledger is the lock. -1 is Lambda's word for no reservation.
            reserved_concurrent_executions=1 if args.get("reserve_concurrency", True) else -1,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables=environment(
                    {
                        "LEDGER_TABLE": self.ledger_table,
                        "TOPIC_ARN": self.topic_arn,
                        "ESCALATION_TOPIC_ARN": self.escalation_topic_arn,
                        "MODE": _mode(args).value,
                        "BUDGET": str(budget),
                        "GUARDS": guards_text(guards),
                    },
                    targets,
                )
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=group.name),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.function_name = function.name
        running = pulumi.ResourceOptions(parent=self, depends_on=[function])
        deployment_item(name, self.ledger_table, self.function_name, _mode(args).value, running)
        # IAM on the ledger's items says who may; whom to attach it to is the team's to say.
        people = name, self.ledger_table, self.function_name, arns, self
        self.approver_policy_arn = approver_policy(*people)
        self.operator_policy_arn = operator_policy(*people)
        limits = self._limit_events(name, function, queue, arns)
        awake = pulumi.ResourceOptions(parent=self, depends_on=[limits])
        wake_by_topic(name, function, self.topic_arn, awake)
        schedule = wake_by_schedule(name, function, arns, awake)
        # Last, so that the healer already runs when the alarm on its silence is first evaluated.
        watched = pulumi.ResourceOptions(parent=self, depends_on=[schedule])
        own = watch(name, function.name, queue.name, self.escalation_topic_arn, watched)
        dashboard(name, function.name, targets, own, arns, parent=self)
        self.register_outputs(
            {
                "functionName": self.function_name,
                "ledgerTable": self.ledger_table,
                "topicArn": self.topic_arn,
                "escalationTopicArn": self.escalation_topic_arn,
                "approverPolicyArn": self.approver_policy_arn,
                "operatorPolicyArn": self.operator_policy_arn,
                "alarmNames": self.alarm_names,
            }
        )

    def _detect(self, name: str, target: TargetArgs) -> list[AlarmRecord]:
        args: DetectionArgs = {
            "function_name": target["function_name"],
            "actions": [self.topic_arn, self.escalation_topic_arn],
        }
        if "instrumented" in target:
            args["instrumented"] = target["instrumented"]
        if "natural_error_rate" in target:
            args["natural_error_rate"] = target["natural_error_rate"]
        if "false_alarms_per_year" in target:
            args["false_alarms_per_year"] = target["false_alarms_per_year"]
        if "alarm_error_rate" in target:
            args["alarm_error_rate"] = target["alarm_error_rate"]
        options = pulumi.ResourceOptions(parent=self)
        return Detection(f"{name}-{target['name']}", args, options).alarms

    def _statements(self, args: HealerArgs, arns: Arns, queue: aws.sqs.Queue) -> Sequence[Statement]:
        table = arns.table(self.ledger_table)
        return [
            *ledger_grants(table),
            allow(["cloudwatch:DescribeAlarms"], [arns.alarm(alarm) for alarm in self.alarm_names]),
            # cloudwatch:GetMetricData has no resource level: AWS accepts nothing narrower than `*`.
            allow(["cloudwatch:GetMetricData"], ["*"]),
            allow(["sns:Publish"], [self.escalation_topic_arn]),
            allow(["sqs:SendMessage"], [arns.queue(queue.name)]),
            *remedy_grants(args["targets"], _mode(args), table, arns),
        ]

    def _limit_events(
        self, name: str, function: aws.lambda_.Function, queue: aws.sqs.Queue, arns: Arns
    ) -> aws.lambda_.FunctionEventInvokeConfig:
        """Let a nudge fail once and not pile up: the next minute's look is worth more than an old event."""
        return aws.lambda_.FunctionEventInvokeConfig(
            f"{name}-events",
            function_name=function.name,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=EVENT_AGE_SECONDS,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(
                    destination=arns.queue(queue.name)
                )
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _mode(args: HealerArgs) -> Mode:
    return Mode(args.get("mode", Mode.OBSERVE))
