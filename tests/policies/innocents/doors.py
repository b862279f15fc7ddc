"""Healers whose doors are as closed as they should be, in other words than ours."""

from typing import Any

from tests.policies.innocents.table import Innocent
from tests.policies.mutations.doors import (
    ACCOUNT,
    ALARMS,
    CLOSED,
    OPEN,
    OWNER,
    PUTS,
    REGION,
    SENDS,
    USES,
    WAKE,
    also,
    bound,
    bus,
    central,
    forbidden,
    key,
    opened,
    permit,
    queue,
    resource_policy,
    ruled,
    strangers,
    topic,
    url,
)
from tests.policies.support.changes import Change, add, document, put, remove, several, text
from tests.policies.support.healers import STATE_CHANGE, healer
from tests.policies.support.references import Json, Ref


def careful(name: str, change: Change, source: str, route: str = "topic") -> Innocent:
    return Innocent(name, lambda scene: (healer(scene, route), change(scene)), source)


def denied(**changes: Any) -> Change:
    """Deny publishing by this statement only."""
    held = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", **WAKE, **changes}
    return topic(OPEN, {key: value for key, value in held.items() if value is not None})


BY_TEXT = {"StringEquals": {"aws:SourceArn": text("wake"), "aws:SourceAccount": ACCOUNT}}
NAMES = {"detail": {"alarmName": [Ref("errors", "name")]}}
READS = {
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["lambda:GetFunction", "lambda:ListVersionsByFunction"],
    "Resource": text("medic"),
}
NO_STRANGERS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "lambda:*",
    "Resource": text("medic"),
    "Condition": {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    },
}

