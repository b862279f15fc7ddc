"""What the provider does against the emulator beyond the life of one resource."""

import json
import secrets
import time
from pathlib import Path
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.errors import InputError, ProviderError, UnfinishedError
from selfheal.sandbox.provider import AwsProvider
from tests.sandbox.provider.cases import (
    ALIAS,
    CASES,
    FUNCTION,
    FUNCTION_INPUTS,
    MAPPING,
    POLICY,
    QUEUE,
    ROLE,
    STREAM,
    TABLE_TYPE,
    TOPIC,
    code,
    policy,
    trust,
)
from tests.sandbox.provider.pattern_cases import PATTERN_CASES, SECRET, SECRET_VERSION, STATE_MACHINE
from tests.sandbox.provider.s3_cases import BUCKET, OBJECT, VERSIONING
from tests.support.processes import until

pytestmark = pytest.mark.slow

LOGS = "aws:cloudwatch/logGroup:LogGroup"


def _made(
    provider: AwsProvider, type_: str, name: str, given: dict[str, Any]
) -> tuple[str, dict[str, Any], Any]:
    inputs = provider.check(type_, name, given, None, secrets.token_hex(16))
    id_, outputs = provider.create(type_, inputs)
    return id_, inputs, outputs


@pytest.fixture(scope="module")
def role(provider: AwsProvider) -> str:
    return str(_made(provider, ROLE, "role", {"assumeRolePolicy": trust()})[2]["arn"])


def test_publish_gives_a_version_for_each_change(provider: AwsProvider, role: str) -> None:
    given = FUNCTION_INPUTS | {"role": role, "publish": True}
    id_, inputs, outputs = _made(provider, FUNCTION, "published", given)
    assert (outputs["version"], outputs["qualifiedArn"]) == ("1", f"{outputs['arn']}:1")
    later = inputs | {"environment": {"variables": {"FAILURE_RATE": "0.9"}}}
    assert provider.update(FUNCTION, id_, inputs, later)["version"] == "2"
    coded = later | {"code": code("def handle(event, context):\n    return 3\n")}
    changed = provider.update(FUNCTION, id_, later, coded)
    assert changed["version"] == "3"
    assert changed["codeSha256"] != outputs["codeSha256"]
    assert provider.update(FUNCTION, id_, coded, coded)["version"] == "3"


def test_settings_the_program_no_longer_has_return_to_their_defaults(
    provider: AwsProvider, clients: Clients, role: str
) -> None:
    given = FUNCTION_INPUTS | {"role": role, "description": "d", "tracingConfig": {"mode": "Active"}}
    id_, inputs, _ = _made(provider, FUNCTION, "reset", given)
    dropped = ("environment", "description", "tracingConfig")
    provider.update(FUNCTION, id_, inputs, {key: v for key, v in inputs.items() if key not in dropped})
    live = clients.get("lambda").get_function_configuration(FunctionName=id_)
    assert live.get("Environment", {}).get("Variables", {}) == {}
    assert live["Description"] == ""
    assert live["TracingConfig"]["Mode"] == "PassThrough"


def test_a_function_of_another_is_neither_taken_over_nor_changed(
    provider: AwsProvider, clients: Clients, role: str
) -> None:
    id_, inputs, _ = _made(provider, FUNCTION, "theirs", FUNCTION_INPUTS | {"role": role})
    with pytest.raises(
        ProviderError, match=r"CreateFunction: ResourceConflictException: Function already exist"
    ):
        provider.create(FUNCTION, inputs | {"timeout": 11})
    assert clients.get("lambda").get_function_configuration(FunctionName=id_)["Timeout"] == 5


def test_a_queue_with_other_attributes_is_refused_and_one_with_the_same_is_answered(
    provider: AwsProvider,
) -> None:
    """As CreateQueue does, which the AWS provider relies on."""
    id_, inputs, _ = _made(provider, QUEUE, "theirs", {"delaySeconds": 3})
    assert provider.create(QUEUE, inputs)[0] == id_
    with pytest.raises(ProviderError, match=r"CreateQueue: QueueAlreadyExists: "):
        provider.create(QUEUE, inputs | {"delaySeconds": 4})


