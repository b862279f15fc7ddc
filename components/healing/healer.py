"""`Healer`: detection and healing for Lambda functions."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.arns import Arns
from selfheal.components.function import DEFAULT_RETENTION_DAYS, lambda_function, own_code
from selfheal.components.healing.claims import Claims
from selfheal.components.healing.dashboard import dashboard
from selfheal.components.healing.detection import AlarmRecord, Detection, DetectionArgs
from selfheal.components.healing.detection_floor import tell_floor
from selfheal.components.healing.grants import environment_key_grants, ledger_grants, remedy_grants
from selfheal.components.healing.healer_alarms import healer_alarms
from selfheal.components.healing.healer_environment import environment
from selfheal.components.healing.ledger import deployment_item, ledger_table
from selfheal.components.healing.limits import GuardArgs, check_guards, guards_text
from selfheal.components.healing.people import approver_policy, operator_policy
from selfheal.components.healing.project import warn_without_refresh
from selfheal.components.healing.refuse_while_open import HEALER_TYPE, WhileOpen, refuse_in_healer
from selfheal.components.healing.targets import TargetArgs, check, named
from selfheal.components.healing.topics import check_emails, escalation_topic, healer_topic
from selfheal.components.healing.unprotected_ledger import warn_of_loss
from selfheal.components.healing.wakeups import wake_by_schedule, wake_by_topic
from selfheal.components.iam import Statement, allow
from selfheal.components.security import Security, Store
from selfheal.functions.shared.contract import HEALER_TIMEOUT_SECONDS, Limits, Mode

MEMORY_MB = 256

EVENT_AGE_SECONDS = 60
"""Lambda's minimum. A run of the schedule makes older events obsolete."""

QUEUE_RETENTION_SECONDS = 14 * 24 * 3600
"""SQS's maximum, so that failed events outlast a holiday."""


class HealerArgs(TypedDict):
    """The targets, and how much the healer may do."""

    targets: list[TargetArgs]
    """The functions to heal, at least one. About eight fit into one healer."""

    ledger_name: str
    """Name of the ledger's table, unique in account and region; given, because `up` looks it up first.
    Another name is another ledger, without what this one remembers."""

    mode: NotRequired[Mode]
    """How much it may do on its own. Default OBSERVE, which has no permission to change a target."""

    budget: NotRequired[int]
    """Remediations of all targets in 24 hours, 1 to 24. Default 12."""

    guards: NotRequired[GuardArgs]
    """Other limits. Default: those of GuardArgs."""

    escalation_emails: NotRequired[list[str]]
    """E-mail addresses for escalations. Each has to confirm its subscription. Default none."""

    reserve_concurrency: NotRequired[bool]
    """Whether to reserve a concurrency of 1, which only saves invocations: the ledger is the lock. Default
    false, because an account whose quota is 10, as that of a new one, cannot reserve any."""

    protect_ledger: NotRequired[bool]
    """Whether DynamoDB and Pulumi refuse to delete the ledger, and what would replace it. Default true."""

    while_open: NotRequired[WhileOpen]
    """What to do while a remedy stands that a deployment would undo. A Python program calls
    `refuse_while_open` before its first resource instead. Default REFUSE."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""

    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of a symmetric KMS key of this region, for topics, queue, ledger, logs and environment. Its policy
    must let CloudWatch and CloudWatch Logs use it. Default: keys that AWS owns; topics are not encrypted."""

    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """ARN of a managed policy that bounds the role, in place of the boundary that it has of its own. Default:
    that one, which allows what the role's policy allows."""


