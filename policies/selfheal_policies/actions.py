"""What IAM actions do: read, tell, wake, record, write data, or change infrastructure.

Source of the actions and of what each of them does: the Service Authorization Reference.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

READ, TELL, WAKE, RECORD, DATA, CONTROL = "read", "tell", "wake", "record", "data", "control"

_READ = re.compile(
    r"[a-z0-9-]+:(get|list|describe|batchget|batchcheck|batchdescribe|batchdetect|query|scan|select|search|lookup"
    r"|head|view"
    r"|filter|test|simulate|check|validate|download|preview|estimate|discover|detect|adminget|adminlist|partiqlselect"
    r"|eshttpget|eshttphead)",
)
"""Actions that begin so only read, whatever follows, save these below."""

_ACTING = (
    "bedrock:invokeagent",
    "cloudformation:testtype",
    "codecommit:testrepositorytriggers",
    "connect:admingetemergencyaccesstoken",
    "elasticache:testfailover",
    "elasticache:testmigration",
    "elasticmapreduce:getclustersessioncredentials",
    "emr-containers:getmanagedendpointsessioncredentials",
    "lightsail:downloaddefaultkeypair",
    "lightsail:getinstanceaccessdetails",
    "redshift-serverless:getcredentials",
    "redshift:getclustercredentials",
    "redshift:getclustercredentialswithiam",
    "states:teststate",
)
"""Actions that sound harmless: an agent calls functions, what is tested runs, credentials open more."""

_TELLS = frozenset(
    {
        "appsync:eventconnect",
        "appsync:eventsubscribe",
        "aps:remotewrite",
        "chime:sendchannelmessage",
        "cloudtrail:startquery",
        "cloudwatch:putmetricdata",
        "codecommit:gitpull",
        "codeguru-profiler:configureagent",
        "codeguru-profiler:postagentprofile",
        "comprehend:classifydocument",
        "comprehend:containspiientities",
        "connect:startoutboundchatcontact",
        "connect:startoutboundvoicecontact",
        "connect:starttaskcontact",
        "dynamodb:conditioncheckitem",
        "ec2:assignprivateipaddresses",
        "ec2:createnetworkinterface",
        "ec2:deletenetworkinterface",
        "ec2:unassignprivateipaddresses",
        "elasticfilesystem:clientmount",
        "events:retrieveconnectioncredentials",
        "evidently:batchevaluatefeature",
        "evidently:evaluatefeature",
        "evidently:putprojectevents",
        "execute-api:manageconnections",
        "identitystore:ismemberingroups",
        "iot:connect",
        "iot:receive",
        "iot:subscribe",
        "kafka-cluster:altergroup",
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
        "lambda:checkpointdurableexecution",
        "mobiletargeting:sendmessages",
        "polly:synthesizespeech",
        "quicksight:generateembedurlforanonymoususer",
        "quicksight:generateembedurlforregistereduser",
        "rekognition:comparefaces",
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
        "social-messaging:sendwhatsappmessage",
        "sqs:changemessagevisibility",
        "sqs:changemessagevisibilitybatch",
        "sqs:deletemessage",
        "sqs:deletemessagebatch",
        "sqs:receivemessage",
        "ssm-contacts:sendactivationcode",
        "ssm-contacts:startengagement",
        "ssm-contacts:stopengagement",
        "ssmmessages:createcontrolchannel",
        "ssmmessages:createdatachannel",
        "ssmmessages:opencontrolchannel",
        "ssmmessages:opendatachannel",
        "sts:decodeauthorizationmessage",
        "sts:tagsession",
        "textract:analyzedocument",
        "textract:analyzeexpense",
        "textract:analyzeid",
        "translate:translatedocument",
        "translate:translatetext",
        "verifiedpermissions:isauthorized",
        "verifiedpermissions:isauthorizedwithtoken",
        "xray:puttelemetryrecords",
        "xray:puttracesegments",
    }
)
"""Actions that leave nothing behind on which another service depends: metrics, traces, mail, calls, messages
received, keys used, and network interfaces of a function."""

_RECORDS = frozenset(
    {
        "aiops:createinvestigation",
        "aiops:createinvestigationevent",
        "aiops:updateinvestigation",
        "aiops:updateinvestigationevent",
        "aoss:apiaccessall",
        "appconfig:startconfigurationsession",
        "athena:startqueryexecution",
        "athena:stopqueryexecution",
        "bedrock:applyguardrail",
        "bedrock:callwithbearertoken",
        "bedrock:converse",
        "bedrock:conversestream",
        "bedrock:counttokens",
        "bedrock:generatequery",
        "bedrock:invokemodel",
        "bedrock:invokemodelwithresponsestream",
        "bedrock:rerank",
        "bedrock:retrieve",
        "bedrock:retrieveandgenerate",
        "cases:createcase",
        "cases:createrelateditem",
        "cases:updatecase",
        "cassandra:modify",
        "cloudtrail-data:putauditevents",
        "cloudtrail:generatequeryresultssummary",
        "cloudwatch:generatequery",
        "cloudwatch:generatequeryresultssummary",
        "cloudwatch:putdashboard",
        "codecommit:postcommentforcomparedcommit",
        "codecommit:postcommentforpullrequest",
        "codecommit:postcommentreply",
        "config:putevaluations",
        "dsql:dbconnect",
        "elasticache:connect",
        "elasticfilesystem:clientwrite",
        "es:escrossclusterget",
        "es:eshttppatch",
        "es:eshttppost",
        "es:eshttpput",
        "firehose:putrecord",
        "firehose:putrecordbatch",
        "glue:batchcreatepartition",
        "glue:createpartition",
        "internetmonitor:startquery",
        "internetmonitor:stopquery",
        "kendra:retrieve",
        "logs:cancelexporttask",
        "logs:createexporttask",
        "logs:createlogdelivery",
        "logs:createloggroup",
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
        "logs:unmask",
        "logs:updatelogdelivery",
        "memorydb:connect",
        "polly:startspeechsynthesistask",
        "qbusiness:chat",
        "qbusiness:chatsync",
        "rds-data:batchexecutestatement",
        "rds-data:begintransaction",
        "rds-data:committransaction",
        "rds-data:executestatement",
        "rds-data:rollbacktransaction",
        "rds-db:connect",
        "redshift-data:batchexecutestatement",
        "redshift-data:executestatement",
        "redshift:fetchresults",
        "s3:abortmultipartupload",
        "sagemaker:invokeendpoint",
        "sagemaker:invokeendpointasync",
        "sagemaker:invokeendpointwithresponsestream",
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
        "textract:startdocumentanalysis",
        "textract:startdocumenttextdetection",
        "textract:startexpenseanalysis",
        "timestream:cancelquery",
        "timestream:preparequery",
        "timestream:writerecords",
        "transcribe:startcallanalyticsjob",
        "transcribe:starttranscriptionjob",
        "xray:canceltraceretrieval",
        "xray:starttraceretrieval",
    }
)
"""Actions that write down what happened, or ask a store, a database or a model: no infrastructure is changed.
What rows of SQL control cannot be seen; a password opens the same database with no action at all.

