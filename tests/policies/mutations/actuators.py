"""Programs that change something when an alarm fires, and have no healer: nothing bounds what they start."""

from typing import Any

from tests.policies.innocents.shapes import STATE_CHANGE, allows, errors, role, rule, service, topic
from tests.policies.mutations.table import Program, foreign, refused_by
from tests.policies.support.changes import Change, add, put, several
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.scene import Scene

HERE = f"{REGION}:{ACCOUNT}"
RESTART = f"arn:aws:ssm:{HERE}:automation-definition/AWS-RestartEC2Instance:$DEFAULT"
STOP_TASKS = {"Action": "ecs:StopTask", "Resource": "*"}
STREAM = f"arn:aws:firehose:{HERE}:deliverystream/alarms"
REPORTS = {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}


def starts(target: Any, pattern: dict[str, Any] | None = None, **more: Any) -> Change:
    """Register a service, its alarm, and a rule on alarms that starts something."""

    def build(scene: Scene) -> None:
        service(scene)
        errors(scene, "orders-errors", "orders", topic(scene, "people", "oncall@example.com"))
        role(scene, "starter", "events")
        rule(scene, "on-alarm", target, pattern, roleArn=Ref("starter"), **more)

    return build


def builds(*statements: dict[str, Any]) -> Change:
    """Start a build whose role has these rights."""

    def build(scene: Scene) -> None:
        role(scene, "build-role", "codebuild")
        if statements:
            allows(scene, "build-rights", "build-role", *statements)
        scene.add("codebuild.Project", "fix", serviceRole=Ref("build-role"))
        starts(f"arn:aws:codebuild:{HERE}:project/fix-0a1b2c3")(scene)

    return build


def tasks(*statements: dict[str, Any], known: bool = True, own_role: bool = True) -> Change:
    """Start a task whose role has these rights."""

    def build(scene: Scene) -> None:
        given: dict[str, Any] = {"family": "fix"}
        if own_role:
            role(scene, "task-role", "ecs-tasks")
            given["taskRoleArn"] = Ref("task-role")
        if statements:
            allows(scene, "task-rights", "task-role", *statements)
        scene.add("ecs.TaskDefinition", "fix", **given)
        scene.add("ecs.Cluster", "cluster")
        cluster = f"arn:aws:ecs:{HERE}:cluster/cluster-0a1b2c3" if known else Unknown(("cluster",))
        which = f"arn:aws:ecs:{HERE}:task-definition/fix:7" if known else Unknown(("fix",))
        starts(cluster, ecsTarget={"taskDefinitionArn": which})(scene)

    return build


def pipe(scene: Scene) -> None:
    """Let a pipe start an automation for each alarm that a queue receives."""
    service(scene)
    errors(scene, "orders-errors", "orders", topic(scene, "alerts", "oncall@example.com"))
    scene.add("sqs.Queue", "inbox")
    scene.add("sns.TopicSubscription", "to-inbox", topic=Ref("alerts"), protocol="sqs", endpoint=Ref("inbox"))
    role(scene, "starter", "pipes")
    scene.add(
        "pipes.Pipe",
        "fix",
        source=Ref("inbox"),
        target=f"arn:aws:codepipeline:{HERE}:redeploy",
        roleArn=Ref("starter"),
    )


def plan(*automations: dict[str, Any], **own: Any) -> Change:
    """Register an alarm that opens an incident by a response plan."""

    def build(scene: Scene) -> None:
        service(scene)
        action = {"action": {"ssmAutomations": list(automations)}} if automations else {}
        scene.add("ssmincidents.ResponsePlan", "outage", name="outage", **action, **own)
        errors(scene, "orders-errors", "orders", f"arn:aws:ssm-incidents::{ACCOUNT}:response-plan/outage")

    return build


def by_an_ops_item(scene: Scene) -> None:
    """Let a rule on OpsItems, which an alarm opens, start an automation."""
    service(scene)
    errors(scene, "orders-errors", "orders", f"arn:aws:ssm:{HERE}:opsitem:2")
    pattern = {"source": ["aws.ssm"], "detail-type": ["OpsItem Create"]}
    rule(scene, "on-item", RESTART, pattern, roleArn=f"arn:aws:iam::{ACCOUNT}:role/starter")


BOUNDED = "selfheal-actuator-bounded"

