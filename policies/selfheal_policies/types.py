"""Types of resources, as Pulumi writes them, and what findings call them."""

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ALIAS = "aws:lambda/alias:Alias"
COMPOSITE_ALARM = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
EVENT_INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_SOURCE_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
KEY_ALIAS = "aws:kms/alias:Alias"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
PERMISSION = "aws:lambda/permission:Permission"
PIPE = "aws:pipes/pipe:Pipe"
POLICY = "aws:iam/policy:Policy"
POLICY_ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
QUEUE = "aws:sqs/queue:Queue"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY_ATTACHMENTS = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TABLE = "aws:dynamodb/table:Table"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"

FRAGILE_SERVICE = "selfheal:index:FragileService"
STACK = "pulumi:pulumi:Stack"

ALARMS = (ALARM, COMPOSITE_ALARM)
ACTORS = (FUNCTION, STATE_MACHINE)
"""What can change something when it is invoked: it runs under a role of its own."""

CHATBOTS = (
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
)
"""What shows the messages of topics in a chat channel."""

WORDS = {
    ALARM: "alarm",
    COMPOSITE_ALARM: "composite alarm",
    EVENT_RULE: "event rule",
    EVENT_SOURCE_MAPPING: "event source mapping",
    EVENT_TARGET: "event target",
    FUNCTION: "function",
    PERMISSION: "permission",
    QUEUE: "queue",
    STATE_MACHINE: "state machine",
    SUBSCRIPTION: "subscription",
    TABLE: "table",
    TOPIC: "topic",
}
"""What findings call a resource of a type; any other type is called by its token."""
