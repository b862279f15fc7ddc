"""How findings name what they are about."""

from selfheal_policies.resources import Resource

_TYPES = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "composite alarm",
    "aws:cloudwatch/eventRule:EventRule": "event rule",
    "aws:cloudwatch/eventTarget:EventTarget": "event target",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarm",
    "aws:dynamodb/table:Table": "table",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "event source mapping",
    "aws:lambda/function:Function": "function",
    "aws:lambda/permission:Permission": "permission",
    "aws:sfn/stateMachine:StateMachine": "state machine",
    "aws:sns/topic:Topic": "topic",
    "aws:sns/topicSubscription:TopicSubscription": "subscription",
    "aws:sqs/queue:Queue": "queue",
}


def named(resource: Resource) -> str:
    """Return "alarm orders-errors": what it is, and its name in the program."""
    return f"{_TYPES.get(resource.type, resource.type)} {resource.name}"


def listed(names: "list[str] | set[str] | frozenset[str]") -> str:
    """Return names in order, separated by commas; "none" if there are none."""
    return ", ".join(sorted(names)) or "none"
