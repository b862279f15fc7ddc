"""Step Functions: state machines."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.spec import FLAG, JSON, Props, Spec, values

_NAMES = ("name", "definition", "roleArn", "type")
_ENCRYPTION = ("type", "kmsKeyId", "kmsDataKeyReusePeriodSeconds")


def _arguments(inputs: Props) -> dict[str, Any]:
    """Return what both calls take: settings that the program does not set have AWS's defaults."""
    logs = inputs.get("loggingConfiguration") or {}
    settings: dict[str, Any] = {
        "level": logs.get("level", "OFF"),
        "includeExecutionData": bool(logs.get("includeExecutionData")),
    }
    if logs.get("logDestination"):
        settings["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": logs["logDestination"]}}]
    encryption = inputs.get("encryptionConfiguration") or {"type": "AWS_OWNED_KEY"}
    return {
        "definition": inputs["definition"],
        "roleArn": inputs["roleArn"],
        "loggingConfiguration": settings,
        "encryptionConfiguration": encryption,
        "tracingConfiguration": {"enabled": bool((inputs.get("tracingConfiguration") or {}).get("enabled"))},
    }


def _create(clients: Clients, inputs: Props) -> str:
    # CreateStateMachine answers an equal state machine of this name, which the AWS provider then adopts.
    answer = clients.get("stepfunctions").create_state_machine(
        name=inputs["name"], type=inputs["type"], **_arguments(inputs)
    )
    return str(answer["stateMachineArn"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:
    live = clients.get("stepfunctions").describe_state_machine(stateMachineArn=id_)
    if live["status"] == "DELETING":
        return None
    logs = live.get("loggingConfiguration") or {}
    groups = [found["cloudWatchLogsLogGroup"]["logGroupArn"] for found in logs.get("destinations", [])]
    encryption = live.get("encryptionConfiguration") or {}
    # The emulator forgets it.
    tracing = live.get("tracingConfiguration") or inputs.get("tracingConfiguration")
    return {
        **{key: live[key] for key in (*_NAMES, "revisionId", "status") if live.get(key) is not None},
        "loggingConfiguration": {
            "level": logs.get("level", "OFF"),
            "includeExecutionData": bool(logs.get("includeExecutionData")),
            **({"logDestination": groups[0]} if groups else {}),
        },
        "encryptionConfiguration": {key: encryption[key] for key in _ENCRYPTION if key in encryption},
        **({"tracingConfiguration": tracing} if tracing else {}),
        "arn": id_,
        "creationDate": live["creationDate"].isoformat(),
    }


STATE_MACHINE = Spec(
    inputs={
        **values("name", "roleArn", "type"),
        "definition": JSON,
        "encryptionConfiguration": values(*_ENCRYPTION),
        "loggingConfiguration": {**values("level", "logDestination"), "includeExecutionData": FLAG},
        "tracingConfiguration": {"enabled": FLAG},
    },
    required=frozenset({"definition", "roleArn"}),
    computed=frozenset({"arn", "creationDate", "revisionId", "status"}),
    name="name",
    name_limit=80,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "type"}),
    defaults={"type": "STANDARD"},
    unset={
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
    },
    recomputed={
        "revisionId": frozenset({"definition", "roleArn"})
        | {"encryptionConfiguration", "loggingConfiguration", "tracingConfiguration"}
    },
    create=_create,
    read=_read,
    update=lambda clients, id_, _old, new: clients.get("stepfunctions").update_state_machine(
        stateMachineArn=id_, **_arguments(new)
    ),
    delete=lambda clients, id_, _: clients.get("stepfunctions").delete_state_machine(stateMachineArn=id_),
)
