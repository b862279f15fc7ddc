"""Lambda: event source mappings of SQS queues, Kinesis streams and DynamoDB streams."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider.calls import refused, retried
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import FLAG, JSON, VALUE, Props, Spec, changed, values

_CHANGING = "ResourceInUseException"
"""The error code while an earlier change of the mapping is in progress."""

_QUEUES = same_names("scalingConfig")
"""What only a mapping of a queue has."""

_STREAMS = same_names(
    "bisectBatchOnFunctionError",
    "destinationConfig",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "parallelizationFactor",
)
"""What only a mapping of a stream has, beside its starting position."""

_SETTINGS = (
    same_names(
        "batchSize",
        "filterCriteria",
        "functionResponseTypes",
        "maximumBatchingWindowInSeconds",
        "metricsConfig",
    )
    | _QUEUES
    | _STREAMS
)
_CHANGEABLE = _SETTINGS | same_names("functionName", "enabled")
_STREAM_BATCH = 100
_EMPTIED: Props = {
    "BatchSize": 10,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {},
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "MetricsConfig": {"Metrics": []},
    "ParallelizationFactor": 1,
    "ScalingConfig": {},
}
"""Values that reset a setting to AWS's default when the program no longer sets it. Streams have another
`BatchSize`."""

_COMPUTED = same_names(
    "functionArn", "lastProcessingResult", "state", "stateTransitionReason", "eventSourceArn"
) | {"uuid": "UUID", "arn": "EventSourceMappingArn"}


def _create(clients: Clients, inputs: Props) -> str:
    source = str(inputs["eventSourceArn"])
    _check_source(source, inputs)
    api = clients.get("lambda")
    existing = _existing(api, inputs)
    if existing is not None:  # the emulator would create a second one
        raise refused(
            "CreateEventSourceMapping",
            "ResourceConflictException",
            f"An event source mapping with {'SQS' if _is_queue(source) else 'event source'} arn "
            f'(" {source} ") and function (" {inputs["functionName"]} ") already exists. Please update or '
            f"delete the existing mapping with UUID {existing}",
        )
    fields = _CHANGEABLE | same_names("eventSourceArn", "startingPosition")
    arguments = to_aws(_destination(inputs, "destination"), fields)
    if not _is_queue(source):  # the emulator would take 10
        arguments.setdefault("BatchSize", _STREAM_BATCH)
    return str(api.create_event_source_mapping(**arguments)["UUID"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:
    live = clients.get("lambda").get_event_source_mapping(UUID=id_)
    if live["State"] == "Deleting":
        return None
    arn = live["FunctionArn"]
    name = inputs.get("functionName") or arn.rsplit(":function:", 1)[-1]
    found = from_aws(live, _SETTINGS | _COMPUTED | same_names("startingPosition"))
    return {
        # The emulator forgets which metrics were asked for.
        **({"metricsConfig": inputs["metricsConfig"]} if inputs.get("metricsConfig") else {}),
        **_destination(found, "destinationArn"),
        # AWS returns the ARN, whichever form was given.
        "functionName": name if _same_function(name, arn) else arn,
        "enabled": live["State"] not in {"Disabled", "Disabling"},
        "lastModified": live["LastModified"].isoformat(),
    }


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    # Only differences are sent, so that a paused mapping stays paused when its batch size changes.
    differs = set(changed(MAPPING.inputs, old, new)) & _CHANGEABLE.keys()
    names = {ours: theirs for ours, theirs in _CHANGEABLE.items() if ours in differs}
    queue = _is_queue(str(new["eventSourceArn"]))
    emptied = _EMPTIED if queue else {**_EMPTIED, "BatchSize": _STREAM_BATCH}
    _check_source(str(new["eventSourceArn"]), new)
    arguments = {
        **{names[key]: emptied[names[key]] for key in differs - new.keys()},
        **to_aws(_destination(new, "destination"), names),
    }
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


def _check_source(source: str, inputs: Props) -> None:
    """Refuse another kind of source, and settings that AWS has for the other kind only."""
    queue = _is_queue(source)
    if not queue and not any(service in source for service in (":kinesis:", ":dynamodb:")):
        raise ProviderError(
            "eventSourceArn must be the ARN of an SQS queue, a Kinesis stream or a DynamoDB stream; given "
            f"was {source}. Use one of these, or the real AWS provider."
        )
    if not queue and not inputs.get("startingPosition"):
        raise ProviderError(
            f"startingPosition is needed for a stream; given was none for {source}. Set it to LATEST or "
            "TRIM_HORIZON."
        )
    others = {*_STREAMS, "startingPosition"} if queue else set(_QUEUES)
    wrong = sorted(key for key in others if inputs.get(key) is not None and inputs[key] is not False)
    if wrong:  # the emulator would accept most of them
        raise ProviderError(
            f"{', '.join(wrong)}: AWS has this for {'streams' if queue else 'queues'} only; given was "
            f"eventSourceArn {source}. Leave it out."
        )


def _is_queue(source: str) -> bool:
    return ":sqs:" in source


def _destination(settings: Props, name: str) -> Props:
    """Return settings in which the place for failures has this name: Pulumi's differs from AWS's."""
    places: Props = settings.get("destinationConfig") or {}
    where = places.get("onFailure") or {}
    if not where:
        return {key: value for key, value in settings.items() if key != "destinationConfig"}
    return {**settings, "destinationConfig": {"onFailure": {name: next(iter(where.values()))}}}


def _same_function(name: str, arn: str) -> bool:
    """Return whether a name, name:alias or ARN identifies the same function as an ARN."""
    return name.rsplit(":function:", 1)[-1] == arn.rsplit(":function:", 1)[-1]


MAPPING = Spec(
    inputs={
        **values("eventSourceArn", "functionName", "enabled", "batchSize", "maximumBatchingWindowInSeconds"),
        "functionResponseTypes": [VALUE],
        "scalingConfig": values("maximumConcurrency"),
        "filterCriteria": {"filters": [{"pattern": JSON}]},
        "metricsConfig": {"metrics": [VALUE]},
        **values("startingPosition", "maximumRecordAgeInSeconds", "maximumRetryAttempts"),
        "parallelizationFactor": VALUE,
        "bisectBatchOnFunctionError": FLAG,
        "destinationConfig": {"onFailure": values("destinationArn")},
    },
    required=frozenset({"eventSourceArn", "functionName"}),
    computed=frozenset(
        {"arn", "functionArn", "uuid", "state", "stateTransitionReason"}
        | {"lastModified", "lastProcessingResult"}
    ),
    identity=frozenset({"eventSourceArn", "functionName"}),
    replace=frozenset({"eventSourceArn", "startingPosition"}),
    defaults={"enabled": True},
    recomputed={
        "functionArn": frozenset({"functionName"}),
        "lastModified": frozenset(_CHANGEABLE),
        "state": frozenset({"enabled"}),
    },
    unset={
        "batchSize": 10,
        "maximumBatchingWindowInSeconds": 0,
        "maximumRecordAgeInSeconds": -1,
        "maximumRetryAttempts": -1,
        "parallelizationFactor": 1,
    },
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
