"""`StreamConsumer`: a Kinesis stream and its consumer, where poison blocks nobody and keeps its data."""

from typing import NotRequired

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.iam import Statement, allow
from selfheal.components.patterns.alarms import alarm
from selfheal.components.patterns.failures_bucket import failures_bucket
from selfheal.components.patterns.function import FunctionArgs, pattern_function
from selfheal.components.security import Security, SecurityArgs, Store

RETENTION_HOURS = 24
"""How long the stream keeps a record: what AWS gives without a further charge."""

RECORD_AGE = (60, RETENTION_HOURS * 3600 - 3600)
"""Seconds. At most an hour less than the stream keeps: what expires in it is in no bucket. AWS takes 60 or
more. Source: Lambda developer guide, "Lambda parameters for Amazon Kinesis Data Streams event source
mappings"."""

RETRIES = (0, 100)
"""AWS takes up to 10,000, but each retry of a record keeps all behind it waiting."""

SHARDS = (1, 200)
"""The most is the smallest default quota of a region. A shard takes 1 MB or 1,000 records a second, and
costs money every hour, used or not."""

BATCH_SIZES = (1, 10_000)
FACTORS = (1, 10)
"""Source of both: as for the age."""

KEPT_DAYS = (7, 3650)

DEFAULT_RECORD_AGE_SECONDS = 3600
DEFAULT_RETRIES = 5
DEFAULT_BATCH_SIZE = 100
DEFAULT_KEPT_DAYS = 90

BEHIND = 2
"""People are told when records wait for half of the age at which they are not handled any more."""


class StreamConsumerArgs(SecurityArgs):
    """A stream and what consumes it."""

    consumer: FunctionArgs
    """Its handler returns what `batch.kinesis_batch` returns. It has to bear a record more than once."""

    people: pulumi.Input[str]
    """ARN of the topic to notify, for example `OnCall("on-call").topic_arn`."""

    shards: NotRequired[int]
    """1 to 200. Default 1. Each shard costs money by the hour."""

    batch_size: NotRequired[int]
    """Most records that the consumer gets at once. 1 to 10,000. Default 100."""

    batches_per_shard: NotRequired[int]
    """Batches of a shard that are handled at the same time; records of one partition key stay in order. 1 to
    10. Default 1."""

    max_record_age_seconds: NotRequired[int]
    """Older records are not handled but go to the failures bucket. 60 to 82,800. Default 3,600."""

    retries: NotRequired[int]
    """How often a failed record is tried again before it goes to the failures bucket. 0 to 100. Default 5."""

    failures_days: NotRequired[int]
    """Days for which the failures bucket keeps a record. 7 to 3,650. Default 90."""

    force_destroy: NotRequired[bool]
    """Whether `destroy` also deletes a failures bucket that is not empty. Default false."""


