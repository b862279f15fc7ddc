"""Filter policies of subscriptions: whether what tells of an alarm may pass."""

from collections.abc import Mapping
from typing import Any

from selfheal_policies import patterns
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, parsed, text

_MESSAGE: dict[str, Any] = dict.fromkeys(
    (
        *("AlarmName", "AlarmDescription", "AlarmArn", "AlarmRule", "AWSAccountId", "Region", "Trigger"),
        *("AlarmActions", "OKActions", "InsufficientDataActions", "AlarmConfigurationUpdatedTimestamp"),
        *("NewStateValue", "NewStateReason", "NewStateReasonData", "OldStateValue", "StateChangeTime"),
        *("EventPublishedTimestamp", "TriggeringChildren", "Dimensions", "version", "source"),
    ),
    patterns.ANY,
)
"""Fields of an alarm's message. Its attributes are none. Source: CloudWatch User Guide, "Notifying users"."""

_EVENT: dict[str, Any] = dict.fromkeys(
    ("account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version"),
    patterns.ANY,
)
"""Fields of an event that a rule passes on as it is."""


def may_pass_alarms(subscription: Resource) -> bool:
    """Return whether a subscription's filter may let the message of an alarm pass.

    Source: "Amazon SNS subscription filter policies": a message without an attribute that the policy names is
    dropped.
    """
    return _may_pass(subscription, _MESSAGE)


def may_tell_of_alarms(subscription: Resource) -> bool:
    """Return whether a filter may let an alarm's message pass, or the event by which a rule tells of it."""
    return _may_pass(subscription, _MESSAGE) or _may_pass(subscription, _EVENT)


def _may_pass(subscription: Resource, body: Mapping[str, object]) -> bool:
    policy = parsed(subscription.get("filterPolicy"))
    if not isinstance(policy, dict):
        return True
    in_body = text(subscription.get("filterPolicyScope")) in {"MessageBody", UNKNOWN}
    return patterns.may_match(policy, body if in_body else {})