Those on log deliveries and the resource policy are what Step Functions needs to write the logs of a machine:
https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

_RECORDS_ON = (
    (("ssm:addtagstoresource",), ":opsitem/"),
    (("events:putrule", "events:puttargets"), ":rule/StepFunctionsGetEventsFor"),
)
"""Actions that are records on what has this in its ARN: the rules are those by which Step Functions itself
waits for what a workflow started, https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

_WAKES = frozenset(
    {
        "appsync:eventpublish",
        "appsync:graphql",
        "events:invokeapidestination",
        "events:putevents",
        "execute-api:invoke",
        "iot:publish",
        "iot:retainpublish",
        "iotevents:batchputmessage",
        "kafka-cluster:writedata",
        "kafka-cluster:writedataidempotently",
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
        "states:invokehttpendpoint",
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
        "s3:putobjectacl",
        "s3:putobjectlegalhold",
        "s3:putobjectretention",
        "s3:putobjecttagging",
        "s3:putobjectversionacl",
        "s3:putobjectversiontagging",
    }
)
_DATA = _ITEMS | _OBJECTS
"""Actions that write items of tables and objects of buckets: records, a ledger's, or what services go by."""

_FAMILIES: Mapping[str, str] = {
    "bedrock:invokemodel": RECORD,
    "dynamodb:batchwrite": DATA,
    "dynamodb:putitem": DATA,
    "dynamodb:updateitem": DATA,
    "es:eshttp": RECORD,
    "execute-api:": WAKE,
    "firehose:putrecord": RECORD,
    "kinesis:putrecord": WAKE,
    "kms:generatedatakey": TELL,
    "kms:reencrypt": TELL,
    "logs:": RECORD,
    "rds-data:": RECORD,
    "s3:abort": RECORD,
    "s3:deleteobject": DATA,
    "s3:putobject": DATA,
    "ses:": TELL,
    "sns:publish": WAKE,
    "sqs:changemessage": TELL,
    "sqs:deletemessage": TELL,
    "sqs:receivemessage": TELL,
    "sqs:sendmessage": WAKE,
    "ssm:createops": RECORD,
    "ssm:updateops": RECORD,
    "states:sendtask": WAKE,
    "support-console:": TELL,
    "support:": TELL,
    "xray:": RECORD,
}
"""What a wildcard stands for, if it begins so. Logs and X-Ray hold what others tell them; SES and Support
only tell people."""

