"""Alarms whose actions are AWS's own: scaling policies, deployments that roll back, items for people."""

from typing import Any

from tests.policies.innocents.shapes import (
    AWS,
    alarm,
    allows,
    attach,
    consume,
    errors,
    function,
    reads,
    role,
    topic,
)
from tests.policies.innocents.table import Innocent
from tests.policies.innocents.tickets import KEYS
from tests.policies.support.changes import text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Ref
from tests.policies.support.scene import Scene

ALERTS = Ref("alerts")
STEPS = {
    "adjustmentType": "ChangeInCapacity",
    "cooldown": 60,
    "stepAdjustments": [{"scalingAdjustment": 1, "metricIntervalLowerBound": "0"}],
}


def instances(scene: Scene) -> None:
    """The classic web tier: simple scaling policies up and down, alarms on CPU that call them."""
    scene.add(
        "autoscaling.Group", "web", minSize=2, maxSize=6, launchTemplate={"id": "lt-1", "version": "$Latest"}
    )
    group = {"AutoScalingGroupName": Ref("web", "name")}
    for name, change, operator in (
        ("up", 1, "GreaterThanThreshold"),
        ("down", -1, "LessThanThreshold"),
    ):
        scene.add(
            "autoscaling.Policy",
            name,
            autoscalingGroupName=Ref("web", "name"),
            adjustmentType="ChangeInCapacity",
            scalingAdjustment=change,
            cooldown=300,
        )
        cpu = "AWS/EC2:CPUUtilization"
        alarm(scene, f"cpu-{name}", cpu, group, Ref(name), statistic="Average", comparisonOperator=operator)
    topic(scene, "alerts", "oncall@example.com")
    scene.add(
        "autoscaling.Notification",
        "scaled",
        groupNames=[Ref("web", "name")],
        notifications=["autoscaling:EC2_INSTANCE_LAUNCH_ERROR"],
        topicArn=ALERTS,
    )


def target(scene: Scene, name: str, namespace: str, resource: str, dimension: str) -> None:
    scene.add(
        "appautoscaling.Target",
        f"{name}-target",
        minCapacity=1,
        maxCapacity=10,
        resourceId=resource,
        scalableDimension=dimension,
        serviceNamespace=namespace,
    )


def scaled(name: str, namespace: str, resource: str, dimension: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceId": resource,
        "scalableDimension": dimension,
        "serviceNamespace": namespace,
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": {
            "predefinedMetricSpecification": {"predefinedMetricType": name},
            "targetValue": 70,
        },
        **more,
    }


def workers(scene: Scene) -> None:
    """ECS workers on a queue: step scaling by the queue's depth, the alarms' actions are the policies."""
    service = ("ecs", "service/jobs/worker", "ecs:service:DesiredCount")
    scene.add("ecs.Cluster", "jobs")
    scene.add("sqs.Queue", "work")
    target(scene, "worker", *service)
    depth = {"QueueName": Ref("work", "name")}
    visible = "AWS/SQS:ApproximateNumberOfMessagesVisible"
    for name in ("out", "in"):
        policy = scaled("", *service, policyType="StepScaling", stepScalingPolicyConfiguration=STEPS)
        del policy["targetTrackingScalingPolicyConfiguration"]
        scene.add("appautoscaling.Policy", name, **policy)
        alarm(scene, f"work-{name}", visible, depth, Ref(name), okActions=[])
    topic(scene, "alerts", "oncall@example.com")
    alarm(scene, "work-stuck", visible, depth, ALERTS, threshold=10000)


def container_target(scene: Scene) -> None:
    """Target tracking on CPU: its alarms are Application Auto Scaling's own and in no program."""
    service = ("ecs", "service/web/web", "ecs:service:DesiredCount")
    scene.add("ecs.Cluster", "web")
    target(scene, "web", *service)
    scene.add("appautoscaling.Policy", "cpu", **scaled("ECSServiceAverageCPUUtilization", *service))
    topic(scene, "alerts", "oncall@example.com")
    cluster = {"ClusterName": Ref("web", "name")}
    alarm(scene, "cpu-high", "AWS/ECS:CPUUtilization", cluster, ALERTS, Ref("cpu"), statistic="Average")


def table_capacity(scene: Scene) -> None:
    """A table with provisioned capacity that Application Auto Scaling adjusts; throttles to people."""
    held = KEYS | {"billingMode": "PROVISIONED", "readCapacity": 5, "writeCapacity": 5}
    scene.add("dynamodb.Table", "orders", **held)
    for name, dimension in (("Read", "ReadCapacityUnits"), ("Write", "WriteCapacityUnits")):
        of = ("dynamodb", "table/orders", f"dynamodb:table:{dimension}")
        target(scene, name.lower(), *of)
        scene.add("appautoscaling.Policy", name, **scaled(f"DynamoDB{name}CapacityUtilization", *of))
    topic(scene, "alerts", "oncall@example.com")
    throttled = {"TableName": Ref("orders", "name")}
    alarm(scene, "throttled", "AWS/DynamoDB:ThrottledRequests", throttled, ALERTS)


def warm_functions(scene: Scene) -> None:
    """Provisioned concurrency of an alias by target tracking, and an alarm on spillover to people."""
    function(scene, "search", publish=True)
    scene.add("lambda.Alias", "live", name="live", functionName=Ref("search", "name"), functionVersion="1")
    of = ("lambda", "function:search:live", "lambda:function:ProvisionedConcurrency")
    target(scene, "search", *of)
    scene.add("appautoscaling.Policy", "warm", **scaled("LambdaProvisionedConcurrencyUtilization", *of))
    topic(scene, "alerts", "oncall@example.com")
    named = {"FunctionName": Ref("search", "name"), "Resource": "search:live"}
    alarm(scene, "cold", "AWS/Lambda:ProvisionedConcurrencySpilloverInvocations", named, ALERTS)


