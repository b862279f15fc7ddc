"""What programs in several languages register for the same thing: roles, functions, alarms, people.

The shapes are those that arrive over the protocol. A `Json` that holds an output is unknown as a whole at
preview; `text` is an ARN put together from parts that are known, as Output.concat gives it.
"""

from typing import Any

from tests.policies.support.changes import document, text
from tests.policies.support.recording import ACCOUNT, REGION
from tests.policies.support.references import Json, Ref
from tests.policies.support.scene import Item, Scene, physical

AWS = "arn:aws:iam::aws:policy"
BASIC = f"{AWS}/service-role/AWSLambdaBasicExecutionRole"
STATE_CHANGE = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}


def trust(service: str) -> Json:
    """Return who may assume a role, as every SDK's users write it."""
    return document({"Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}})


def role(scene: Scene, name: str, service: str = "lambda", **properties: Any) -> Ref:
    """Register a role that a service assumes, and return its ARN."""
    scene.add("iam.Role", name, assumeRolePolicy=trust(service), **properties)
    return Ref(name)


def allows(scene: Scene, name: str, role_: str, *statements: dict[str, Any]) -> Item:
    """Register a policy of a role, in the common form: JSON text."""
    return scene.add("iam.RolePolicy", name, role=Ref(role_, "name"), policy=document(*statements))


def attach(scene: Scene, name: str, role_: str, arn: Any = BASIC) -> Item:
    """Attach a managed policy to a role."""
    return scene.add("iam.RolePolicyAttachment", name, role=Ref(role_, "name"), policyArn=arn)


def function(scene: Scene, name: str, *statements: dict[str, Any], **properties: Any) -> Item:
    """Register a function as most programs do: basic execution role, one more policy, little else."""
    role(scene, f"{name}-role")
    attach(scene, f"{name}-basic", f"{name}-role")
    if statements:
        allows(scene, f"{name}-policy", f"{name}-role", *statements)
    return bare(scene, name, **properties)


def bare(scene: Scene, name: str, **properties: Any) -> Item:
    """Register a function alone; its role must be there as NAME-role, unless `role` is given."""
    given = {"runtime": "python3.13", "handler": "index.handler", "role": Ref(f"{name}-role"), **properties}
    return scene.add("lambda.Function", name, **given)


def topic(scene: Scene, name: str, *emails: str, **properties: Any) -> Ref:
    """Register a topic and subscribe people to it by mail."""
    scene.add("sns.Topic", name, **properties)
    for position, email in enumerate(emails):
        scene.add(
            "sns.TopicSubscription",
            f"{name}-mail-{position}",
            topic=Ref(name),
            protocol="email",
            endpoint=email,
        )
    return Ref(name)


def alarm(
    scene: Scene, name: str, metric: str, dimensions: dict[str, Any], *actions: Any, **more: Any
) -> Item:
    """Register an alarm on a metric, given as NAMESPACE:METRIC, that rings when it fires only."""
    namespace, _, metric_name = metric.partition(":")
    given = {
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 1,
        "threshold": 0,
        "namespace": namespace,
        "metricName": metric_name,
        "period": 60,
        "statistic": "Sum",
        "dimensions": dimensions,
        "alarmActions": list(actions),
        **more,
    }
    return scene.add("cloudwatch.MetricAlarm", name, **given)


def errors(scene: Scene, name: str, watched: str, *actions: Any, **more: Any) -> Item:
    """Register an alarm on the errors of a function."""
    return alarm(scene, name, "AWS/Lambda:Errors", {"FunctionName": Ref(watched, "name")}, *actions, **more)


def subscribe(scene: Scene, topic_: str, called: str, **more: Any) -> None:
    """Let a topic call a function."""
    permit(scene, f"{topic_}-may-call-{called}", called, "sns", Ref(topic_))
    scene.add(
        "sns.TopicSubscription",
        f"{topic_}-to-{called}",
        topic=Ref(topic_),
        protocol="lambda",
        endpoint=Ref(called),
        **more,
    )


def permit(scene: Scene, name: str, called: str, service: str, source: Any, **more: Any) -> Item:
    """Let a service call a function."""
    return scene.add(
        "lambda.Permission",
        name,
        action="lambda:InvokeFunction",
        function=Ref(called, "name"),
        principal=f"{service}.amazonaws.com",
        sourceArn=source,
        **more,
    )


def rule(scene: Scene, name: str, called: Any, pattern: dict[str, Any] | None = None, **target: Any) -> Item:
    """Register a rule on events, on alarms by default, and its one target."""
    made = scene.add("cloudwatch.EventRule", name, eventPattern=Json(pattern or STATE_CHANGE))
    scene.add("cloudwatch.EventTarget", f"{name}-target", rule=Ref(name, "name"), arn=called, **target)
    return made


def on_events(scene: Scene, name: str, called: str, pattern: dict[str, Any] | None = None) -> Item:
    """Register a rule that calls a function."""
    made = rule(scene, name, Ref(called), pattern)
    permit(scene, f"{name}-may-call-{called}", called, "events", Ref(name))
    return made


def hourly(scene: Scene, name: str, called: str, expression: str = "rate(1 hour)") -> None:
    """Call a function by a schedule."""
    scene.add("cloudwatch.EventRule", name, scheduleExpression=expression)
    scene.add("cloudwatch.EventTarget", f"{name}-target", rule=Ref(name, "name"), arn=Ref(called))
    permit(scene, f"{name}-may-call-{called}", called, "events", Ref(name))


def queue(scene: Scene, name: str, **properties: Any) -> Ref:
    """Register a queue with a dead-letter queue."""
    scene.add("sqs.Queue", f"{name}-dead", messageRetentionSeconds=1_209_600)
    redrive = Json({"deadLetterTargetArn": Ref(f"{name}-dead"), "maxReceiveCount": 5})
    scene.add("sqs.Queue", name, redrivePolicy=redrive, visibilityTimeoutSeconds=180, **properties)
    return Ref(name)


def consume(scene: Scene, source: str, called: str, **more: Any) -> Item:
    """Let a function read a queue."""
    return scene.add(
        "lambda.EventSourceMapping",
        f"{source}-to-{called}",
        eventSourceArn=Ref(source),
        functionName=Ref(called, "name"),
        **more,
    )


def reads(source: str) -> dict[str, Any]:
    """Return the statement by which a function reads a queue."""
    return {
        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        "Resource": text(source),
    }


def secret(scene: Scene, name: str) -> dict[str, Any]:
    """Register a secret, and return the statement to read it."""
    scene.add("secretsmanager.Secret", name)
    return {
        "Action": "secretsmanager:GetSecretValue",
        "Resource": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{physical(name)}-*",
    }


def service(scene: Scene, name: str = "orders") -> None:
    """Register what alarms watch: a function behind nothing, with a role that only logs."""
    function(scene, name, timeout=10)
