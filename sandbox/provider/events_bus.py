"""EventBridge: event buses and archives."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import JSON, Props, Spec, values

_BY_NAME = ImportId(("{name}",), id="{name}")

# --- buses --------------------------------------------------------------------------------------------------

_BUS = same_names("name", "description", "deadLetterConfig", "kmsKeyIdentifier")
_BUS_EMPTIED: dict[str, Any] = {"Description": "", "DeadLetterConfig": {}, "KmsKeyIdentifier": ""}


def _create_bus(clients: Clients, inputs: Props) -> str:
    clients.get("events").create_event_bus(**to_aws(inputs, _BUS))
    return str(inputs["name"])


def _read_bus(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("events").describe_event_bus(Name=inputs["name"])
    return from_aws(live, {**_BUS, "arn": "Arn"})


EVENT_BUS = Spec(
    inputs={
        **values("name", "description", "kmsKeyIdentifier"),
        "deadLetterConfig": values("arn"),
    },
    computed=frozenset({"arn"}),
    name="name",
    name_limit=256,
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    import_id=_BY_NAME,
    create=_create_bus,
    read=_read_bus,
    update=lambda clients, _id, _old, new: clients.get("events").update_event_bus(
        **{**_BUS_EMPTIED, **to_aws(new, _BUS)}
    ),
    delete=lambda clients, _, inputs: clients.get("events").delete_event_bus(Name=inputs["name"]),
)

# --- archives -----------------------------------------------------------------------------------------------

_ARCHIVE = {
    **same_names("description", "eventPattern", "eventSourceArn", "kmsKeyIdentifier", "retentionDays"),
    "name": "ArchiveName",
}
_ARCHIVE_EMPTIED: dict[str, Any] = {"Description": "", "EventPattern": "", "KmsKeyIdentifier": ""}


def _create_archive(clients: Clients, inputs: Props) -> str:
    clients.get("events").create_archive(**to_aws(inputs, _ARCHIVE))
    return str(inputs["name"])


def _read_archive(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("events").describe_archive(ArchiveName=inputs["name"])
    return from_aws(live, {**_ARCHIVE, "arn": "ArchiveArn"})


def _update_archive(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    arguments = {**_ARCHIVE_EMPTIED, "RetentionDays": 0, **to_aws(new, _ARCHIVE)}
    del arguments["EventSourceArn"]
    clients.get("events").update_archive(**arguments)


EVENT_ARCHIVE = Spec(
    inputs={
        **values("name", "description", "eventSourceArn", "kmsKeyIdentifier", "retentionDays"),
        "eventPattern": JSON,
    },
    required=frozenset({"eventSourceArn"}),
    computed=frozenset({"arn"}),
    name="name",
    name_limit=48,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "eventSourceArn"}),
    defaults={"retentionDays": 0},
    import_id=_BY_NAME,
    create=_create_archive,
    read=_read_archive,
    update=_update_archive,
    delete=lambda clients, _, inputs: clients.get("events").delete_archive(ArchiveName=inputs["name"]),
)
