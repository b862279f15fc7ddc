"""The stream consumer as it is registered. What it does with poison is in test_fan_out_with_emulator."""

import json
from pathlib import Path
from typing import Any

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.function import code
from selfheal.components.patterns.stream_consumer import StreamConsumer, StreamConsumerArgs
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/analytics-stream-1a2b3c4"
BUCKET = "arn:aws:s3:::analytics-failures-1a2b3c4"
PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"


def consume(folder: Path, preview: Any = False, **changes: Any) -> Deployment:
    (folder / "consumer.py").write_text("def handle(event, context): ...")
    base: dict[str, Any] = {"consumer": {"code": code(folder, "consumer.handle")}, "people": PEOPLE}
    args: StreamConsumerArgs = base | changes  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        StreamConsumer("analytics", args)

    return deploy(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False])
def test_what_fails_is_cut_out_bounded_and_kept(tmp_path: Path, preview: bool) -> None:
    mapping = consume(tmp_path, preview).named("analytics-mapping").inputs
    assert mapping == {
        "eventSourceArn": STREAM,
        "functionName": "analytics-consumer-1a2b3c4",
        "startingPosition": "TRIM_HORIZON",
        "batchSize": 100,
        "parallelizationFactor": 1,
        "bisectBatchOnFunctionError": True,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "maximumRetryAttempts": 5,
        "maximumRecordAgeInSeconds": 3600,
        "destinationConfig": {"onFailure": {"destinationArn": BUCKET}},
        "metricsConfig": {"metrics": ["EventCount"]},
    }


def test_the_numbers_are_the_users(tmp_path: Path) -> None:
    numbers = {"batch_size": 7, "batches_per_shard": 2, "retries": 0, "max_record_age_seconds": 60}
    deployment = consume(tmp_path, shards=3, failures_days=30, force_destroy=True, **numbers)
    mapping = deployment.named("analytics-mapping").inputs
    assert (mapping["batchSize"], mapping["parallelizationFactor"]) == (7, 2)
    assert (mapping["maximumRetryAttempts"], mapping["maximumRecordAgeInSeconds"]) == (0, 60)
    assert deployment.named("analytics-stream").inputs["shardCount"] == 3
    assert deployment.named("analytics-failures").inputs["forceDestroy"] is True
    [rule] = deployment.named("analytics-failures-lifecycle").inputs["rules"]
    assert rule["expiration"] == {"days": 30}


def test_the_stream_is_encrypted_and_keeps_a_day(tmp_path: Path) -> None:
    assert consume(tmp_path).named("analytics-stream").inputs == {
        "shardCount": 1,
        "retentionPeriod": 24,
        "encryptionType": "KMS",
        "kmsKeyId": "alias/aws/kinesis",
    }


@pytest.mark.parametrize("preview", [True, False])
def test_the_bucket_is_private_encrypted_by_tls_only_and_forgets(tmp_path: Path, preview: bool) -> None:
    deployment = consume(tmp_path, preview)
    assert deployment.named("analytics-failures").inputs == {"forceDestroy": False}
    block = deployment.named("analytics-failures-private").inputs
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert block == {"bucket": "analytics-failures-1a2b3c4", **dict.fromkeys(flags, True)}
    [encryption] = deployment.named("analytics-failures-encryption").inputs["rules"]
    assert encryption == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    [rule] = deployment.named("analytics-failures-lifecycle").inputs["rules"]
    assert (rule["status"], rule["expiration"]) == ("Enabled", {"days": 90})
    policy = deployment.named("analytics-failures-policy").inputs["policy"]
    role = f"arn:aws:iam::{ACCOUNT}:role/anyone"

    def said(action: str, resource: str, tls: str) -> iam.Verdict:
        return iam.resource_policy(
            policy, iam.Request(action, resource, arn=role, context={"aws:SecureTransport": tls})
        )

    for action, resource in (("s3:GetObject", f"{BUCKET}/a"), ("s3:ListBucket", BUCKET)):
        assert said(action, resource, "false") is iam.Verdict.DENIED
        assert said(action, resource, "true") is iam.Verdict.NOT_ALLOWED  # nobody is let in by it


