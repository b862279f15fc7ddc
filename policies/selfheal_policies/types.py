"""Types of resources, as Pulumi writes them, and what findings call them."""

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ALIAS = "aws:lambda/alias:Alias"
API_DESTINATION = "aws:cloudwatch/eventApiDestination:EventApiDestination"
API_INTEGRATION = "aws:apigateway/integration:Integration"
API_METHOD = "aws:apigateway/method:Method"
API_STAGE = "aws:apigateway/stage:Stage"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUILD = "aws:codebuild/project:Project"
CLUSTER = "aws:ecs/cluster:Cluster"
COMPOSITE_ALARM = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
DELIVERY_STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
EVENT_BUS_POLICY = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
EVENT_INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
EVENT_PERMISSION = "aws:cloudwatch/eventPermission:EventPermission"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_SOURCE_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
EXPERIMENT = "aws:fis/experimentTemplate:ExperimentTemplate"
FUNCTION = "aws:lambda/function:Function"
FUNCTION_POLICY = "aws:lambda/resourcePolicy:ResourcePolicy"
FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
GRAPHQL_SOURCE = "aws:appsync/dataSource:DataSource"
HTTP_API = "aws:apigatewayv2/api:Api"
HTTP_API_INTEGRATION = "aws:apigatewayv2/integration:Integration"
GROUP_POLICY = "aws:iam/groupPolicy:GroupPolicy"
HTTP_API_STAGE = "aws:apigatewayv2/stage:Stage"
JOB_QUEUE = "aws:batch/jobQueue:JobQueue"
KEY = "aws:kms/key:Key"
KEY_EXTERNAL = "aws:kms/externalKey:ExternalKey"
KEY_REPLICA = "aws:kms/replicaKey:ReplicaKey"
KEY_ALIAS = "aws:kms/alias:Alias"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
LOG_ALARM = "aws:cloudwatch/logAlarm:LogAlarm"
"""CloudWatch's third type of alarm (PutLogAlarm), as the provider would call its resource."""
LOG_METRIC_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
MUTE_RULE = "aws:cloudwatch/alarmMuteRule:AlarmMuteRule"
LOG_SUBSCRIPTION = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
MACHINE_ALIAS = "aws:sfn/alias:Alias"
PERMISSION = "aws:lambda/permission:Permission"
PIPE = "aws:pipes/pipe:Pipe"
PIPELINE = "aws:codepipeline/pipeline:Pipeline"
POLICY = "aws:iam/policy:Policy"
POLICY_ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
RECURSION = "aws:lambda/functionRecursionConfig:FunctionRecursionConfig"
REDRIVE_POLICY = "aws:sqs/redrivePolicy:RedrivePolicy"
REDSHIFT = "aws:redshift/cluster:Cluster"
RESPONSE_PLAN = "aws:ssmincidents/responsePlan:ResponsePlan"
REST_API = "aws:apigateway/restApi:RestApi"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE_POLICIES = "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive"
ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY_ATTACHMENTS = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
SCHEDULE = "aws:scheduler/schedule:Schedule"
SSM_DOCUMENT = "aws:ssm/document:Document"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
STREAM = "aws:kinesis/stream:Stream"
STREAM_OF_TABLE = "aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination"
STREAM_CONSUMER = "aws:kinesis/streamConsumer:StreamConsumer"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TABLE = "aws:dynamodb/table:Table"
TABLE_ITEM = "aws:dynamodb/tableItem:TableItem"
TABLE_RESOURCE_POLICY = "aws:dynamodb/resourcePolicy:ResourcePolicy"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
USER_POLICY = "aws:iam/userPolicy:UserPolicy"
WORKFLOW = "aws:glue/workflow:Workflow"

FRAGILE_SERVICE = "selfheal:index:FragileService"
STACK = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"

ALARMS = (ALARM, COMPOSITE_ALARM, LOG_ALARM)
ACTORS = (FUNCTION, STATE_MACHINE)
"""What can change something when it is invoked: it runs under a role of its own."""

CHATBOTS = (
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
)
"""What shows the messages of topics in a chat channel."""

VALUES = frozenset(
    {
        "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:ssm/parameter:Parameter",
    }
)
"""What holds any value: a property that comes from one of these may be anything."""

WORDS = {
    ALARM: "alarm",
    LOG_ALARM: "log alarm",
    LOG_GROUP: "log group",
    MUTE_RULE: "mute rule",
    PIPE: "pipe",
    API_METHOD: "method",
    API_STAGE: "API stage",
    BUCKET: "bucket",
    COMPOSITE_ALARM: "composite alarm",
    DELIVERY_STREAM: "delivery stream",
    DISTRIBUTION: "distribution",
    EVENT_BUS: "event bus",
    EVENT_INVOKE_CONFIG: "event invoke config",
    EVENT_RULE: "event rule",
    EVENT_SOURCE_MAPPING: "event source mapping",
    EVENT_TARGET: "event target",
    EXPERIMENT: "experiment template",
    FUNCTION: "function",
    FUNCTION_POLICY: "resource policy",
    FUNCTION_URL: "function URL",
    PERMISSION: "permission",
    HTTP_API_STAGE: "API stage",
    POLICY: "policy",
    QUEUE: "queue",
    QUEUE_POLICY: "queue policy",
    ROLE: "role",
    ROLE_POLICY: "policy",
    ROLE_POLICY_ATTACHMENT: "policy attachment",
    SCHEDULE: "schedule",
    STATE_MACHINE: "state machine",
    SUBSCRIPTION: "subscription",
    TABLE: "table",
    TASK_DEFINITION: "task definition",
    TOPIC: "topic",
    TOPIC_POLICY: "topic policy",
}
"""What findings call a resource of a type; any other type is called by its token."""
