"""Programs beside a healer that look as if they could start it, silence it, or ring its alarm, and cannot."""

from typing import Any

from tests.policies.innocents import shapes
from tests.policies.innocents.doors import careful
from tests.policies.mutations.bystanders import beside, kept, website
from tests.policies.mutations.doors import ACCOUNT, REGION, SENDS, also, queue
from tests.policies.support.changes import Change, add, document, put, several, text, variables
from tests.policies.support.healers import alarm
from tests.policies.support.references import Json, Ref, Unknown
from tests.policies.support.scene import Scene

OTHERS = f"arn:aws:lambda:{REGION}:111111111111:function:*"
SCALING = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:TargetTracking-*"
FAR = f"arn:aws:sns:{REGION}:111111111111:alarms-of-the-platform"


def people_may(action: str | list[str], resource: Any) -> Change:
    """Register a role of people, who sign in, or of a pipeline elsewhere."""

    def change(scene: Scene) -> None:
        signs_in = {
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/sso.example.com"},
        }
        scene.add("iam.Role", "people-role", assumeRolePolicy=document(signs_in))
        shapes.allows(scene, "people-may", "people-role", {"Action": action, "Resource": resource})

    return change


def an_alarm_of_its_own(scene: Scene) -> None:
    """Register an alarm on the website that tells people, and let the website mute that while it deploys."""
    website("cloudwatch:DisableAlarmActions", text("web-down"))(scene)
    alarm(scene, "web-down", "web", "people")


def a_rule_of_its_own(scene: Scene) -> None:
    website("events:DisableRule", text("nightly"))(scene)
    scene.add("cloudwatch.EventRule", "nightly", scheduleExpression="rate(1 day)")


def a_queue_of_its_own(scene: Scene) -> None:
    """Let the website pause the consumer of its own queue, and send to it."""
    jobs = {"lambda:FunctionArn": text("packer")}
    scene.add("sqs.Queue", "parcels", redrivePolicy=Json({"deadLetterTargetArn": text("orders-dead")}))
    shapes.function(scene, "packer", shapes.reads("parcels"))
    shapes.consume(scene, "parcels", "packer").ignore("enabled", "scalingConfig")
    website(
        "lambda:UpdateEventSourceMapping",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*",
        Condition={"ArnEquals": jobs},
    )(scene)
    shapes.allows(scene, "web-sends", "web-role", {"Action": "sqs:SendMessage", "Resource": text("parcels")})


def posted(to: Any) -> Change:
    """Have a rule post alarms to a server by an API destination, in a stack that has an API as well."""

    def change(scene: Scene) -> None:
        scene.add("apigatewayv2.Api", "api", protocolType="HTTP")
        scene.add("apigatewayv2.Stage", "live", apiId=Unknown(("api",)), name="live", autoDeploy=True)
        shapes.function(scene, "web")
        scene.add(
            "apigatewayv2.Integration",
            "to-web",
            apiId=Unknown(("api",)),
            integrationType="AWS_PROXY",
            integrationUri=Ref("web", "invokeArn"),
        )
        scene.add("cloudwatch.EventConnection", "key", authorizationType="API_KEY")
        scene.add(
            "cloudwatch.EventApiDestination",
            "door",
            connectionArn=Ref("key"),
            httpMethod="POST",
            invocationEndpoint=to,
        )
        shapes.rule(scene, "posted", Ref("door"))

    return change


def of_the_shop(scene: Scene) -> None:
    """Let the healer publish under the namespace of the shop, as Powertools has it, for its own service."""
    variables("medic", POWERTOOLS_METRICS_NAMESPACE="Shop", POWERTOOLS_SERVICE_NAME="medic")(scene)
    variables("orders", POWERTOOLS_METRICS_NAMESPACE="Shop", POWERTOOLS_SERVICE_NAME="payments")(scene)
    scene.find("unpaid").put("dimensions", to={"service": "payments"})


def publishing_service(scene: Scene) -> None:
    """Let the watched function publish the metric itself."""
    namespace = {"Condition": {"StringEquals": {"cloudwatch:namespace": "Shop"}}}
    grant = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", **namespace}
    for name in ("orders-rights", "orders-limit"):
        scene.find(name).document(lambda held: held.append(grant))


def subscribed_elsewhere(scene: Scene) -> None:
    """Subscribe the healer's queue to a topic of the platform's account as well."""
    scene.add(
        "sns.TopicSubscription",
        "far-inbox",
        topic=FAR,
        protocol="sqs",
        endpoint=Ref("inbox"),
    )
    held = {**SENDS, "Condition": {"ArnEquals": {"aws:SourceArn": FAR}}}
    queue(held)(scene)