_READS_DATA = re.compile(
    r"dynamodb:(get|batchget|query|scan|partiqlselect)|s3:(getobject$|getobjectversion$|get[*?]|getobject[*?])"
)


OF_WORKFLOW_LOGS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
)
"""What the role of a state machine needs on `*` so that its runs are logged and traced. Source: the guide of
Step Functions, the page above and https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
"""


def meaning(action: str, resource: object = "") -> str:
    """Return what an action of a statement does on a resource of it.

    A wildcard that may cover a change is a change.
    """
    name = action.lower()
    if isinstance(resource, str) and any(
        name in actions and mark in resource for actions, mark in _RECORDS_ON
    ):
        return RECORD
    return _meaning(name)


@lru_cache(maxsize=4096)
def _meaning(name: str) -> str:
    if any(fnmatchcase(acting, name) for acting in _ACTING):
        return CONTROL
    if _READ.match(name):
        return READ
    for names, kind in ((_TELLS, TELL), (_RECORDS, RECORD), (_WAKES, WAKE), (_DATA, DATA)):
        if name in names:
            return kind
    if "*" in name or "?" in name:
        return next((kind for family, kind in _FAMILIES.items() if name.startswith(family)), CONTROL)
    return CONTROL


def is_on_items(action: str) -> bool:
    """Return whether an action writes items of a table."""
    return action.lower() in _ITEMS


def deletes(action: str) -> bool:
    """Return whether an action on items or objects deletes them, or may do so."""
    name = action.lower()
    return "delete" in name or name.startswith(("dynamodb:batchwrite", "dynamodb:transact"))


def reads_data(action: str) -> bool:
    """Return whether an action reads items of tables or objects of buckets, or may do so."""
    name = action.lower()
    return bool(_READS_DATA.match(name)) or name in ("*", "*:*", "dynamodb:*", "s3:*")


def is_on_identities(action: str) -> bool:
    """Return whether an action is on identities: with one of them a role can get every other permission."""
    service, _, name = action.lower().partition(":")
    return service in ("iam", "sts") or name == "passrole"
