"""EventBridge: rules and their targets."""

from typing import Any

from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import gone_is_fine, or_none
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import JSON, LOCAL, MAP, Props, Spec, values

_GONE = "ResourceNotFoundException"

# --- rules --------------------------------------------------------------------------------------------------

_RULE = same_names(
    "name", "description", "eventBusName", "eventPattern", "roleArn", "scheduleExpression", "state"
)


def _put_rule(clients: Clients, inputs: Props) -> str:
    # No refusal of a name that is taken: PutRule replaces, and the AWS provider creates with it.
    clients.get("events").put_rule(**to_aws(inputs, _RULE))
    return _in_bus(inputs, str(inputs["name"]))


def _read_rule(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("events")
    live = or_none(_GONE, lambda: api.describe_rule(Name=inputs["name"], EventBusName=_bus(inputs)))
    if live is None:
        return None
    return {**from_aws(live, _RULE), "eventBusName": _bus(inputs), "arn": live["Arn"]}


def _update_rule(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    _put_rule(clients, new)


def _delete_rule(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    api = clients.get("events")
    force = bool(inputs.get("forceDestroy"))
    with gone_is_fine(_GONE):
        api.delete_rule(Name=inputs["name"], EventBusName=_bus(inputs), Force=force)


def _bus(inputs: Props) -> str:
    return str(inputs.get("eventBusName") or "default")


def _in_bus(inputs: Props, name: str) -> str:
    return name if _bus(inputs) == "default" else f"{_bus(inputs)}/{name}"


EVENT_RULE = Spec(
    inputs={
        **values("name", "description", "eventBusName", "roleArn", "scheduleExpression", "state"),
        "eventPattern": JSON,
        "forceDestroy": LOCAL,
    },
    computed=frozenset({"arn"}),
    name="name",
    name_limit=64,
    identity=frozenset({"name", "eventBusName"}),
    replace=frozenset({"name", "eventBusName"}),
    defaults={"eventBusName": "default", "forceDestroy": False},
    import_id=ImportId(("{eventBusName}/{name}", "{name}")),
    unset={"state": "ENABLED"},
    create=_put_rule,
    read=_read_rule,
    update=_update_rule,
    delete=_delete_rule,
)

# --- targets ------------------------------------------------------------------------------------------------

_TARGET = {
    **same_names("arn", "input", "inputPath", "roleArn", "deadLetterConfig", "retryPolicy"),
    "targetId": "Id",
}


def _put_target(clients: Clients, inputs: Props) -> str:
    # No refusal of an id that is taken: PutTargets replaces, and the AWS provider creates with it.
    target = to_aws(inputs, _TARGET)
    transformer = inputs.get("inputTransformer")
    if transformer:
        target["InputTransformer"] = {
            "InputPathsMap": transformer.get("inputPaths") or {},
            "InputTemplate": transformer["inputTemplate"],
        }
    answer = clients.get("events").put_targets(
        Rule=inputs["rule"], EventBusName=_bus(inputs), Targets=[target]
    )
    _refuse_failures(answer, "PutTargets")
    return f"{_in_bus(inputs, inputs['rule'])}-{inputs['targetId']}"


def _read_target(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("events")
    where = {"Rule": inputs["rule"], "EventBusName": _bus(inputs)}
    answer = or_none(_GONE, lambda: api.list_targets_by_rule(**where))
    targets: list[dict[str, Any]] = answer["Targets"] if answer else []
    live = next((t for t in targets if t["Id"] == inputs["targetId"]), None)
    if live is None:
        return None
    result = {**from_aws(live, _TARGET), "rule": inputs["rule"], "eventBusName": _bus(inputs)}
    if "InputTransformer" in live:
        result["inputTransformer"] = {
            "inputPaths": live["InputTransformer"].get("InputPathsMap", {}),
            "inputTemplate": live["InputTransformer"]["InputTemplate"],
        }
    return result


def _update_target(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    _put_target(clients, new)


def _delete_target(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    with gone_is_fine(_GONE):
        answer = clients.get("events").remove_targets(
            Rule=inputs["rule"], EventBusName=_bus(inputs), Ids=[inputs["targetId"]]
        )
        _refuse_failures(answer, "RemoveTargets")


def _refuse_failures(answer: dict[str, Any], operation: str) -> None:
    """Raise what these calls report inside a successful answer."""
    for entry in answer.get("FailedEntries", []):
        if entry.get("ErrorCode") != _GONE:
            error = {"Code": str(entry.get("ErrorCode")), "Message": str(entry.get("ErrorMessage"))}
            raise ClientError({"Error": error}, operation)


EVENT_TARGET = Spec(
    inputs={
        **values("rule", "arn", "targetId", "eventBusName", "inputPath", "roleArn"),
        "input": JSON,
        "inputTransformer": {"inputPaths": MAP, "inputTemplate": JSON},
        "deadLetterConfig": values("arn"),
        "retryPolicy": values("maximumEventAgeInSeconds", "maximumRetryAttempts"),
        "forceDestroy": LOCAL,
    },
    required=frozenset({"rule", "arn"}),
    # The AWS provider makes an id from the time when it creates; one like every other name is as good.
    name="targetId",
    name_limit=64,
    identity=frozenset({"rule", "targetId", "eventBusName"}),
    replace=frozenset({"rule", "targetId", "eventBusName"}),
    defaults={"eventBusName": "default", "forceDestroy": False},
    import_id=ImportId(("{eventBusName}/{rule}/{targetId}", "{rule}/{targetId}"), id="{rule}-{targetId}"),
    create=_put_target,
    read=_read_target,
    update=_update_target,
    delete=_delete_target,
)
