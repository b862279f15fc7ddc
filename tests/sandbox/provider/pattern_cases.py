"""One life of a resource of the types that the resilience patterns add: see `cases.py`."""

import json
from collections.abc import Callable
from typing import Any

import yaml

from tests.sandbox.provider.cases import QUEUE, ROLE, RULE, STREAM, Case, trust

EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
ARCHIVE = "aws:cloudwatch/eventArchive:EventArchive"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
PARAMETER = "aws:ssm/parameter:Parameter"
SECRET = "aws:secretsmanager/secret:Secret"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
DOCUMENT = "aws:ssm/document:Document"
TEMPLATE = "aws:fis/experimentTemplate:ExperimentTemplate"
KEY = "aws:kms/key:Key"
KEY_ALIAS = "aws:kms/alias:Alias"

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
PATTERN = json.dumps({"source": ["orders"]})
BUS_NEEDS = {
    "bus": (EVENT_BUS, {}),
    "rule": (RULE, {"eventBusName": "{bus.name}", "eventPattern": PATTERN}),
    "role": (ROLE, {"assumeRolePolicy": trust("events.amazonaws.com")}),
}


def machine(**state: Any) -> str:
    return json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed", **state}}}, indent=1)


def key_policy(sid: str) -> str:
    owner = {"AWS": "arn:aws:iam::000000000000:root"}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def document(step: str, form: Callable[[Any], str] = json.dumps) -> str:
    steps = [{"name": step, "action": "aws:sleep", "inputs": {"Duration": "PT1M"}}]
    return form({"schemaVersion": "0.3", "description": step, "mainSteps": steps})


FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
INJECTED: dict[str, Any] = {
    "description": "billing fails",
    "roleArn": "{role.arn}",
    "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": "{alarm.arn}"}],
    "targets": [
        {
            "name": "billing",
            "resourceType": "aws:lambda:function",
            "selectionMode": "ALL",
            "resourceArns": [FUNCTION_ARN + "billing", FUNCTION_ARN + "other"],
        }
    ],
    "actions": [
        {
            "name": "fail",
            "actionId": "aws:lambda:invocation-error",
            "parameters": [
                {"key": "invocationPercentage", "value": "10"},
                {"key": "duration", "value": "PT2M"},
            ],
            "target": {"key": "Functions", "value": "billing"},
        },
        {
            "name": "delay",
            "actionId": "aws:lambda:invocation-add-delay",
            "description": "after it",
            "startAfters": ["fail"],
            "parameters": [{"key": "duration", "value": "PT1M"}],
            "target": {"key": "Functions", "value": "billing"},
        },
    ],
    "logConfiguration": {
        "logSchemaVersion": 2.0,
        "cloudwatchLogsConfiguration": {
            "logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:chaos:*"
        },
    },
    "tags": {"selfheal:scenario": "billing-fails", "a": "b"},
}
ALARM_INPUTS: dict[str, Any] = {
    "namespace": "n",
    "metricName": "m",
    "statistic": "Sum",
    "period": 60,
    "evaluationPeriods": 1,
    "threshold": 1,
    "comparisonOperator": "GreaterThanThreshold",
}

