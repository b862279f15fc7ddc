"""One life of a resource of the types that the resilience patterns add: see `cases.py`."""

import json
from typing import Any

from tests.sandbox.provider.cases import QUEUE, ROLE, RULE, STREAM, Case, trust

EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
ARCHIVE = "aws:cloudwatch/eventArchive:EventArchive"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
PARAMETER = "aws:ssm/parameter:Parameter"
SECRET = "aws:secretsmanager/secret:Secret"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
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


PATTERN_CASES = [
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
