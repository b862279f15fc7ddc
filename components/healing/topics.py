"""The two SNS topics: one wakes the healer, one notifies people."""

import hashlib
import re
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import Statement, document
from selfheal.components.security import Security

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
"""Catches a missing @ or a stray space. SNS asks the owner of the address to confirm anyway."""


def is_email(text: str) -> bool:
    """Return whether this looks like an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def check_emails(emails: Sequence[str]) -> None:
    """Raise unless these are e-mail addresses without duplicates.

    Raises:
        ComponentError: when a text is not an address, or an address is given twice.

    """
    for address in emails:
        if not is_email(address):
            raise ComponentError(
                f"escalation_emails must hold e-mail addresses such as oncall@example.com, got {address!r}."
            )
    twice = sorted({address for address in emails if list(emails).count(address) > 1})
    if twice:
        raise ComponentError(f"escalation_emails holds {', '.join(twice)} more than once. Name each once.")


def healer_topic(name: str, arns: Arns, security: Security, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Register the topic that wakes the healer, and return its ARN. Only alarms of this account can publish.

    Without a key of the organisation it is not encrypted: CloudWatch cannot publish to a topic with the
    AWS-managed key, and fails silently. A message contains only the name and the state of an alarm.
    """
    topic = aws.sns.Topic(
        f"{name}-topic", kms_master_key_id=security.key, opts=pulumi.ResourceOptions(parent=parent)
    )
    arn = arns.topic(topic.name)
    return _guarded(f"{name}-topic-policy", arn, [_alarms_publish(arns, arn), _people_do_not(arn)], parent)


def escalation_topic(
    name: str, arns: Arns, emails: Sequence[str], security: Security, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Register the topic that notifies people, subscribe the addresses, and return its ARN.

    The topic's policy allows alarms of this account to publish. The healer's role allows the healer. An
    address is personal: it is a secret in the state, and is not part of the resource's name.
    """
    options = pulumi.ResourceOptions(parent=parent)
    topic = aws.sns.Topic(f"{name}-escalation", kms_master_key_id=security.key, opts=options)
    arn = arns.topic(topic.name)
    for address in emails:
        aws.sns.TopicSubscription(
            f"{name}-email-{hashlib.sha256(address.encode()).hexdigest()[:8]}",
            topic=arn,
            protocol="email",
            endpoint=pulumi.Output.secret(address),
            opts=options,
        )
    return _guarded(f"{name}-escalation-policy", arn, [_alarms_publish(arns, arn)], parent)


def _guarded(
    name: str, topic_arn: pulumi.Output[str], statements: Sequence[Statement], parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Attach the policy, and return the topic's ARN with a dependency on the policy.

    An alarm that fires before its topic accepts notifications would notify nobody, and not try again.
    """
    policy = aws.sns.TopicPolicy(
        name, arn=topic_arn, policy=document(statements), opts=pulumi.ResourceOptions(parent=parent)
    )
    return pulumi.Output.all(topic_arn, policy.arn).apply(lambda arns: arns[0])


def _alarms_publish(arns: Arns, topic_arn: pulumi.Output[str]) -> Statement:
    return {
        "Sid": "AlarmsOfThisAccountPublish",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {
            # Both conditions, so that alarms of other accounts cannot publish (confused deputy).
            "StringEquals": {"aws:SourceAccount": arns.account},
            "ArnLike": {"aws:SourceArn": arns.alarm("*")},
        },
    }


def _people_do_not(topic_arn: pulumi.Output[str]) -> Statement:
    """Deny everyone except AWS services, so that no identity policy allows publishing either."""
    return {
        "Sid": "NobodyElsePublishes",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    }