PATTERN_CASES = [
    Case(
        TEMPLATE,
        INJECTED,
        {
            "description": "billing is switched off",
            "stopConditions": [{"source": "none"}],
            "targets": None,
            "actions": [
                {
                    "name": "switch",
                    "actionId": "aws:ssm:start-automation-execution",
                    "parameters": [
                        {"key": "documentArn", "value": "arn:aws:ssm:us-east-1:000000000000:document/d"},
                        {"key": "maxDuration", "value": "PT5M"},
                    ],
                }
            ],
            "experimentOptions": {"emptyTargetResolutionMode": "skip"},
            "logConfiguration": None,
            "tags": {"a": "c"},
        },
        lambda c, id_, _: c.get("fis").update_experiment_template(id=id_, description="x"),
        "description",
        {
            "role": (ROLE, {"assumeRolePolicy": trust("fis.amazonaws.com")}),
            "alarm": ("aws:cloudwatch/metricAlarm:MetricAlarm", ALARM_INPUTS),
        },
        many=True,
    ),
    Case(
        DOCUMENT,
        {"documentType": "Automation", "content": document("one")},
        {"content": document("two")},
        lambda c, id_, _: c.get("ssm").update_document_default_version(Name=id_, DocumentVersion="1"),
        "content",
        taken="DocumentAlreadyExists",
    ),
    Case(
        DOCUMENT,
        {"documentType": "Automation", "documentFormat": "YAML", "content": document("one", yaml.safe_dump)},
        {"content": document("two", yaml.safe_dump), "targetType": "/AWS::DynamoDB::Table"},
        lambda c, id_, _: c.get("ssm").delete_document(Name=id_),
        None,
        taken="DocumentAlreadyExists",
    ),
    Case(
        EVENT_BUS,
        {"description": "orders", "deadLetterConfig": {"arn": DEAD}},
        {"description": None, "kmsKeyIdentifier": "alias/events"},
        lambda c, id_, _: c.get("events").update_event_bus(
            Name=id_, KmsKeyIdentifier="alias/x", DeadLetterConfig={"Arn": DEAD}
        ),
        "kmsKeyIdentifier",
        taken="ResourceAlreadyExistsException",
    ),
    Case(
        ARCHIVE,
        {"eventSourceArn": "{bus.arn}", "retentionDays": 7, "eventPattern": PATTERN},
        {"retentionDays": 14, "eventPattern": None, "description": "everything"},
        lambda c, id_, _: c.get("events").update_archive(ArchiveName=id_, RetentionDays=1),
        "retentionDays",
        {"bus": (EVENT_BUS, {})},
        taken="ResourceAlreadyExistsException",
    ),
    Case(
        TARGET,
        {
            "eventBusName": "{bus.name}",
            "rule": "{rule.name}",
            "arn": "{stream.arn}",
            "roleArn": "{role.arn}",
            "kinesisTarget": {"partitionKeyPath": "$.detail.id"},
            "deadLetterConfig": {"arn": DEAD},
            "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 10},
        },
        {"retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 0}},
        lambda c, _, i: c.get("events").put_targets(
            Rule=i["rule"],
            EventBusName=i["eventBusName"],
            Targets=[
                {
                    "Id": i["targetId"],
                    "Arn": i["arn"],
                    "RoleArn": i["roleArn"],
                    "KinesisParameters": {"PartitionKeyPath": "$.id"},
                    "DeadLetterConfig": {"Arn": DEAD},
                    "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
                }
            ],
        ),
        "kinesisTarget",
        {**BUS_NEEDS, "stream": (STREAM, {"shardCount": 1})},
        import_id="{eventBusName}/{rule}/{targetId}",
    ),
    Case(
        TARGET,
        {
            "eventBusName": "{bus.name}",
            "rule": "{rule.name}",
            "arn": "{queue.arn}",
            "sqsTarget": {"messageGroupId": "orders"},
            "inputTransformer": {"inputPaths": {"id": "$.detail.id"}, "inputTemplate": '{"id": <id>}'},
        },
        {"sqsTarget": {"messageGroupId": "other"}},
        lambda c, _, i: c.get("events").remove_targets(
            Rule=i["rule"], EventBusName=i["eventBusName"], Ids=[i["targetId"]]
        ),
        None,
        {**BUS_NEEDS, "queue": (QUEUE, {"fifoQueue": True})},
        import_id="{eventBusName}/{rule}/{targetId}",
    ),
    Case(
        STATE_MACHINE,
        {
            "definition": machine(),
            "roleArn": "{role.arn}",
            "type": "EXPRESS",
            "loggingConfiguration": {
                "level": "ERROR",
                "includeExecutionData": True,
                "logDestination": "arn:aws:logs:us-east-1:000000000000:log-group:l:*",
            },
        },
        {"definition": machine(Comment="c"), "loggingConfiguration": {"level": "ALL"}},
        lambda c, id_, _: c.get("stepfunctions").update_state_machine(
            stateMachineArn=id_, definition=machine(Comment="x")
        ),
        "definition",
        {"role": (ROLE, {"assumeRolePolicy": trust("states.amazonaws.com")})},
    ),
    Case(
        PARAMETER,
        {"type": "SecureString", "value": "hunter2", "description": "d", "keyId": "alias/aws/ssm"},
        {"value": "hunter3", "description": None},
        lambda c, id_, _: c.get("ssm").put_parameter(
            Name=id_, Value="x", Type="SecureString", Overwrite=True
        ),
        "value",
        taken="ParameterAlreadyExists",
    ),
    Case(
        PARAMETER,
        {"name": "/orders/rate", "type": "String", "value": "5", "tier": "Advanced"},
        {"type": "StringList", "value": "5,6"},
        lambda c, id_, _: c.get("ssm").delete_parameter(Name=id_),
        None,
        taken="ParameterAlreadyExists",
    ),
    Case(
        SECRET,
        {"description": "d", "recoveryWindowInDays": 7},
        {"description": "e", "kmsKeyId": "alias/secrets"},
        lambda c, id_, _: c.get("secretsmanager").update_secret(SecretId=id_, Description="x"),
        "description",
        taken="ResourceExistsException",
    ),
    Case(
        SECRET_VERSION,
        {"secretId": "{secret.id}", "secretString": "hunter2"},
        {},
        lambda c, id_, _: c.get("secretsmanager").delete_secret(SecretId=id_.rsplit("|", 1)[0]),
        None,
        {"secret": (SECRET, {})},
        many=True,
    ),
    Case(
        KEY,
        {"description": "d", "enableKeyRotation": True, "deletionWindowInDays": 7},
        {"description": "e", "enableKeyRotation": False, "policy": key_policy("one"), "isEnabled": False},
        lambda c, id_, _: c.get("kms").put_key_policy(KeyId=id_, Policy=key_policy("two")),
        "policy",
        many=True,
    ),
    Case(
        KEY_ALIAS,
        {"name": "alias/orders", "targetKeyId": "{key.keyId}"},
        {"targetKeyId": "{other.arn}"},
        lambda c, id_, _: c.get("kms").delete_alias(AliasName=id_),
        None,
        {"key": (KEY, {}), "other": (KEY, {})},
        taken="AlreadyExistsException",
    ),
]