INNOCENTS = [
    *(
        careful(f"a website that {name}", change, source, route)
        for name, route, change, source in (
            (
                "invokes the service",
                "topic",
                website("lambda:InvokeFunction", text("orders")),
                "API Gateway to function to function",
            ),
            (
                "invokes functions of another account",
                "topic",
                website("lambda:InvokeFunction", OTHERS),
                "cross-account invocation, Lambda developer guide",
            ),
            (
                "invokes functions called otherwise",
                "alarm action",
                website("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:web-*"),
                "Serverless Framework, functions of one service",
            ),
            (
                "puts events on the default bus",
                "event rule",
                website("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"),
                "EventBridge user guide, custom events",
            ),
            (
                "publishes to a topic that denies it",
                "topic",
                website("sns:Publish", "*"),
                "fan-out with SNS",
            ),
            ("reads alarms", "topic", website("cloudwatch:DescribeAlarms", "*"), "a status page"),
            (
                "mutes its own alarm while it deploys",
                "topic",
                an_alarm_of_its_own,
                "CloudWatch user guide, disabling alarm actions",
            ),
            (
                "makes alarms for scaling",
                "topic",
                website(["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], SCALING),
                "Application Auto Scaling, target tracking",
            ),
            (
                "unsubscribes readers of a newsletter",
                "topic",
                several(
                    add("sns.Topic", "newsletter"),
                    website(["sns:Subscribe", "sns:Unsubscribe"], text("newsletter")),
                ),
                "aws-samples, newsletter with SNS",
            ),
            ("switches its own rule", "event rule", a_rule_of_its_own, "Instance Scheduler on AWS"),
            ("pauses its own consumer", "queue", a_queue_of_its_own, "pausing an event source mapping"),
        )
    ),
    *(
        careful(f"a healer beside {name}", change, source)
        for name, change, source in (
            (
                "people who may start it",
                people_may("lambda:InvokeFunction", text("medic")),
                "a runbook that invokes a function",
            ),
            (
                "people who may mute alarms",
                people_may(["cloudwatch:DisableAlarmActions", "cloudwatch:SetAlarmState"], "*"),
                "an operators' permission set",
            ),
            (
                "a pipeline that deploys everything",
                people_may(["lambda:*", "cloudwatch:*", "sns:*", "sqs:*", "events:*"], "*"),
                "GitHub Actions with OIDC",
            ),
        )
    ),
    *(
        careful(f"a healer woken by a metric of the shop {name}", change, source)
        for name, change, source in (
            ("that only the shop publishes", beside(publishing_service), "CloudWatch, custom metrics"),
            ("in the namespace of both", beside(of_the_shop), "Powertools for AWS Lambda, metrics"),
        )
    ),
    *(
        careful(f"changes of {paths[0]} of {name} that are ignored", kept(name, *paths), source, route)
        for route, name, paths, source in (
            ("topic", "errors", ("threshold", "tags"), "a threshold that is tuned elsewhere"),
            ("topic", "errors", ("alarmDescription",), "Pulumi, ignoreChanges"),
            ("topic", "medic", ("code", "sourceCodeHash"), "code that a pipeline deploys"),
            ("topic", "medic-role", ("managedPolicyArns", "inlinePolicies"), "pulumi-aws, inline policies"),
            ("queue", "from-inbox", ("enabled", "scalingConfig"), "a mapping that a healer pauses"),
            ("topic", "orders-rights", ("policy",), "a service's policy that another tool keeps"),
        )
    ),
    careful(
        "changes of an alarm's actions that wakes no healer",
        several(
            lambda scene: alarm(scene, "slow", "orders", "people"),
            put("slow", metricName="Duration"),
            kept("slow", "alarmActions"),
        ),
        "Pulumi, ignoreChanges",
    ),
    careful(
        "a queue whose policy names its topic and the account",
        queue(
            Condition={
                "ArnEquals": {"aws:SourceArn": text("wake")},
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
            }
        ),
        "IAM user guide, the confused deputy problem",
        "queue",
    ),
    careful(
        "a queue that denies what is not its topic",
        also(
            Effect="Deny",
            Principal={"Service": "sns.amazonaws.com"},
            Condition={"ArnNotEquals": {"aws:SourceArn": text("wake")}},
        ),
        "SQS developer guide, condition keys",
        "queue",
    ),
    careful(
        "a queue that names an account that it denies",
        also(
            Effect="Deny",
            Principal={"Service": "sns.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": "111111111111"}},
        ),
        "SQS developer guide, condition keys",
        "queue",
    ),
    careful("alarms that are posted to a pager", posted("https://events.example.com/v2"), "PagerDuty"),
    careful("alarms that are posted to a page of the stack", posted(Unknown(("live",))), "a status page"),
]