INNOCENTS = [
    *(
        careful(f"a topic that {name}", change, source)
        for name, change, source in (
            (
                "is bound to alarms",
                bound("ArnLike", "aws:SourceArn", ALARMS),
                "CloudWatch user guide, alarms and SNS",
            ),
            (
                "is bound to alarms as text",
                bound("StringLike", "aws:SourceArn", ALARMS),
                "AWS re:Post, CloudWatch alarm and SNS access policy",
            ),
            (
                "is bound to alarms and an account",
                bound(
                    "StringLike",
                    "aws:SourceArn",
                    f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:*",
                    StringEquals={"aws:SourceAccount": ACCOUNT},
                ),
                "terraform-aws-modules/sns",
            ),
            (
                "is for whoever speaks for its alarms",
                topic(
                    OPEN | {"Principal": {"AWS": "*"}, "Condition": {"ArnLike": {"aws:SourceArn": ALARMS}}},
                    CLOSED,
                ),
                "terraform aws_sns_topic_policy examples",
            ),
            (
                "is bound to an organisation",
                bound("StringEquals", "aws:SourceOrgID", "o-1234567890"),
                "IAM user guide, aws:SourceOrgID",
            ),
            (
                "is bound to several accounts",
                bound("StringEquals", "aws:SourceAccount", [ACCOUNT, "111111111111"]),
                "cross-account monitoring",
            ),
            (
                "denies all but CloudWatch",
                denied(Principal=None, NotPrincipal={"Service": "cloudwatch.amazonaws.com"}),
                "IAM user guide, NotPrincipal with Deny",
            ),
            (
                "denies what speaks for no account of ours",
                denied(Condition={"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}),
                "IAM user guide, data perimeter policy examples",
            ),
            (
                "denies what speaks for no alarm",
                denied(Condition={"ArnNotLike": {"aws:SourceArn": ALARMS}}, Resource="*"),
                "IAM user guide, data perimeter policy examples",
            ),
            (
                "denies what speaks for nothing",
                denied(Condition={"Null": {"aws:SourceArn": "true"}}, Action="sns:*"),
                "IAM user guide, Null",
            ),
            (
                "denies all of its account",
                denied(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
                "IAM user guide, account principals",
            ),
            (
                "denies plain http as well",
                topic(
                    OPEN,
                    CLOSED,
                    {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", **WAKE}
                    | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
                ),
                "SNS developer guide, enforce encryption in transit",
            ),
            (
                "lets a role publish and denies it",
                opened(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}),
                "IAM user guide, a denial wins",
            ),
            (
                "lets its own account administrate it",
                opened(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="sns:*"),
                "terraform aws_sns_topic_policy examples, owner's statement",
            ),
            (
                "lets another account subscribe",
                opened(Principal={"AWS": "111111111111"}, Action=["sns:Subscribe", "sns:Receive"]),
                "SNS developer guide, cases for access control",
            ),
            (
                "has its policy inline",
                several(remove("wake-policy"), put("wake", policy=document(OPEN, CLOSED))),
                "SNS topic with an inline policy",
            ),
            (
                "names itself by a pattern",
                topic(
                    OPEN | {"Resource": "arn:aws:sns:*:*:wake-*"},
                    CLOSED | {"Resource": "arn:aws:sns:*:*:wake*"},
                ),
                "one policy for the topics of a team",
            ),
        )
    ),
    *(
        careful(f"a key that {name}", change, source)
        for name, change, source in (
            (
                "alarms of the account may use",
                key(
                    USES
                    | {
                        "Condition": {
                            "StringEquals": {"aws:SourceAccount": ACCOUNT},
                            "ArnLike": {"aws:SourceArn": ALARMS},
                        }
                    }
                ),
                "SNS developer guide, encrypted topics and event sources",
            ),
            (
                "is for one topic, through SNS",
                key(
                    USES
                    | {
                        "Condition": {
                            "StringEquals": {
                                "kms:ViaService": f"sns.{REGION}.amazonaws.com",
                                "kms:EncryptionContext:aws:sns:topicArn": text("wake"),
                            }
                        }
                    }
                ),
                "a policy with SNS's encryption context",
            ),
            (
                "is denied to strangers",
                forbidden(
                    Condition={
                        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"},
                        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                    }
                ),
                "data perimeter policy examples, resource control policy",
            ),
            (
                "is denied over http",
                forbidden(Condition={"Bool": {"aws:SecureTransport": "false"}}),
                "data perimeter policy examples",
            ),
            (
                "got its policy apart",
                several(
                    key(),
                    add("kms.KeyPolicy", "key-policy", keyId=Ref("key"), policy=document(OWNER, USES)),
                ),
                "aws.kms.KeyPolicy",
            ),
            (
                "has an alias",
                several(
                    key(USES | {"Action": "kms:Generate*"}, USES | {"Action": "kms:Decrypt"}),
                    add("kms.Alias", "alias", name="alias/alarms", targetKeyId=Ref("key")),
                    put("wake", kmsMasterKeyId=Ref("alias", "name")),
                ),
                "aws.kms.Alias",
            ),
            (
                "a rule may use",
                ruled(USES | {"Principal": {"Service": "events.amazonaws.com"}}),
                "SNS developer guide, encrypted topics and EventBridge",
            ),
        )
    ),
    *(
        careful(f"a resource policy {name}", change, "aws_lambda_resource_policy, PutResourcePolicy")
        for name, change in (
            ("for the topic", resource_policy()),
            ("for the topic by another operator", resource_policy(Condition=BY_TEXT)),
            ("for reading as well", resource_policy(READS)),
            ("that denies strangers", resource_policy(NO_STRANGERS)),
        )
    ),
    careful("a url with credentials", url("AWS_IAM"), "Lambda developer guide, function URLs"),
    careful(
        "a role that may read the code",
        permit(f"arn:aws:iam::{ACCOUNT}:role/audit", action="lambda:GetFunction"),
        "an auditor's permission",
    ),
    careful(
        "an API beside a healer",
        several(
            add(
                "lambda.Permission",
                "api",
                function=Ref("orders", "name"),
                action="lambda:InvokeFunction",
                principal="apigateway.amazonaws.com",
                sourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a/*/*",
            ),
            add(
                "lambda.FunctionUrl",
                "hook",
                functionName=Ref("orders", "name"),
                authorizationType="NONE",
            ),
        ),
        "API Gateway in front of the function that is healed",
    ),
    *(
        careful(f"a queue {name}", change, source, "queue")
        for name, change, source in (
            ("for its topic", queue(), "SNS developer guide, subscribe a queue to a topic"),
            (
                "for whoever speaks for its topic",
                queue(Principal="*", Condition={"ArnLike": {"aws:SourceArn": text("wake")}}),
                "SNS developer guide, older example of a queue's policy",
            ),
            (
                "for topics of the account",
                queue(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
                "IAM user guide, cross-service confused deputy",
            ),
            (
                "that its consumer reads",
                also(
                    Principal={"AWS": text("medic-role")},
                    Action=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                ),
                "a consumer named in the queue's policy",
            ),
            (
                "over https only",
                also(
                    Effect="Deny",
                    Principal="*",
                    Action="sqs:*",
                    Condition={"Bool": {"aws:SecureTransport": "false"}},
                ),
                "SQS developer guide, security best practices",
            ),
            (
                "with the owner's statement",
                also(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="SQS:*"),
                "SQS console, __owner_statement",
            ),
            (
                "that others may look at",
                also(Action=["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]),
                "a monitoring account",
            ),
            (
                "with a policy of its own",
                put("inbox", policy=document(SENDS)),
                "SQS queue with an inline policy",
            ),
        )
    ),
    *(
        careful(f"a bus {name}", change, source, "state machine")
        for name, change, source in (
            (
                "for one account",
                bus(PUTS | {"Principal": {"AWS": "111111111111"}}),
                "EventBridge user guide, permissions",
            ),
            (
                "for an organisation",
                strangers(
                    condition={"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-1234567890"}
                ),
                "aws_cloudwatch_event_permission",
            ),
            (
                "for everybody, whose rule names its account",
                several(
                    strangers(),
                    put("changes", eventPattern=Json(STATE_CHANGE | {"account": [ACCOUNT]} | NAMES)),
                ),
                "EventBridge user guide, events between accounts",
            ),
            (
                "for everybody that wakes nobody",
                several(
                    add("cloudwatch.EventBus", "orders-bus", name="orders"),
                    strangers(eventBusName="orders"),
                ),
                "an application's own bus",
            ),
        )
    ),
    careful(
        "a bus of its own for one account",
        central({"AWS": "arn:aws:iam::111111111111:root"}),
        "EventBridge user guide, a central bus for several accounts",
    ),
]
