"""What every AWS type that can stand at either end of a link is: the one table that decides it.

A reference that is unknown at preview names by its dependencies what it may lead to, and the type says
whether that can wake anybody.
"""

from collections.abc import Mapping
from enum import StrEnum

from selfheal_policies import types


class Part(StrEnum):
    """What a resource does with what reaches it."""

    WAKES = "wakes"
    """It begins: an alarm."""
    RELAYS = "relays"
    """It passes on what reaches it to what is wired to it, and changes nothing."""
    ACTS = "acts"
    """It runs something under a role, or changes something by itself."""
    PEOPLE = "people"
    """A person, a pager or a chat channel reads it, or a server of somebody else."""
    NOTHING = "nothing"
    """It keeps what reaches it, or changes only the size of what it belongs to: it wakes nobody."""


_TYPES: Mapping[Part, tuple[str, ...]] = {
    Part.WAKES: types.ALARMS,
    Part.RELAYS: (
        types.ALIAS,
        types.API_STAGE,
        types.BUCKET,
        types.DELIVERY_STREAM,
        types.EVENT_BUS,
        types.EVENT_RULE,
        types.FUNCTION_URL,
        types.HTTP_API,
        types.HTTP_API_STAGE,
        types.LOG_GROUP,
        types.MACHINE_ALIAS,
        types.PIPE,
        types.QUEUE,
        types.REST_API,
        types.STREAM,
        types.STREAM_CONSUMER,
        types.TABLE,
        types.TOPIC,
    ),
    Part.ACTS: (
        *types.ACTORS,
        "aws:appsync/graphQLApi:GraphQLApi",
        "aws:batch/jobDefinition:JobDefinition",
        "aws:batch/jobQueue:JobQueue",
        "aws:cfg/remediationConfiguration:RemediationConfiguration",
        "aws:codebuild/project:Project",
        "aws:codepipeline/pipeline:Pipeline",
        "aws:ecs/cluster:Cluster",
        "aws:ecs/taskDefinition:TaskDefinition",
        "aws:glue/workflow:Workflow",
        "aws:redshift/cluster:Cluster",
        "aws:redshiftserverless/workgroup:Workgroup",
        "aws:sagemaker/pipeline:Pipeline",
        "aws:ssm/document:Document",
        "aws:ssmincidents/responsePlan:ResponsePlan",
    ),
    Part.PEOPLE: (
        *types.CHATBOTS,
        # Like an https subscription, it calls a server that is not AWS's.
        types.API_DESTINATION,
        "aws:devopsguru/notificationChannel:NotificationChannel",
        "aws:pinpoint/app:App",
        "aws:sns/platformApplication:PlatformApplication",
        "aws:ssmcontacts/contact:Contact",
        "aws:ssmcontacts/contactChannel:ContactChannel",
        "aws:ssmcontacts/plan:Plan",
        "aws:ssmincidents/replicationSet:ReplicationSet",
    ),
    Part.NOTHING: (
        types.KEY,
        types.KEY_ALIAS,
        "aws:appautoscaling/policy:Policy",
        "aws:appautoscaling/target:Target",
        "aws:autoscaling/group:Group",
        "aws:autoscaling/policy:Policy",
        "aws:cloudwatch/eventArchive:EventArchive",
        "aws:cloudwatch/eventConnection:EventConnection",
        "aws:cloudwatch/logDestination:LogDestination",
        "aws:cloudwatch/logStream:LogStream",
        "aws:docdb/cluster:Cluster",
        "aws:inspector/assessmentTemplate:AssessmentTemplate",
        "aws:mq/broker:Broker",
        "aws:msk/cluster:Cluster",
        "aws:msk/serverlessCluster:ServerlessCluster",
        "aws:opensearch/domain:Domain",
        "aws:rds/cluster:Cluster",
        "aws:rds/instance:Instance",
        "aws:sfn/activity:Activity",
        "aws:timestreamwrite/table:Table",
    ),
}

PARTS: Mapping[str, Part] = {type_: part for part, listed in _TYPES.items() for type_ in listed}
"""Type to what it is."""

APART = frozenset({Part.ACTS, Part.PEOPLE, Part.NOTHING})
"""What a reference may lead to without waking any function or state machine of the stack."""


def part_of(type_: str) -> Part | None:
    """Return what resources of a type are.

    None for a type that is not listed: a reference to it is seen and reported as such, it wakes nobody, and
    an unknown value that depends on it alone is not resolved by that.
    """
    return PARTS.get(type_)