PROGRAMS = [
    Program("an automation that an alarm starts", BOUNDED, starts(RESTART)),
    Program(
        "an automation that any event of CloudWatch starts",
        BOUNDED,
        starts(RESTART, {"source": [{"prefix": "aws.cloud"}]}),
    ),
    Program(
        "an automation for alarms without data",
        BOUNDED,
        starts(RESTART, STATE_CHANGE | {"detail": {"state": {"value": ["INSUFFICIENT_DATA"]}}}),
    ),
    Program(
        "a command on every instance",
        BOUNDED,
        starts(
            f"arn:aws:ssm:{REGION}::document/AWS-RunShellScript",
            runCommandTargets=[{"key": "tag:app", "values": ["orders"]}],
        ),
    ),
    Program(
        "a document of the stack",
        BOUNDED,
        several(
            add("ssm.Document", "restart", documentType="Automation", content="{}"),
            starts(Unknown(("restart",))),
        ),
    ),
    Program(
        "an instance that EventBridge terminates",
        BOUNDED,
        starts(f"arn:aws:events:{HERE}:target/terminate-instance"),
    ),
    Program("a build that may stop tasks", BOUNDED, builds(STOP_TASKS)),
    Program("a build elsewhere", BOUNDED, starts(f"arn:aws:codebuild:{HERE}:project/mend-everything")),
    Program("a task that may stop tasks", BOUNDED, tasks(STOP_TASKS)),
    Program("a task of an unknown cluster", BOUNDED, tasks(STOP_TASKS, known=False)),
    Program("a job", BOUNDED, starts(f"arn:aws:batch:{HERE}:job-queue/mend")),
    Program("a pipeline that a pipe starts", BOUNDED, pipe),
    Program("an automation for the OpsItem of an alarm", BOUNDED, by_an_ops_item),
    Program("a plan with an automation", BOUNDED, plan({"documentName": "AWS-RestartEC2Instance"})),
]


def tells(*actions: Any) -> Change:
    """Have the alarm wake the healer, and do this beside."""
    return put("errors", alarmActions=[Ref("wake"), *actions], okActions=[Ref("wake")])


def archive(protocol: Any) -> Change:
    """Tell a topic, to which nobody can listen."""
    return several(
        add("sns.Topic", "archive"),
        add(
            "sns.TopicSubscription",
            "keep",
            topic=Ref("archive"),
            protocol=protocol,
            endpoint=STREAM,
            subscriptionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/keep",
        ),
        tells(Ref("archive")),
    )


OURS = [
    *refused_by(
        BOUNDED,
        (
            "an automation beside the healer",
            several(
                add(
                    "cloudwatch.EventRule",
                    "on-alarm",
                    eventPattern=Json(STATE_CHANGE | {"resources": [Ref("healer-fragile-fast")]}),
                ),
                add(
                    "cloudwatch.EventTarget",
                    "restart",
                    rule=Ref("on-alarm", "name"),
                    arn=RESTART,
                    roleArn=f"arn:aws:iam::{ACCOUNT}:role/restart",
                ),
            ),
            "both",
        ),
    ),
    *refused_by(
        "lambda-healer-recursion",
        (
            "a healer that may be called in a loop",
            add(
                "lambda.FunctionRecursionConfig",
                "loops",
                functionName=Ref("healer", "name"),
                recursiveLoop="Allow",
            ),
        ),
    ),
]

TABLE = [
    *foreign(
        "cloudwatch-alarm-reaches-people",
        ("an instance that reboots and nobody", "topic", tells(f"arn:aws:automate:{REGION}:ec2:reboot")),
        (
            "a group that scales and nobody",
            "topic",
            several(
                add("autoscaling.Policy", "more", autoscalingGroupName="web", scalingAdjustment=1),
                tells(f"arn:aws:autoscaling:{HERE}:scalingPolicy:1:autoScalingGroupName/web:policyName/more"),
            ),
        ),
        ("an archive and nobody", "topic", archive("firehose")),
        ("a protocol that nobody knows", "topic", archive("carrier-pigeon")),
        ("an investigation and nobody", "topic", tells(f"arn:aws:aiops:{HERE}:investigation-group/all")),
    ),
    *foreign(
        "lambda-healer-recursion",
        (
            "a loop that is allowed",
            "topic",
            add(
                "lambda.FunctionRecursionConfig",
                "loops",
                functionName=Ref("medic", "name"),
                recursiveLoop="Allow",
            ),
        ),
        (
            "a loop that may be allowed",
            "queue",
            add(
                "lambda.FunctionRecursionConfig",
                "loops",
                functionName=Ref("medic", "name"),
                recursiveLoop=Unknown(()),
            ),
        ),
    ),
]
