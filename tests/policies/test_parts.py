"""The table of types knows everything that the provider lets stand at either end of a link."""

from collections.abc import Collection, Mapping
from importlib import import_module

import pulumi_aws as aws
import pytest
from selfheal_policies import types
from selfheal_policies.parts import PARTS, Part, part_of

CONNECTORS: tuple[tuple[type, Collection[str], Mapping[str, str]], ...] = (
    (
        aws.cloudwatch.EventTargetArgs,
        ("_target", "_targets"),
        {
            "appsync_target": "aws:appsync/graphQLApi:GraphQLApi",
            "batch_target": "aws:batch/jobQueue:JobQueue",
            "ecs_target": types.CLUSTER,
            "http_target": "aws:cloudwatch/eventApiDestination:EventApiDestination",
            "kinesis_target": types.STREAM,
            "redshift_target": types.REDSHIFT,
            "run_command_targets": types.SSM_DOCUMENT,
            "sagemaker_pipeline_target": "aws:sagemaker/pipeline:Pipeline",
            "sqs_target": types.QUEUE,
        },
    ),
    (
        aws.lambda_.EventSourceMappingArgs,
        ("_event_source_config", "_event_source"),
        {
            "amazon_managed_kafka_event_source_config": "aws:msk/cluster:Cluster",
            "document_db_event_source_config": "aws:docdb/cluster:Cluster",
            # Nothing of AWS stands there: a server that the stack does not hold.
            "self_managed_kafka_event_source_config": "",
            "self_managed_event_source": "",
        },
    ),
    (
        aws.pipes.PipeSourceParametersArgs,
        ("_parameters",),
        {
            "activemq_broker_parameters": "aws:mq/broker:Broker",
            "dynamodb_stream_parameters": types.TABLE,
            "kinesis_stream_parameters": types.STREAM,
            "managed_streaming_kafka_parameters": "aws:msk/cluster:Cluster",
            "rabbitmq_broker_parameters": "aws:mq/broker:Broker",
            "self_managed_kafka_parameters": "",
            "sqs_queue_parameters": types.QUEUE,
        },
    ),
    (
        aws.pipes.PipeTargetParametersArgs,
        ("_parameters",),
        {
            "batch_job_parameters": "aws:batch/jobQueue:JobQueue",
            "cloudwatch_logs_parameters": types.LOG_GROUP,
            "ecs_task_parameters": types.CLUSTER,
            "eventbridge_event_bus_parameters": types.EVENT_BUS,
            "http_parameters": "aws:cloudwatch/eventApiDestination:EventApiDestination",
            "kinesis_stream_parameters": types.STREAM,
            "lambda_function_parameters": types.FUNCTION,
            "redshift_data_parameters": types.REDSHIFT,
            "sagemaker_pipeline_parameters": "aws:sagemaker/pipeline:Pipeline",
            "sqs_queue_parameters": types.QUEUE,
            "step_function_state_machine_parameters": types.STATE_MACHINE,
        },
    ),
    (
        aws.scheduler.ScheduleTargetArgs,
        ("_parameters",),
        {
            "ecs_parameters": types.CLUSTER,
            "eventbridge_parameters": types.EVENT_BUS,
            "kinesis_parameters": types.STREAM,
            "sagemaker_pipeline_parameters": "aws:sagemaker/pipeline:Pipeline",
            "sqs_parameters": types.QUEUE,
        },
    ),
    (
        aws.s3.BucketNotificationArgs,
        ("s", "bucket", "eventbridge"),
        {
            "bucket": types.BUCKET,
            "eventbridge": types.EVENT_BUS,
            "lambda_functions": types.FUNCTION,
            "queues": types.QUEUE,
            "topics": types.TOPIC,
        },
    ),
)
"""What joins two resources, how its inputs end that say what stands there, and which type that is."""


@pytest.mark.parametrize(
    ("connector", "endings", "ends"), CONNECTORS, ids=lambda each: getattr(each, "__name__", "")
)
def test_every_end_of_a_connector_is_listed(
    connector: type, endings: Collection[str], ends: Mapping[str, str]
) -> None:
    inputs = {name for name in dir(connector) if not name.startswith("_")}
    assert {name for name in inputs if name.endswith(tuple(endings))} == set(ends)
    assert [type_ for type_ in ends.values() if type_ and part_of(type_) is None] == []


@pytest.mark.parametrize("type_", sorted(type_ for type_, part in PARTS.items() if part is not Part.WAKES))
def test_every_type_is_one_of_the_provider(type_: str) -> None:
    # Alarms are walked in test_silencing.py.
    _, path, name = type_.split(":")
    module = path.split("/")[0]
    assert hasattr(import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}"), name)


def test_a_type_that_is_not_listed_is_nothing_that_is_known() -> None:
    assert part_of("aws:ssm/parameter:Parameter") is None
    assert part_of(types.ALARM) is Part.WAKES
    assert part_of(types.FUNCTION) is Part.ACTS