class Healer(pulumi.ComponentResource):
    """Alarms, the healer that they wake, its ledger, escalation, and alarms on the healer itself."""

    function_name: pulumi.Output[str]
    """Name of the healer's function, known at preview."""

    ledger_table: pulumi.Output[str]
    """Name of the ledger's table."""

    topic_arn: pulumi.Output[str]
    """Topic that wakes the healer, known at preview. Only alarms of this account may publish to it."""

    escalation_topic_arn: pulumi.Output[str]
    """Topic that notifies people, known at preview."""

    approver_policy_arn: pulumi.Output[str]
    """Managed policy for people who may approve plans, known at preview. Attach it yourself."""

    operator_policy_arn: pulumi.Output[str]
    """Managed policy for people who may also set the mode and send commands, known at preview."""

    alarm_names: list[pulumi.Output[str]]
    """Alarms on the targets, in the order of the targets, known at preview."""

    def __init__(self, name: str, args: HealerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register all resources.

        Raises:
            ComponentError: when a target, remedy, identifier, guard, rate, address or retention is not valid,
                two targets of the program are one function, or while a remedy stands of which the program
                does not know.

        """
        check(args["targets"])
        looked_after = named(args["targets"])
        names.TABLE.of("ledger_name", args["ledger_name"])
        budget, guards = args.get("budget", Limits.budget), args.get("guards", GuardArgs())
        check_guards(budget, guards)
        emails = args.get("escalation_emails", [])
        check_emails(emails)
        super().__init__(HEALER_TYPE, name, {**args, "escalation_emails": pulumi.Output.secret(emails)}, opts)
        protect = args.get("protect_ledger", True)
        mode, while_open = Mode(args.get("mode", Mode.OBSERVE)), args.get("while_open", WhileOpen.REFUSE)
        refuse_in_healer(args["ledger_name"], WhileOpen(while_open), mode, self)
        if not protect:
            warn_of_loss(args["ledger_name"], [target["name"] for target in args["targets"]], self)
        warn_without_refresh(self)
        options = pulumi.ResourceOptions(parent=self)
        arns = Arns(self)
        security = Security(args, arns)
        self.topic_arn = healer_topic(name, arns, security, self)
        self.escalation_topic_arn = escalation_topic(name, arns, emails, security, self)
        targets = [(target, self._detect(name, target)) for target in looked_after]
        self.alarm_names = [alarm["name"] for _, alarms in targets for alarm in alarms]
        tell_floor({target["name"]: alarms for target, alarms in targets}, self)

        table = ledger_table(name, args["ledger_name"], protect, security, self)
        self.ledger_table = table.name
        queue = aws.sqs.Queue(
            f"{name}-failures",
            message_retention_seconds=QUEUE_RETENTION_SECONDS,
            opts=options,
            **security.queue,
        )
        function = lambda_function(
            name,
            own_code("healer"),
            environment(
                {
                    "LEDGER_TABLE": self.ledger_table,
                    "TOPIC_ARN": self.topic_arn,
                    "ESCALATION_TOPIC_ARN": self.escalation_topic_arn,
                    "MODE": mode.value,
                    "BUDGET": str(budget),
                    "GUARDS": guards_text(guards),
                },
                _claimed(name, targets, arns),
            ),
            self._statements(looked_after, mode, arns, queue, security),
            arns=arns,
            parent=self,
            timeout=HEALER_TIMEOUT_SECONDS,
            memory=MEMORY_MB,
            log_retention_days=args.get("log_retention_days", DEFAULT_RETENTION_DAYS),
            # This only saves invocations; the ledger is the lock.
            reserved_concurrency=1 if args.get("reserve_concurrency", False) else -1,
            security=security,
        )
        self.function_name = function.name
        running = pulumi.ResourceOptions(parent=self, depends_on=[function])
        alarms = {target["name"]: [alarm["name"] for alarm in own] for target, own in targets}
        deployment_item(
            name,
            self.ledger_table,
            self.function_name,
            mode=mode.value,
            budget=budget,
            alarms=alarms,
            opts=running,
        )
        # IAM conditions on the ledger's items control who may do what. The team attaches the policies.
        people = name, self.ledger_table, self.function_name
        self.approver_policy_arn = approver_policy(*people, arns=arns, security=security, parent=self)
        self.operator_policy_arn = operator_policy(*people, arns=arns, security=security, parent=self)
        limits = self._limit_events(name, function, queue, arns)
        awake = pulumi.ResourceOptions(parent=self, depends_on=[limits])
        wake_by_topic(name, function, self.topic_arn, awake)
        schedule = wake_by_schedule(name, function, arns, awake)
        # Last, so that the healer already runs when the alarm on missing runs is first evaluated.
        watched = pulumi.ResourceOptions(parent=self, depends_on=[schedule])
        own = healer_alarms(name, function.name, queue.name, self.escalation_topic_arn, arns, opts=watched)
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
        # Not a common base class of both: Pulumi's analyzer loses the docstrings of inherited arguments.
        shared = {key: value for key, value in target.items() if key in DetectionArgs.__annotations__}
        actions = [self.topic_arn, self.escalation_topic_arn]
        args = cast("DetectionArgs", {**shared, "actions": actions})
        options = pulumi.ResourceOptions(parent=self)
        return Detection(f"{name}-{target['name']}", args, options).alarms

    def _statements(
        self,
        targets: Sequence[TargetArgs],
        mode: Mode,
        arns: Arns,
        queue: aws.sqs.Queue,
        security: Security,
    ) -> Sequence[Statement]:
        table = arns.table(self.ledger_table)
        return [
            *ledger_grants(table),
            *security.reads(Store.TABLE),
            # cloudwatch:GetMetricData has no resource level: AWS accepts nothing narrower than `*`. For
            # DescribeAlarms the Service Authorization Reference names alarms as the resource, but the API
            # reference returns composite alarms for `*` only, and refusals are seen on `alarm:*`. Without it
            # the healer is blind, and it tells no more than alarms: so `*`. `selfheal doctor` tries it.
            allow(["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], ["*"]),
            allow(["sns:Publish"], [self.escalation_topic_arn]),
            *security.writes(Store.TOPIC),
            allow(["sqs:SendMessage"], [arns.queue(queue.name)]),
            *security.writes(Store.QUEUE),
            *remedy_grants(targets, mode, table, arns),
            *environment_key_grants(targets, mode, arns),
        ]

    def _limit_events(
        self, name: str, function: aws.lambda_.Function, queue: aws.sqs.Queue, arns: Arns
    ) -> aws.lambda_.FunctionEventInvokeConfig:
        """Do not retry failed events, and discard old ones: the next scheduled run makes them obsolete."""
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


def _claimed(
    healer: str, targets: Sequence[tuple[TargetArgs, list[AlarmRecord]]], arns: Arns
) -> list[tuple[TargetArgs, list[AlarmRecord]]]:
    """Return the targets, each with a function that no other target of the program has."""
    claims = Claims(healer)
    return [
        ({**target, "function_name": claims.claim(target["name"], function, arns.function(function))}, alarms)
        for target, alarms in targets
        for function in [target["function_name"]]
    ]