class StreamConsumer(pulumi.ComponentResource):
    """A stream whose consumer gets each record at least once, in the order of its partition key.

    A batch that fails is cut in two until the record is found that fails; that one goes to the failures
    bucket after its retries, with its data, and the others are handled. `selfheal dlq` lists and redrives
    what is in the bucket.
    """

    stream_name: pulumi.Output[str]
    """Name of the stream, known at preview."""

    stream_arn: pulumi.Output[str]
    """ARN of the stream, known at preview."""

    failures_bucket: pulumi.Output[str]
    """Name of the bucket of what could not be handled, known at preview."""

    function_name: pulumi.Output[str]
    """Name of the consumer, known at preview."""

    sender: Access
    """For who writes to the stream: the right to do it, and no variables."""

    def __init__(
        self, name: str, args: StreamConsumerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the stream, the consumer, its mapping, the failures bucket and the alarms.

        Raises:
            ComponentError: when a number is out of its range, or as for the consumer's function.

        """
        super().__init__("selfheal:index:StreamConsumer", name, None, opts)
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        shards = ranges.whole("shards", args.get("shards"), SHARDS, default=1)
        batch = ranges.whole("batch_size", args.get("batch_size"), BATCH_SIZES, default=DEFAULT_BATCH_SIZE)
        factor = ranges.whole("batches_per_shard", args.get("batches_per_shard"), FACTORS, default=1)
        age = ranges.whole(
            "max_record_age_seconds",
            args.get("max_record_age_seconds"),
            RECORD_AGE,
            default=DEFAULT_RECORD_AGE_SECONDS,
        )
        retries = ranges.whole("retries", args.get("retries"), RETRIES, default=DEFAULT_RETRIES)
        kept = ranges.whole("failures_days", args.get("failures_days"), KEPT_DAYS, default=DEFAULT_KEPT_DAYS)
        options, arns = pulumi.ResourceOptions(parent=self), Arns(self)
        security = Security(args, arns)
        stream = aws.kinesis.Stream(
            f"{name}-stream",
            shard_count=shards,
            retention_period=RETENTION_HOURS,
            encryption_type="KMS",
            # That of AWS: who may use the stream may use it, without a charge for the key.
            kms_key_id="alias/aws/kinesis" if security.key is None else security.key,
            opts=options,
        )
        self.stream_name, self.stream_arn = stream.name, arns.stream(stream.name)
        bucket, settings = failures_bucket(
            f"{name}-failures",
            arns,
            self,
            days=kept,
            force_destroy=args.get("force_destroy", False),
            security=security,
        )
        self.failures_bucket = bucket.bucket
        self.sender = Access(
            # Both, as in AWS's example for a rule: EventBridge user guide, "Using identity-based policies".
            statements=[
                allow(["kinesis:PutRecord", "kinesis:PutRecords"], [self.stream_arn]),
                *security.writes(Store.STREAM),
            ]
        )
        statements = [
            *_reads(self.stream_arn),
            *security.reads(Store.STREAM),
            *_writes_failures(arns.bucket(bucket.bucket)),
            *security.writes(Store.BUCKET),
        ]
        function = pattern_function(
            f"{name}-consumer",
            args["consumer"],
            Access(statements=statements),
            arns=arns,
            security=security,
            parent=self,
        )
        self.function_name = function.name
        mapping = aws.lambda_.EventSourceMapping(
            f"{name}-mapping",
            event_source_arn=self.stream_arn,
            function_name=function.name,
            # From the oldest record on: what was sent before the mapping existed is not lost.
            starting_position="TRIM_HORIZON",
            batch_size=batch,
            parallelization_factor=factor,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_retry_attempts=retries,
            maximum_record_age_in_seconds=age,
            destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
                on_failure=aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(
                    destination_arn=arns.bucket(bucket.bucket)
                )
            ),
            metrics_config=aws.lambda_.EventSourceMappingMetricsConfigArgs(metrics=["EventCount"]),
            # A bucket that is open, or not encrypted, must not get a record.
            opts=pulumi.ResourceOptions(parent=self, depends_on=settings),
        )
        self._alarms(name, mapping, age, args["people"])
        self.register_outputs(
            {
                "streamName": self.stream_name,
                "streamArn": self.stream_arn,
                "failuresBucket": self.failures_bucket,
                "functionName": self.function_name,
            }
        )

    def _alarms(
        self, name: str, mapping: aws.lambda_.EventSourceMapping, age: int, people: pulumi.Input[str]
    ) -> None:
        """Register the alarms. Source: Lambda developer guide, "Types of metrics for Lambda functions"."""
        alarm(
            name,
            "behind",
            description=pulumi.Output.concat(
                f"The consumer of {name} is behind by more than {age // BEHIND} s, and records that wait "
                f"{age} s go to the failures bucket unhandled. Look at the errors and throttles of ",
                self.function_name,
                "; if it is only slow, raise batch_size, batches_per_shard or shards.",
            ),
            namespace="AWS/Lambda",
            metric="IteratorAge",
            dimensions={"FunctionName": self.function_name},
            statistic="Maximum",
            threshold=age * 1000 // BEHIND,
            people=people,
            parent=self,
        )
        alarm(
            name,
            "unhandled",
            description=pulumi.Output.concat(
                f"The consumer of {name} could not handle records; they are in the bucket ",
                self.failures_bucket,
                ". Look at them with `selfheal dlq list`, and send them back with `selfheal dlq redrive`.",
            ),
            namespace="AWS/Lambda",
            metric="OnFailureDestinationDeliveredEventCount",
            dimensions={"EventSourceMappingUUID": mapping.uuid},
            statistic="Sum",
            threshold=1,
            people=people,
            parent=self,
        )
        alarm(
            name,
            "lost",
            description=pulumi.Output.concat(
                f"Records that the consumer of {name} could not handle did not reach the bucket ",
                self.failures_bucket,
                f". The stream keeps them for {RETENTION_HOURS} h after they were sent: find their sequence "
                "numbers in the log of ",
                self.function_name,
                ", read them with `aws kinesis get-records`, and see why the function's role cannot write "
                "into the bucket.",
            ),
            namespace="AWS/Lambda",
            metric="DestinationDeliveryFailures",
            dimensions={"FunctionName": self.function_name},
            statistic="Sum",
            threshold=1,
            people=people,
            parent=self,
        )


def _reads(stream_arn: pulumi.Input[str]) -> list[Statement]:
    """Return what Lambda needs to poll, as the function: AWSLambdaKinesisExecutionRole on one stream.

    Without SubscribeToShard, which is for enhanced fan-out, and ListStreams, which is for the console.
    """
    actions = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
    return [allow([f"kinesis:{action}" for action in actions], [stream_arn])]


def _writes_failures(bucket_arn: pulumi.Output[str]) -> list[Statement]:
    """Return what Lambda needs to write failures, as the function, into the place that it uses.

    Source: Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source":
    PutObject and ListBucket. The `*` stands for the mapping, the shard and the time.
    """
    return [
        allow(["s3:PutObject"], [pulumi.Output.concat(bucket_arn, "/aws/lambda/*")]),
        allow(["s3:ListBucket"], [bucket_arn]),
    ]
