"""Lambda: event source mappings of SQS queues."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider.calls import refused, retried
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import JSON, VALUE, Props, Spec, changed, values

_CHANGING = "ResourceInUseException"
"""The error code while an earlier change of the mapping is in progress."""

_SETTINGS = same_names(
    "batchSize",
    "filterCriteria",
    "functionResponseTypes",
    "maximumBatchingWindowInSeconds",
    "scalingConfig",
)
_CHANGEABLE = _SETTINGS | same_names("functionName", "enabled")
_EMPTIED: Props = {
    "BatchSize": 10,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}
"""Values that reset a setting to AWS's default when the program no longer sets it."""

_COMPUTED = same_names(
    "functionArn", "lastProcessingResult", "state", "stateTransitionReason", "eventSourceArn"
) | {"uuid": "UUID", "arn": "EventSourceMappingArn"}


def _create(clients: Clients, inputs: Props) -> str:
    source = inputs["eventSourceArn"]
    if ":sqs:" not in source:
        raise ProviderError(
            f"eventSourceArn must be the ARN of an SQS queue; given was {source}. The emulator's streams do "
            "not behave as AWS's do: use a queue, or the real AWS provider."
        )
    api = clients.get("lambda")
    existing = _existing(api, inputs)
    if existing is not None:  # the emulator would create a second one
        raise refused(
            "CreateEventSourceMapping",
            "ResourceConflictException",
            f'An event source mapping with SQS arn (" {source} ") and function '
            f'(" {inputs["functionName"]} ") already exists. Please update or delete the existing mapping '
            f"with UUID {existing}",
        )
    arguments = to_aws(inputs, _CHANGEABLE | same_names("eventSourceArn"))
    return str(api.create_event_source_mapping(**arguments)["UUID"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:
    live = clients.get("lambda").get_event_source_mapping(UUID=id_)
    if live["State"] == "Deleting":
        return None
    arn = live["FunctionArn"]
    name = inputs.get("functionName") or arn.rsplit(":function:", 1)[-1]
    return {
        **from_aws(live, _SETTINGS | _COMPUTED),
        # AWS returns the ARN, whichever form was given.
        "functionName": name if _same_function(name, arn) else arn,
        "enabled": live["State"] not in {"Disabled", "Disabling"},
        "lastModified": live["LastModified"].isoformat(),
    }


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    # Only differences are sent, so that a paused mapping stays paused when its batch size changes.
    differs = set(changed(MAPPING.inputs, old, new)) & _CHANGEABLE.keys()
    names = {ours: theirs for ours, theirs in _CHANGEABLE.items() if ours in differs}
    arguments = {**{names[key]: _EMPTIED[names[key]] for key in differs - new.keys()}, **to_aws(new, names)}
    api = clients.get("lambda")
    if arguments:
        retried(lambda: api.update_event_source_mapping(UUID=id_, **arguments), _CHANGING)


def _delete(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    api = clients.get("lambda")
    retried(lambda: api.delete_event_source_mapping(UUID=id_), _CHANGING)


def _existing(api: Any, inputs: Props) -> str | None:
    """Return the UUID of the mapping between this queue and function, of which AWS allows one."""
    pages = api.get_paginator("list_event_source_mappings").paginate(EventSourceArn=inputs["eventSourceArn"])
    found = [
        mapping["UUID"]
        for page in pages
        for mapping in page["EventSourceMappings"]
        if mapping["State"] != "Deleting" and _same_function(inputs["functionName"], mapping["FunctionArn"])
    ]
    return str(found[0]) if found else None


def _same_function(name: str, arn: str) -> bool:
    """Return whether a name, name:alias or ARN identifies the same function as an ARN."""
    return name.rsplit(":function:", 1)[-1] == arn.rsplit(":function:", 1)[-1]


MAPPING = Spec(
    inputs={
        **values("eventSourceArn", "functionName", "enabled", "batchSize", "maximumBatchingWindowInSeconds"),
        "functionResponseTypes": [VALUE],
        "scalingConfig": values("maximumConcurrency"),
        "filterCriteria": {"filters": [{"pattern": JSON}]},
    },
    required=frozenset({"eventSourceArn", "functionName"}),
    computed=frozenset(
        {"arn", "functionArn", "uuid", "state", "stateTransitionReason"}
        | {"lastModified", "lastProcessingResult"}
    ),
    identity=frozenset({"eventSourceArn", "functionName"}),
    replace=frozenset({"eventSourceArn"}),
    defaults={"enabled": True},
    recomputed={
        "functionArn": frozenset({"functionName"}),
        "lastModified": frozenset(_CHANGEABLE),
        "state": frozenset({"enabled"}),
    },
    unset={"batchSize": 10, "maximumBatchingWindowInSeconds": 0},
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