def test_no_record_is_written_before_the_bucket_is_closed(tmp_path: Path) -> None:
    deployment = consume(tmp_path)
    needed = {
        deployment.named(f"analytics-failures-{name}").urn
        for name in ("private", "encryption", "policy", "lifecycle")
    }
    assert needed <= deployment.named("analytics-mapping").dependencies


@pytest.mark.parametrize("preview", [True, False])
def test_the_consumer_reads_its_stream_and_writes_failures_and_no_more(tmp_path: Path, preview: bool) -> None:
    deployment = consume(tmp_path, preview)
    policy = deployment.named("analytics-consumer-policy").inputs["policy"]
    assert deployment.named("analytics-consumer-boundary").inputs["policy"] == policy
    reads = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
    assert all(iam.allows(policy, f"kinesis:{action}", STREAM) for action in reads)
    assert not iam.allows(policy, "kinesis:GetRecords", f"{STREAM}x")
    assert not iam.allows(policy, "kinesis:PutRecord", STREAM)
    assert iam.allows(policy, "s3:ListBucket", BUCKET)
    assert iam.allows(policy, "s3:PutObject", f"{BUCKET}/aws/lambda/uuid/shard/time")
    assert not iam.allows(policy, "s3:PutObject", f"{BUCKET}/elsewhere")
    for action in ("s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl"):
        assert not iam.allows(policy, action, f"{BUCKET}/aws/lambda/uuid/shard/time")
    # The place in the bucket has to end with a wildcard: it contains ids and times.
    wide = [(action, arn) for action, arn in iam.too_wide(policy) if not arn.endswith("/aws/lambda/*")]
    assert wide == []
    assert json.loads(policy)["Version"] == "2012-10-17"


@pytest.mark.parametrize("preview", [True, False])
def test_people_are_told_of_lag_of_failures_and_of_loss(tmp_path: Path, preview: bool) -> None:
    deployment = consume(tmp_path, preview)
    alarms = {each.name: each.inputs for each in deployment.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    fires = {
        name: (each["metricName"], each["statistic"], each["threshold"]) for name, each in alarms.items()
    }
    assert fires == {
        "analytics-behind": ("IteratorAge", "Maximum", 1_800_000),
        "analytics-unhandled": ("OnFailureDestinationDeliveredEventCount", "Sum", 1),
        "analytics-lost": ("DestinationDeliveryFailures", "Sum", 1),
    }
    assert all(each["alarmActions"] == each["okActions"] == [PEOPLE] for each in alarms.values())
    assert all(each["namespace"] == "AWS/Lambda" for each in alarms.values())
    function = {"FunctionName": "analytics-consumer-1a2b3c4"}
    assert alarms["analytics-behind"]["dimensions"] == alarms["analytics-lost"]["dimensions"] == function
    if not preview:
        assert alarms["analytics-unhandled"]["dimensions"] == {
            "EventSourceMappingUUID": "analytics-mapping-id"
        }
    assert "analytics-failures-1a2b3c4" in alarms["analytics-unhandled"]["alarmDescription"]


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("shards", 0, "1 to 200"),
        ("shards", True, "1 to 200"),
        ("batch_size", 10_001, "1 to 10,000"),
        ("batches_per_shard", 11, "1 to 10"),
        ("retries", -1, "0 to 100"),
        ("max_record_age_seconds", -1, "60 to 82,800"),
        ("max_record_age_seconds", 86_400, "60 to 82,800"),
        ("failures_days", 0, "7 to 3,650"),
    ],
)
def test_what_is_out_of_range_is_refused(tmp_path: Path, field: str, value: object, allowed: str) -> None:
    with pytest.raises(ComponentError, match=f"{field} must be a whole number from {allowed}, got {value}"):
        consume(tmp_path, **{field: value})


def test_the_program_is_not_recorded(tmp_path: Path) -> None:
    [component] = consume(tmp_path).of("selfheal:index:StreamConsumer")
    assert component.inputs == {}
