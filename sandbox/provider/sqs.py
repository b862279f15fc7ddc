"""SQS: standard queues."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.spec import JSON, Kind, Props, Spec, changed, values

_NUMBERS = {
    "delaySeconds": "DelaySeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
}
_TEXTS = {
    "policy": "Policy",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "kmsMasterKeyId": "KmsMasterKeyId",
}
_SSE = {"sqsManagedSseEnabled": "SqsManagedSseEnabled"}
_ATTRIBUTES = _NUMBERS | _TEXTS | _SSE
_KINDS: dict[str, Kind] = {
    **values("name", *_NUMBERS, *_SSE, "kmsMasterKeyId"),
    "policy": JSON,
    "redrivePolicy": JSON,
    "redriveAllowPolicy": JSON,
}


def _create(clients: Clients, inputs: Props) -> str:
    # CreateQueue refuses an existing name (QueueAlreadyExists) only if an attribute differs. Otherwise it
    # answers the URL of the existing queue, which the AWS provider then adopts.
    attributes = {theirs: _text(inputs[ours]) for ours, theirs in _ATTRIBUTES.items() if ours in inputs}
    answer = clients.get("sqs").create_queue(QueueName=inputs["name"], Attributes=attributes)
    return str(answer["QueueUrl"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
    return {
        **{ours: int(live[theirs]) for ours, theirs in _NUMBERS.items() if live.get(theirs)},
        **{ours: live[theirs] for ours, theirs in _TEXTS.items() if live.get(theirs)},
        **{ours: live[theirs] == "true" for ours, theirs in _SSE.items() if theirs in live},
        "name": live["QueueArn"].rsplit(":", 1)[-1],
        "arn": live["QueueArn"],
        "url": id_,
    }


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    differs = [key for key in changed(_KINDS, old, new) if key in _ATTRIBUTES]
    if differs:
        # An empty text takes an attribute away.
        attributes = {_ATTRIBUTES[key]: _text(new.get(key)) for key in differs}
        clients.get("sqs").set_queue_attributes(QueueUrl=id_, Attributes=attributes)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


QUEUE = Spec(
    inputs=_KINDS,
    computed=frozenset({"arn", "url"}),
    name="name",
    name_limit=80,
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    defaults={
        "delaySeconds": 0,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    },
    unset={"kmsDataKeyReusePeriodSeconds": 300, "maxMessageSize": 1048576, "sqsManagedSseEnabled": True},
    create=_create,
    read=_read,
    update=_update,
    delete=lambda clients, id_, _: clients.get("sqs").delete_queue(QueueUrl=id_),
)
