"""Who of those that an alarm reaches is a person: read, paged or called, and no machine."""

from selfheal_policies import arns
from selfheal_policies.values import Missing

PROTOCOLS = frozenset({"email", "email-json", "sms", "http", "https"})
"""Protocols of subscriptions by which people are told; http and https are those of pagers and chats.

Of another protocol, or one that is not known, nobody knows whether a person is behind it.

Source: Amazon SNS API reference, Subscribe.
"""

MAY_TELL = PROTOCOLS | {"application", "lambda", "sqs"}
"""Protocols behind which a person may be: a phone's application, or code that passes on what it is told.

Behind a Firehose stream is an archive.
"""

_FUNCTION_URL = ".lambda-url."
"""In the host of a function's URL: code that is called, as by a subscription of the protocol lambda."""

_ACTIONS = (":ssm:", ":ssm-incidents:")
"""In ARNs of alarm actions that operators see: an OpsItem, and an incident, which engages who is on call.

Every other action that is no topic and no function changes something by itself: an instance is rebooted, a
group scaled. Source: Amazon CloudWatch API reference, PutMetricAlarm, AlarmActions.
"""


def reads(protocol: str | Missing, endpoint: object) -> bool:
    """Return whether a person is known to be behind a subscription."""
    return protocol in PROTOCOLS and not (isinstance(endpoint, str) and _FUNCTION_URL in endpoint)


def is_told_by(kind: str, name: str) -> bool:
    """Return whether people see what an action of an alarm makes that is no topic and no function."""
    return kind == arns.OTHER and name.startswith("arn:") and any(each in name for each in _ACTIONS)
