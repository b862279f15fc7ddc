"""What IAM actions do: read, tell, wake, record, write data, or change infrastructure.

Source of the actions and of what each of them does: the Service Authorization Reference.
"""

import re
from collections.abc import Mapping

READ, TELL, WAKE, RECORD, DATA, CONTROL = "read", "tell", "wake", "record", "data", "control"

_READ = re.compile(
    r"[a-z0-9-]+:(get|list|describe|batchget|batchcheck|batchdescribe|query|scan|select|search|lookup|head|view"
    r"|filter|test|simulate|check|validate|preview|estimate|discover|detect|adminget|adminlist|partiqlselect"
    r"|eshttpget|eshttphead)",
)
"""Actions that begin so only read, whatever follows, save these below."""

_ACTING = frozenset({"bedrock:invokeagent", "states:teststate"})
"""Actions that sound harmless: an agent calls the functions of its action groups, and a state that is tested runs."""

_TELLS = frozenset(
    {
        "aps:remotewrite",
        "chime:sendchannelmessage",
        "cloudtrail:startquery",
        "cloudwatch:putmetricdata",
        "codeguru-profiler:configureagent",
        "codeguru-profiler:postagentprofile",
        "connect:startoutboundvoicecontact",
        "dynamodb:conditioncheckitem",
        "ec2:assignprivateipaddresses",
        "ec2:createnetworkinterface",
        "ec2:deletenetworkinterface",
        "ec2:unassignprivateipaddresses",
        "elasticfilesystem:clientmount",
        "execute-api:manageconnections",
        "kafka-cluster:connect",
        "kafka-cluster:readdata",
        "kinesis:subscribetoshard",
        "kms:decrypt",
        "kms:encrypt",
        "kms:generatedatakey",
        "kms:generatedatakeypair",
        "kms:generatedatakeypairwithoutplaintext",
        "kms:generatedatakeywithoutplaintext",
        "kms:generatemac",
        "kms:generaterandom",
        "kms:reencryptfrom",
        "kms:reencryptto",
        "kms:sign",
        "kms:verify",
        "kms:verifymac",
        "mobiletargeting:sendmessages",
        "polly:synthesizespeech",
        "rum:putrumevents",
        "ses:sendbounce",
        "ses:sendbulkemail",
        "ses:sendbulktemplatedemail",
        "ses:sendcustomverificationemail",
        "ses:sendemail",
        "ses:sendrawemail",
        "ses:sendtemplatedemail",
        "sms-voice:sendmediamessage",
        "sms-voice:sendtextmessage",
        "sms-voice:sendvoicemessage",
        "sqs:changemessagevisibility",
        "sqs:changemessagevisibilitybatch",
        "sqs:deletemessage",
        "sqs:deletemessagebatch",
        "sqs:receivemessage",
        "ssm-contacts:sendactivationcode",
        "ssm-contacts:startengagement",
        "ssm-contacts:stopengagement",
        "sts:decodeauthorizationmessage",
        "translate:translatetext",
        "xray:puttelemetryrecords",
        "xray:puttracesegments",
    }
)
"""Actions that leave nothing behind on which another service depends: metrics, traces, mail, calls, messages
received, keys used, and network interfaces of a function."""

