"""The rules on what changes something without being a healer, and on a healer's recursion."""

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.mutations.actuators import REPORTS, RESTART, STOP_TASKS, builds, starts, tasks
from tests.policies.rules.points import Case, five
from tests.policies.support.changes import Change, add, nothing, put
from tests.policies.support.references import Ref, Unknown
from tests.policies.support.scene import Scene

OTHER_EVENTS = {"source": ["aws.ec2"]}


def loops(value: object, function: str = "medic") -> Change:
    return add(
        "lambda.FunctionRecursionConfig",
        "loops",
        functionName=Ref(function, "name"),
        **({} if value is None else {"recursiveLoop": value}),
    )


CASES: list[Case] = [
    *five(
        "selfheal-actuator-bounded",
        start=Scene,
        fine=[builds(REPORTS), tasks(REPORTS), tasks(own_role=False)],
        wrong=[
            (starts(RESTART), "the automation AWS-RestartEC2Instance"),
            (builds(STOP_TASKS), "ecs:StopTask"),
            (tasks(STOP_TASKS), "ecs:StopTask"),
        ],
        elsewhere=[starts(RESTART, OTHER_EVENTS), starts(RESTART, {"source": ["orders"]})],
        unknown=[(tasks(STOP_TASKS, known=False), "ecs:StopTask")],
        configured=[
            (starts(RESTART), {"accepted": ["on-alarm-target"]}, ""),
            (starts(RESTART), {"accepted": ["arn:aws:ssm:*:*:automation-definition/AWS-Restart*"]}, ""),
            (starts(RESTART), {"accepted": ["something-else"]}, "the automation AWS-RestartEC2Instance"),
        ],
    ),
    *five(
        "selfheal-actuator-seen",
        start=Scene,
        fine=[
            add("aws-native:s3:Bucket", "data"),
            add("cfg.RemediationConfiguration", "asked", automatic=False),
            add("budgets.BudgetAction", "approved", approvalModel="MANUAL"),
            add(
                "scheduler.Schedule",
                "evening",
                target={"arn": "arn:aws:scheduler:::aws-sdk:rds:stopDBInstance"},
            ),
        ],
        wrong=[
            (
                add("cloudwatch.MetricAlarm", "host", alarmActions=["arn:aws:automate:us-east-1:ec2:reboot"]),
                "reboot",
            ),
            (add("aws-native:lambda:Function", "other"), "other (aws-native:lambda:Function)"),
            (add("cloudformation.Stack", "templates"), "templates"),
            (add("cfg.RemediationConfiguration", "close-buckets", automatic=True), "close-buckets"),
            (add("budgets.BudgetAction", "stop-all", approvalModel="AUTOMATIC"), "stop-all"),
            (
                add(
                    "scheduler.Schedule",
                    "morning",
                    target={"arn": "arn:aws:scheduler:::aws-sdk:lambda:putFunctionConcurrency"},
                ),
                "lambda:putFunctionConcurrency",
            ),
        ],
        elsewhere=[add("sns.Topic", "alerts")],
        unknown=[
            (add("aws-native:events:Rule", "rule", eventPattern=UNKNOWN), "rule (aws-native:events:Rule)")
        ],
        configured=[(add("cloudformation.Stack", "templates"), {"accepted": ["templates"]}, "")],
    ),
    *five(
        "lambda-healer-recursion",
        fine=[loops("Terminate"), loops(None), nothing],
        wrong=[(loops("Allow"), "healer medic to Allow")],
        elsewhere=[loops("Allow", "orders")],
        unknown=[(loops(Unknown(("orders",))), "not known at preview")],
        configured=[(put("medic", timeout=20), {}, "")],
    ),
]