def test_what_exists_though_not_as_wanted_is_told_with_its_id(provider: AwsProvider) -> None:
    """So that the state can hold it: the name is taken from now on."""
    inputs = provider.check(LOGS, "half", {"retentionInDays": 13}, None, secrets.token_hex(16))
    with pytest.raises(UnfinishedError, match=r"PutRetentionPolicy: .* It exists as half-") as failed:
        provider.create(LOGS, inputs)
    assert failed.value.id == inputs["name"]
    found = provider.read(LOGS, failed.value.id, inputs)
    assert found is not None
    assert found[0]["retentionInDays"] == 0
    later = inputs | {"retentionInDays": 14}
    assert provider.update(LOGS, failed.value.id, inputs | found[0], later)["retentionInDays"] == 14


def test_what_does_not_exist_cannot_be_looked_up(provider: AwsProvider) -> None:
    assert provider.lookup(TOPIC, "arn:aws:sns:us-east-1:000000000000:none", {}) is None
    assert provider.lookup(ALIAS, "no-function/live", {}) is None
    with pytest.raises(InputError, match=r"looked up by <functionName>/<name>; given was 'live'"):
        provider.lookup(ALIAS, "live", {})


def _live(provider: AwsProvider, type_: str, id_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What is live of the inputs, which differ from them by what is drifted."""
    found = provider.read(type_, id_, inputs)
    assert found is not None
    return dict(found[0])


def _drifted(provider: AwsProvider, type_: str, id_: str, inputs: dict[str, Any]) -> list[str]:
    return provider.diff(type_, inputs | _live(provider, type_, id_, inputs), inputs).changed


def test_drift_gives_the_live_value(provider: AwsProvider, clients: Clients, role: str) -> None:
    id_, inputs, _ = _made(provider, FUNCTION, "drifting", FUNCTION_INPUTS | {"role": role})
    variables = inputs["environment"]["variables"] | {"FAILURE_RATE": "0"}
    clients.get("lambda").update_function_configuration(
        FunctionName=id_, Environment={"Variables": variables}
    )
    live = _live(provider, FUNCTION, id_, inputs)
    assert live["environment"] == {"variables": {"FAILURE_RATE": "0", "lower_case": "kept"}}
    assert "code" not in live
    assert _drifted(provider, FUNCTION, id_, inputs) == ["environment"]


def test_a_reservation_changes_in_place_and_drift_of_it_shows(
    provider: AwsProvider, clients: Clients, role: str
) -> None:
    reserved = "reservedConcurrentExecutions"
    given = FUNCTION_INPUTS | {"role": role, reserved: 3.0}
    id_, inputs, outputs = _made(provider, FUNCTION, "limited", given)
    api = clients.get("lambda")
    assert api.get_function_concurrency(FunctionName=id_)["ReservedConcurrentExecutions"] == 3
    later = inputs | {reserved: 0}
    assert provider.diff(FUNCTION, inputs, later).replace == []
    assert provider.update(FUNCTION, id_, inputs, later)["codeSha256"] == outputs["codeSha256"]
    assert api.get_function_concurrency(FunctionName=id_)["ReservedConcurrentExecutions"] == 0
    api.put_function_concurrency(FunctionName=id_, ReservedConcurrentExecutions=2)
    assert _live(provider, FUNCTION, id_, later)[reserved] == 2
    assert _drifted(provider, FUNCTION, id_, later) == [reserved]
    provider.update(FUNCTION, id_, later | {reserved: 2}, later | {reserved: -1})
    assert "ReservedConcurrentExecutions" not in api.get_function_concurrency(FunctionName=id_)
    assert _live(provider, FUNCTION, id_, later)[reserved] == -1
    assert _drifted(provider, FUNCTION, id_, later) == [reserved]


def test_an_alias_moves_to_another_version_and_drift_of_it_shows(
    provider: AwsProvider, clients: Clients, role: str
) -> None:
    published = FUNCTION_INPUTS | {"role": role, "publish": True}
    function, inputs, _ = _made(provider, FUNCTION, "aliased", published)
    provider.update(FUNCTION, function, inputs, inputs | {"timeout": 9})
    given = {"name": "live", "functionName": function, "functionVersion": "1"}
    id_, alias, _ = _made(provider, ALIAS, "live", given)
    later = alias | {"functionVersion": "2"}
    assert provider.diff(ALIAS, alias, later).replace == []
    provider.update(ALIAS, id_, alias, later)
    api = clients.get("lambda")
    assert api.get_alias(FunctionName=function, Name="live")["FunctionVersion"] == "2"
    api.update_alias(FunctionName=function, Name="live", FunctionVersion="1")
    assert _live(provider, ALIAS, id_, later)["functionVersion"] == "1"
    assert _drifted(provider, ALIAS, id_, later) == ["functionVersion"]


def test_a_mapping_is_changed_without_being_resumed_and_then_consumes_what_was_sent_meanwhile(
    provider: AwsProvider, clients: Clients, role: str
) -> None:
    """`enabled` may be changed by another between a refresh and an update."""
    function, _, _ = _made(provider, FUNCTION, "fed", FUNCTION_INPUTS | {"role": role})
    url, _, queue = _made(provider, QUEUE, "feeding", {})
    given = {"eventSourceArn": queue["arn"], "functionName": function, "batchSize": 5}
    id_, inputs, _ = _made(provider, MAPPING, "feed", given)
    api, sqs = clients.get("lambda"), clients.get("sqs")
    api.update_event_source_mapping(UUID=id_, Enabled=False)
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    updated = provider.update(MAPPING, id_, inputs, {k: v for k, v in inputs.items() if k != "batchSize"})
    assert (updated["batchSize"], updated["state"]) == (10, "Disabled")

    def waiting() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    time.sleep(2)
    assert waiting() == 1
    api.update_event_source_mapping(UUID=id_, Enabled=True)
    until(lambda: waiting() == 0, 20)


_KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
_SQS = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"eventSourceArn": "arn:aws:mq:us-east-1:0:b"},
            r"an SQS queue, a Kinesis stream .* given was arn:aws:mq",
        ),
        ({"eventSourceArn": _KINESIS}, r"startingPosition is needed for a stream"),
        (
            {
                "eventSourceArn": _KINESIS,
                "startingPosition": "LATEST",
                "scalingConfig": {"maximumConcurrency": 2},
            },
            r"^scalingConfig: AWS has this for queues only; given was .*:kinesis:",
        ),
        (
            {"eventSourceArn": _SQS, "bisectBatchOnFunctionError": True, "maximumRetryAttempts": 0},
            r"^bisectBatchOnFunctionError, maximumRetryAttempts: AWS has this for streams only",
        ),
    ],
)
def test_a_mapping_is_refused_that_its_source_cannot_have(
    provider: AwsProvider, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProviderError, match=said):
        provider.create(MAPPING, {"functionName": "f", **given})


def test_the_metrics_of_a_mapping_are_as_recorded_since_the_emulator_forgets_them(
    provider: AwsProvider, role: str
) -> None:
    function, _, _ = _made(provider, FUNCTION, "counted", FUNCTION_INPUTS | {"role": role})
    _, _, queue = _made(provider, QUEUE, "counting", {})
    given = {"eventSourceArn": queue["arn"], "functionName": function}
    counted = given | {"metricsConfig": {"metrics": ["EventCount"]}}
    id_, inputs, outputs = _made(provider, MAPPING, "count", counted)
    assert outputs["metricsConfig"] == {"metrics": ["EventCount"]}
    assert _drifted(provider, MAPPING, id_, inputs) == []
    later = {key: value for key, value in inputs.items() if key != "metricsConfig"}
    assert "metricsConfig" not in provider.update(MAPPING, id_, inputs, later)


def test_a_stream_feeds_a_function_in_batches_of_100_unless_told_otherwise(
    provider: AwsProvider, clients: Clients, role: str
) -> None:
    function, _, _ = _made(provider, FUNCTION, "streamed", FUNCTION_INPUTS | {"role": role})
    stream, _, _ = _made(provider, STREAM, "stream", {"shardCount": 1})
    given = {"eventSourceArn": stream, "functionName": function, "startingPosition": "LATEST"}
    id_, inputs, made = _made(provider, MAPPING, "feed", given)
    assert made["batchSize"] == 100
    provider.update(MAPPING, id_, {**inputs, "batchSize": 5}, inputs)
    assert clients.get("lambda").get_event_source_mapping(UUID=id_)["BatchSize"] == 100


def test_tracing_of_a_state_machine_is_as_recorded_since_the_emulator_forgets_it(
    provider: AwsProvider, role: str
) -> None:
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    given = {"definition": definition, "roleArn": role, "tracingConfiguration": {"enabled": True}}
    id_, inputs, outputs = _made(provider, STATE_MACHINE, "traced", given)
    assert outputs["tracingConfiguration"] == {"enabled": True}
    assert _drifted(provider, STATE_MACHINE, id_, inputs) == []
    later = {key: value for key, value in inputs.items() if key != "tracingConfiguration"}
    revision = provider.update(STATE_MACHINE, id_, inputs, later)["revisionId"]
    assert revision != outputs["revisionId"]


def test_a_new_value_of_a_secret_is_a_new_version_and_the_old_one_loses_its_label(
    provider: AwsProvider, clients: Clients
) -> None:
    secret, _, _ = _made(provider, SECRET, "rotated", {"recoveryWindowInDays": 0})
    old, inputs, _ = _made(provider, SECRET_VERSION, "one", {"secretId": secret, "secretString": "1"})
    _made(provider, SECRET_VERSION, "two", {"secretId": secret, "secretString": "2"})
    api = clients.get("secretsmanager")
    assert api.get_secret_value(SecretId=secret)["SecretString"] == "2"
    assert provider.diff(SECRET_VERSION, inputs, inputs | {"secretString": "2"}).replace == ["secretString"]
    provider.delete(SECRET_VERSION, old, inputs)
    stages = api.describe_secret(SecretId=secret)["VersionIdsToStages"].values()
    assert [list(labels) for labels in stages if labels] == [["AWSCURRENT"]]
    provider.delete(SECRET, secret, {"recoveryWindowInDays": 0})
    assert provider.read(SECRET_VERSION, old, inputs) is None


def test_what_aws_refuses_is_told_with_its_code_and_message(provider: AwsProvider) -> None:
    given = {"role": "nobody", "name": "p", "policy": policy("sqs:a")}
    with pytest.raises(ProviderError, match=r"creating: PutRolePolicy: NoSuchEntity: .*nobody"):
        provider.create("aws:iam/rolePolicy:RolePolicy", given)


def test_an_endpoint_that_does_not_answer_is_a_provider_error() -> None:
    nowhere = AwsProvider(Clients("http://127.0.0.1:1", "us-east-1", Credentials("a", "b")))
    with pytest.raises(
        ProviderError, match=r"creating: Could not connect to the endpoint URL: .*127\.0\.0\.1:1"
    ):
        nowhere.create(TOPIC, {"name": "t"})


def test_a_protected_table_is_not_deleted(provider: AwsProvider) -> None:
    given = {
        "hashKey": "pk",
        "attributes": [{"name": "pk", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        "deletionProtectionEnabled": True,
    }
    id_, inputs, _ = _made(provider, TABLE_TYPE, "protected", given)
    with pytest.raises(ProviderError, match=r"deleting: DeleteTable: ValidationException: .*protect"):
        provider.delete(TABLE_TYPE, id_, inputs)
    assert provider.read(TABLE_TYPE, id_, inputs) is not None
    unprotected = inputs | {"deletionProtectionEnabled": False}
    provider.update(TABLE_TYPE, id_, inputs, unprotected)
    provider.delete(TABLE_TYPE, id_, unprotected)
    assert provider.read(TABLE_TYPE, id_, unprotected) is None


def test_a_policy_keeps_at_most_five_versions(provider: AwsProvider, clients: Clients) -> None:
    id_, inputs, _ = _made(provider, POLICY, "versions", {"policy": policy("sqs:a")})
    for letter in "bcdefg":
        later = inputs | {"policy": policy(f"sqs:{letter}")}
        provider.update(POLICY, id_, inputs, later)
        inputs = later
    versions = clients.get("iam").list_policy_versions(PolicyArn=id_)["Versions"]
    assert len(versions) == 5
    provider.delete(POLICY, id_, inputs)
    assert provider.read(POLICY, id_, inputs) is None


def test_a_bucket_with_objects_is_kept_unless_it_may_be_emptied(
    provider: AwsProvider, clients: Clients
) -> None:
    bucket, inputs, _ = _made(provider, BUCKET, "Full", {})
    _made(provider, VERSIONING, "v", {"bucket": bucket, "versioningConfiguration": {"status": "Enabled"}})
    given = {"bucket": bucket, "key": "a/b", "content": "one"}
    object_, first, made = _made(provider, OBJECT, "o", given)
    assert made["versionId"]
    provider.update(OBJECT, object_, first, first | {"content": "two"})
    api = clients.get("s3")
    assert api.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"two"
    assert api.head_object(Bucket=bucket, Key="a/b")["ContentType"] == "application/octet-stream"
    with pytest.raises(ProviderError, match=r"deleting: DeleteBucket: BucketNotEmpty"):
        provider.delete(BUCKET, bucket, inputs)
    provider.delete(BUCKET, bucket, inputs | {"forceDestroy": True})
    assert provider.read(BUCKET, bucket, inputs) is None


def test_an_object_is_deleted_with_its_versions_and_its_neighbours_are_not(
    provider: AwsProvider, clients: Clients
) -> None:
    bucket, _, _ = _made(provider, BUCKET, "neighbours", {})
    object_, inputs, _ = _made(provider, OBJECT, "o", {"bucket": bucket, "key": "a", "content": "x"})
    _made(provider, OBJECT, "p", {"bucket": bucket, "key": "ab", "contentBase64": "eA=="})
    provider.delete(OBJECT, object_, inputs)
    api = clients.get("s3")
    assert [found["Key"] for found in api.list_objects_v2(Bucket=bucket)["Contents"]] == ["ab"]
    assert api.get_object(Bucket=bucket, Key="ab")["Body"].read() == b"x"


# --- invokes ---


def test_caller_region_and_partition(provider: AwsProvider) -> None:
    identity = provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["accountId"] == identity["id"] == "000000000000"
    assert provider.invoke("aws:index/getRegion:getRegion", {})["region"] == "us-east-1"
    assert provider.invoke("aws:index/getPartition:getPartition", {}) == {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def test_table_item(provider: AwsProvider, clients: Clients) -> None:
    token = "aws:dynamodb/getTableItem:getTableItem"
    key = json.dumps({"pk": {"S": "fleet"}})
    with pytest.raises(ProviderError) as missing_table:
        provider.invoke(token, {"tableName": "nope", "key": key})
    assert str(missing_table.value) == f"reading DynamoDB Table Item (nope|{key}): couldn't find resource"

    attributes = [{"name": "pk", "type": "S"}]
    id_, _, _ = _made(
        provider,
        TABLE_TYPE,
        "items",
        {"hashKey": "pk", "attributes": attributes, "billingMode": "PAY_PER_REQUEST"},
    )
    with pytest.raises(ProviderError) as missing_item:
        provider.invoke(token, {"tableName": id_, "key": key})
    assert str(missing_item.value) == f"reading DynamoDB Table Item ({id_}|{key}): empty result"

    item = {"pk": {"S": "fleet"}, "targets": {"SS": ["a"]}}
    clients.get("dynamodb").put_item(TableName=id_, Item=item)
    assert json.loads(provider.invoke(token, {"tableName": id_, "key": key})["item"]) == item


def test_parameters(provider: AwsProvider, clients: Clients) -> None:
    token = "aws:ssm/getParameter:getParameter"
    name = "/aws/service/fis/lambda-extension/AWS-FIS-extension-arm64/1.x.x"
    layer = "arn:aws:lambda:us-east-1:211125607513:layer:aws-fis-extension-arm64:9"
    public = provider.invoke(token, {"name": name})
    assert (public["value"], public["insecureValue"], public["type"]) == (layer, layer, "String")
    assert public["arn"] == f"arn:aws:ssm:us-east-1::parameter{name}"
    clients.get("ssm").put_parameter(Name="secret", Type="SecureString", Value="hunter2")
    secret = provider.invoke(token, {"name": "secret"})
    assert (secret["value"], secret["insecureValue"], secret["version"]) == ("hunter2", "", 1)
    with pytest.raises(ProviderError, match="GetParameter: ParameterNotFound"):
        provider.invoke(token, {"name": "none"})


def test_nothing_drifts_when_a_persistent_emulator_comes_back_on_another_port(tmp_path: Path) -> None:
    alone = [case for case in [*CASES, *PATTERN_CASES] if not case.needs]
    with Emulator.start(tmp_path, persist=True) as first:
        before = AwsProvider(first.clients)
        made = [(case.type, *_made(before, case.type, "kept", case.inputs)) for case in alone]
    with Emulator.start(tmp_path, persist=True) as second:
        after = AwsProvider(second.clients)
        for type_, id_, inputs, _ in made:
            found = after.read(type_, id_, inputs)
            assert found is not None, type_
            assert after.diff(type_, {**inputs, **found[0]}, inputs).changed == [], type_
    assert len(made) >= 8
