"""What IAM actions do: read, tell, wake, write data, or change infrastructure."""

import re

READ, TELL, WAKE, DATA, CONTROL = "read", "tell", "wake", "data", "control"

_READ = re.compile(
    r"[a-z0-9-]+:(get|list|describe|batchget|query|scan|search|lookup|head|view|filter|test|simulate|check)",
)
"""Actions that begin so only read, whatever follows. Source: Service Authorization Reference."""

_TELLS = frozenset(
    {
        "cloudwatch:putmetricdata",
        "dynamodb:conditioncheckitem",
        "ec2:assignprivateipaddresses",
        "ec2:createnetworkinterface",
        "ec2:deletenetworkinterface",
        "ec2:unassignprivateipaddresses",
        "firehose:putrecord",
        "firehose:putrecordbatch",
        "kinesis:putrecord",
        "kinesis:putrecords",
        "kms:decrypt",
        "kms:encrypt",
        "kms:generatedatakey",
        "logs:createloggroup",
        "logs:createlogstream",
        "logs:filterlogevents",
        "logs:putlogevents",
        "logs:startquery",
        "ses:sendemail",
        "ses:sendrawemail",
        "ses:sendtemplatedemail",
        "sqs:changemessagevisibility",
        "sqs:deletemessage",
        "sqs:receivemessage",
        "xray:puttelemetryrecords",
        "xray:puttracesegments",
    }
)
"""Actions that change nothing another service depends on: logs, metrics, traces, mail, receiving messages."""

_WAKES = frozenset(
    {
        "events:putevents",
        "lambda:invokeasync",
        "lambda:invokefunction",
        "sns:publish",
        "sqs:sendmessage",
        "states:startexecution",
        "states:startsyncexecution",
    }
)
"""Actions that make something else run."""

_DATA = frozenset(
    {
        "dynamodb:batchwriteitem",
        "dynamodb:deleteitem",
        "dynamodb:partiqldelete",
        "dynamodb:partiqlinsert",
        "dynamodb:partiqlupdate",
        "dynamodb:putitem",
        "dynamodb:transactwriteitems",
        "dynamodb:updateitem",
    }
)
"""Actions that write items: a ledger's, or the switches that services read."""


def meaning(action: str) -> str:
    """Return what an action of a statement does. A wildcard that may cover a change is a change."""
    name = action.lower()
    if _READ.match(name):
        return READ
    for names, kind in ((_TELLS, TELL), (_WAKES, WAKE), (_DATA, DATA)):
        if name in names:
            return kind
    return CONTROL


def is_on_identities(action: str) -> bool:
    """Return whether an action is on identities: with one of them a role can get every other permission."""
    service, _, name = action.lower().partition(":")
    return service in ("iam", "sts") or name == "passrole"
