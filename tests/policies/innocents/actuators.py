"""What an alarm starts that changes nothing, or that AWS does by itself: named at most, and never refused."""

from tests.policies.innocents.shapes import errors, service, topic
from tests.policies.innocents.table import Innocent
from tests.policies.mutations.actuators import HERE, REPORTS, builds, plan, starts, tasks
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene


def recovers(scene: Scene) -> None:
    """Recover an instance whose host fails."""
    topic(scene, "people", "oncall@example.com")
    scene.add(
        "cloudwatch.MetricAlarm",
        "host",
        namespace="AWS/EC2",
        metricName="StatusCheckFailed_System",
        dimensions={"InstanceId": "i-0123456789abcdef0"},
        alarmActions=[f"arn:aws:automate:{REGION}:ec2:recover", Ref("people")],
    )


def scales(scene: Scene) -> None:
    """Scale a group by steps."""
    scene.add("autoscaling.Policy", "more", autoscalingGroupName="web", scalingAdjustment=1)
    scene.add(
        "cloudwatch.MetricAlarm",
        "busy",
        namespace="AWS/EC2",
        metricName="CPUUtilization",
        dimensions={"AutoScalingGroupName": "web"},
        alarmActions=[Ref("more")],
    )


def operations(scene: Scene) -> None:
    """Open an OpsItem."""
    service(scene)
    errors(scene, "orders-errors", "orders", f"arn:aws:ssm:{HERE}:opsitem:2#CATEGORY=Availability")


def nightly(scene: Scene) -> None:
    """Stop a test database in the evening, without a function."""
    service(scene)
    errors(scene, "orders-errors", "orders", topic(scene, "people", "oncall@example.com"))
    scene.add(
        "scheduler.Schedule",
        "evening",
        scheduleExpression="cron(0 19 * * ? *)",
        flexibleTimeWindow={"mode": "OFF"},
        target={
            "arn": "arn:aws:scheduler:::aws-sdk:rds:stopDBInstance",
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/evening",
            "input": '{"DbInstanceIdentifier": "test"}',
        },
    )


INNOCENTS = [
    Innocent("a build that reports", builds(REPORTS), "CodeBuild as target of a rule on alarms"),
    Innocent("a task that reports", tasks(REPORTS), "ECS task as target of a rule on alarms"),
    Innocent("a task without a role", tasks(own_role=False), "ECS task without a task role"),
    Innocent("a response plan that pages", plan(), "Incident Manager: response plan with engagements"),
    Innocent("an instance that recovers", recovers, "EC2 user guide: alarm that recovers an instance"),
    Innocent("a group that scales", scales, "EC2 Auto Scaling user guide: step scaling by an alarm"),
    Innocent("an OpsItem", operations, "Systems Manager user guide: OpsItems from alarms"),
    Innocent("a database that sleeps", nightly, "EventBridge Scheduler: universal targets by night"),
    Innocent(
        "an automation of another event",
        starts(f"arn:aws:ssm:{HERE}:automation-definition/Report", {"source": ["aws.ec2"]}),
        "Systems Manager user guide: automations by EventBridge",
    ),
]