def scaling_and_notifier(scene: Scene) -> None:
    """Scaling policies and a notifier on one alarm: what scales is AWS's, what is called only tells."""
    scene.add("autoscaling.Group", "web", minSize=2, maxSize=6, launchConfiguration="web")
    scene.add("autoscaling.Policy", "up", autoscalingGroupName=Ref("web", "name"), scalingAdjustment=1)
    topic(scene, "alerts")
    function(scene, "slack")
    scene.add("sns.TopicSubscription", "to-slack", topic=ALERTS, protocol="lambda", endpoint=Ref("slack"))
    scene.add(
        "lambda.Permission",
        "may-call",
        action="lambda:InvokeFunction",
        function=Ref("slack"),
        principal="sns.amazonaws.com",
        sourceArn=ALERTS,
    )
    group = {"AutoScalingGroupName": Ref("web", "name")}
    alarm(scene, "cpu", "AWS/EC2:CPUUtilization", group, Ref("up"), ALERTS, statistic="Average")


def canary_deployment(scene: Scene) -> None:
    """CodeDeploy shifts an alias and rolls back by an alarm that it watches; the hook reports a test."""
    function(scene, "shop", publish=True)
    scene.add("lambda.Alias", "live", name="live", functionName=Ref("shop", "name"), functionVersion="1")
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "shop-errors", "shop", ALERTS)
    role(scene, "deploy-role", "codedeploy")
    attach(scene, "deploy-may", "deploy-role", f"{AWS}/service-role/AWSCodeDeployRoleForLambda")
    scene.add("codedeploy.Application", "app", computePlatform="Lambda")
    scene.add(
        "codedeploy.DeploymentGroup",
        "group",
        appName=Ref("app", "name"),
        deploymentGroupName="shop",
        serviceRoleArn=Ref("deploy-role"),
        deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
        deploymentStyle={"deploymentOption": "WITH_TRAFFIC_CONTROL", "deploymentType": "BLUE_GREEN"},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
        alarmConfiguration={"enabled": True, "alarms": [Ref("shop-errors", "name")]},
    )
    report = "codedeploy:PutLifecycleEventHookExecutionStatus"
    function(
        scene,
        "before-traffic",
        {"Action": report, "Resource": "*"},
        {"Action": "lambda:InvokeFunction", "Resource": text("shop", ":*")},
    )


def feature_rollout(scene: Scene) -> None:
    """AppConfig rolls a deployment back by alarms that it monitors, and people hear of them."""
    function(scene, "shop")
    topic(scene, "alerts", "oncall@example.com")
    errors(scene, "shop-errors", "shop", ALERTS)
    role(scene, "monitor-role", "appconfig")
    allows(scene, "monitor-may", "monitor-role", {"Action": "cloudwatch:DescribeAlarms", "Resource": "*"})
    scene.add("appconfig.Application", "flags")
    scene.add(
        "appconfig.Environment",
        "live",
        applicationId=Ref("flags", "id"),
        monitors=[{"alarmArn": Ref("shop-errors"), "alarmRoleArn": Ref("monitor-role")}],
    )


def ops_item_action(scene: Scene) -> None:
    """The alarm opens an OpsItem by itself: a record for people, by Systems Manager."""
    function(scene, "shop")
    topic(scene, "alerts", "oncall@example.com")
    item = f"arn:aws:ssm:{REGION}:{ACCOUNT}:opsitem:3#CATEGORY=Performance"
    errors(scene, "shop-errors", "shop", item, ALERTS)


def consumer_concurrency(scene: Scene) -> None:
    """A consumer with limits of its own and alarms on its throttles to people: nothing scales it."""
    scene.add("sqs.Queue", "work", visibilityTimeoutSeconds=180)
    function(scene, "worker", reads("work"), reservedConcurrentExecutions=5)
    consume(scene, "work", "worker", scalingConfig={"maximumConcurrency": 5})
    topic(scene, "alerts", "oncall@example.com")
    alarm(scene, "throttled", "AWS/Lambda:Throttles", {"FunctionName": Ref("worker", "name")}, ALERTS)


INNOCENTS = [
    Innocent(
        "instances scaled by cpu", instances, "EC2 Auto Scaling guide: simple scaling policies and alarms"
    ),
    Innocent("workers scaled by a queue", workers, "ECS step scaling on queue depth"),
    Innocent("containers scaled by cpu", container_target, "ECS target tracking"),
    Innocent("capacity of a table", table_capacity, "DynamoDB auto scaling"),
    Innocent("provisioned concurrency", warm_functions, "Lambda provisioned concurrency with auto scaling"),
    Innocent("scaling beside a notifier", scaling_and_notifier, "alarm with a scaling policy and a topic"),
    Innocent("a deployment that rolls back", canary_deployment, "CodeDeploy canary for Lambda with alarms"),
    Innocent("a rollout of flags", feature_rollout, "AppConfig environment with alarm monitors"),
    Innocent("an ops item by the alarm itself", ops_item_action, "CloudWatch guide: OpsItem actions"),
    Innocent("a consumer with limits", consumer_concurrency, "queue consumers with maximum concurrency"),
]
