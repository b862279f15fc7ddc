"""SQS: queues, and the policies that are resources of their own."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import InputError
from selfheal.sandbox.provider.spec import FLAG, JSON, VALUE, Kind, Props, Spec, changed, values

# --- queues -------------------------------------------------------------------------------------------------

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
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
}
_FIFO = {"fifoQueue": "FifoQueue", "contentBasedDeduplication": "ContentBasedDeduplication"}
_FLAGS = {"sqsManagedSseEnabled": "SqsManagedSseEnabled", **_FIFO}
_ATTRIBUTES = _NUMBERS | _TEXTS | _FLAGS
_KINDS: dict[str, Kind] = {
    **values("name", *_NUMBERS, "sqsManagedSseEnabled", "kmsMasterKeyId"),
    **values("deduplicationScope", "fifoThroughputLimit"),
    **dict.fromkeys(_FIFO, FLAG),
    "policy": JSON,
    "redrivePolicy": JSON,
    "redriveAllowPolicy": JSON,
}


def _create(clients: Clients, inputs: Props) -> str:
    # CreateQueue refuses an existing name (QueueAlreadyExists) only if an attribute differs. Otherwise it
    # answers the URL of the existing queue, which the AWS provider then adopts.
    fifo = bool(inputs.get("fifoQueue"))
    if fifo != str(inputs["name"]).endswith(".fifo"):
        raise InputError(
            f"the name of a FIFO queue ends in .fifo, that of a standard queue does not; given were name "
            f"{inputs['name']!r} and fifoQueue {fifo}. Change one of them."
        )
    attributes = {
        theirs: _text(inputs[ours])
        for ours, theirs in _ATTRIBUTES.items()
        # AWS refuses FIFO attributes of a standard queue, false included.
        if ours in inputs and (fifo or ours not in _FIFO)
    }
    answer = clients.get("sqs").create_queue(QueueName=inputs["name"], Attributes=attributes)
    return str(answer["QueueUrl"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
    return {
        **{ours: int(live[theirs]) for ours, theirs in _NUMBERS.items() if live.get(theirs)},
        **{ours: live[theirs] for ours, theirs in _TEXTS.items() if live.get(theirs)},
        **{ours: live[theirs] == "true" for ours, theirs in _FLAGS.items() if theirs in live},
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
    replace=frozenset({"name", "fifoQueue"}),
    naming=lambda name, inputs: f"{name}.fifo" if inputs.get("fifoQueue") else name,
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

# --- policies of queues -------------------------------------------------------------------------------------


def _policy(property_: str, attribute: str) -> Spec:
    """Return the row of a type that is one attribute of a queue."""

    def put(clients: Clients, url: str, value: str) -> str:
        clients.get("sqs").set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
        return url

    def read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
        answer = clients.get("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=[attribute])
        live = answer.get("Attributes", {}).get(attribute)
        return {"queueUrl": id_, property_: live} if live else None

    return Spec(
        inputs={"queueUrl": VALUE, property_: JSON},
        required=frozenset({"queueUrl", property_}),
        identity=frozenset({"queueUrl"}),
        replace=frozenset({"queueUrl"}),
        # SetQueueAttributes replaces what is there; the AWS provider creates with it as well.
        create=lambda clients, inputs: put(clients, str(inputs["queueUrl"]), inputs[property_]),
        read=read,
        update=lambda clients, id_, _old, new: put(clients, id_, new[property_]),
        delete=lambda clients, id_, _: put(clients, id_, ""),
    )


QUEUE_POLICY = _policy("policy", "Policy")
REDRIVE_ALLOW_POLICY = _policy("redriveAllowPolicy", "RedriveAllowPolicy")