_RECORDS = frozenset(
    {
        "appconfig:startconfigurationsession",
        "athena:startqueryexecution",
        "athena:stopqueryexecution",
        "bedrock:applyguardrail",
        "bedrock:counttokens",
        "bedrock:invokemodel",
        "bedrock:invokemodelwithresponsestream",
        "bedrock:rerank",
        "bedrock:retrieve",
        "bedrock:retrieveandgenerate",
        "cloudwatch:generatequery",
        "cloudwatch:generatequeryresultssummary",
        "cloudwatch:putdashboard",
        "config:putevaluations",
        "es:eshttppost",
        "es:eshttpput",
        "firehose:putrecord",
        "firehose:putrecordbatch",
        "logs:createloggroup",
        "logs:createlogdelivery",
        "logs:createlogstream",
        "logs:deletelogdelivery",
        "logs:putlogevents",
        "logs:putresourcepolicy",
        "logs:putretentionpolicy",
        "logs:startlivetail",
        "logs:startquery",
        "logs:stoplivetail",
        "logs:stopquery",
        "logs:tagresource",
        "logs:updatelogdelivery",
        "s3:abortmultipartupload",
        "sagemaker:invokeendpoint",
        "securityhub:batchimportfindings",
        "securityhub:batchupdatefindings",
        "ssm-incidents:createtimelineevent",
        "ssm-incidents:deletetimelineevent",
        "ssm-incidents:updateincidentrecord",
        "ssm-incidents:updaterelateditems",
        "ssm-incidents:updatetimelineevent",
        "ssm:associateopsitemrelateditem",
        "ssm:createopsitem",
        "ssm:createopsmetadata",
        "ssm:disassociateopsitemrelateditem",
        "ssm:updateopsitem",
        "ssm:updateopsmetadata",
        "support:addattachmentstoset",
        "support:addcommunicationtocase",
        "support:createcase",
        "support:refreshtrustedadvisorcheck",
        "support:resolvecase",
        "timestream:cancelquery",
        "timestream:writerecords",
    }
)
"""Actions that write down what happened, or ask a store or a model: nothing that runs is controlled by it.

Those on log deliveries and the resource policy are what Step Functions needs to write the logs of a machine:
https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

_WAKES = frozenset(
    {
        "events:putevents",
        "iot:publish",
        "kafka-cluster:writedata",
        "kinesis:putrecord",
        "kinesis:putrecords",
        "lambda:invokeasync",
        "lambda:invokefunction",
        "lambda:invokefunctionurl",
        "sns:publish",
        "sns:publishbatch",
        "sqs:sendmessage",
        "sqs:sendmessagebatch",
        "ssm-incidents:startincident",
        "states:sendtaskfailure",
        "states:sendtaskheartbeat",
        "states:sendtasksuccess",
        "states:startexecution",
        "states:startsyncexecution",
    }
)
"""Actions that make something else run."""

_ITEMS = frozenset(
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
_OBJECTS = frozenset(
    {
        "s3:deleteobject",
        "s3:deleteobjecttagging",
        "s3:deleteobjectversion",
        "s3:putobject",
        "s3:putobjectlegalhold",
        "s3:putobjectretention",
        "s3:putobjecttagging",
        "s3:putobjectversiontagging",
    }
)
_DATA = _ITEMS | _OBJECTS
"""Actions that write items of tables and objects of buckets: records, a ledger's, or what services go by."""

_FAMILIES: Mapping[str, str] = {
    "dynamodb:batchwrite": DATA,
    "dynamodb:putitem": DATA,
    "dynamodb:updateitem": DATA,
    "firehose:putrecord": RECORD,
    "kinesis:putrecord": WAKE,
    "kms:generatedatakey": TELL,
    "kms:reencrypt": TELL,
    "logs:": RECORD,
    "s3:abort": RECORD,
    "s3:deleteobject": DATA,
    "s3:putobject": DATA,
    "ses:": TELL,
    "sns:publish": WAKE,
    "sqs:sendmessage": WAKE,
    "support-console:": TELL,
    "support:": TELL,
    "xray:": RECORD,
}
"""What a wildcard stands for, if it begins so. Logs and X-Ray only hold what others tell them; SES and Support only
tell people."""

_READS_DATA = re.compile(
    r"dynamodb:(get|batchget|query|scan|partiqlselect)|s3:(getobject$|getobjectversion$|get[*?]|getobject[*?])"
)


def meaning(action: str, resource: object = "") -> str:
    """Return what an action of a statement does on a resource of it.

    A wildcard that may cover a change is a change.
    """
    name = action.lower()
    if name in _ACTING:
        return CONTROL
    if _READ.match(name):
        return READ
    for names, kind in ((_TELLS, TELL), (_RECORDS, RECORD), (_WAKES, WAKE), (_DATA, DATA)):
        if name in names:
            return kind
    if "*" in name or "?" in name:
        return next((kind for family, kind in _FAMILIES.items() if name.startswith(family)), CONTROL)
    if name == "ssm:addtagstoresource" and isinstance(resource, str) and ":opsitem/" in resource:
        return RECORD
    return CONTROL


def is_on_items(action: str) -> bool:
    """Return whether an action writes items of a table."""
    return action.lower() in _ITEMS


def reads_data(action: str) -> bool:
    """Return whether an action reads items of tables or objects of buckets, or may do so."""
    name = action.lower()
    return bool(_READS_DATA.match(name)) or name in ("*", "*:*", "dynamodb:*", "s3:*")


def is_on_identities(action: str) -> bool:
    """Return whether an action is on identities: with one of them a role can get every other permission."""
    service, _, name = action.lower().partition(":")
    return service in ("iam", "sts") or name == "passrole"
