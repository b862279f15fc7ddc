"""EventBridge: rules and their targets."""

from collections.abc import Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import refused
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import JSON, LOCAL, MAP, Props, Spec, values

# --- rules --------------------------------------------------------------------------------------------------

_RULE = same_names(
    "name", "description", "eventBusName", "eventPattern", "roleArn", "scheduleExpression", "state"
)


def _put_rule(clients: Clients, inputs: Props) -> str:
    # PutRule replaces a rule of the same name; the AWS provider creates with it as well.
    clients.get("events").put_rule(**to_aws(inputs, _RULE))
    return _in_bus(inputs, str(inputs["name"]))


def _read_rule(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("events").describe_rule(Name=inputs["name"], EventBusName=_bus(inputs))
    return {**from_aws(live, _RULE), "eventBusName": _bus(inputs), "arn": live["Arn"]}


def _bus(inputs: Mapping[str, Any]) -> str:
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
    update=lambda clients, _id, _old, new: _put_rule(clients, new),
    delete=lambda clients, _, inputs: clients.get("events").delete_rule(
        Name=inputs["name"], EventBusName=_bus(inputs), Force=bool(inputs.get("forceDestroy"))
    ),
)

# --- targets ------------------------------------------------------------------------------------------------

_TARGET = {
    **same_names("arn", "input", "inputPath", "roleArn", "deadLetterConfig", "retryPolicy"),
    "targetId": "Id",
    "kinesisTarget": "KinesisParameters",
    "sqsTarget": "SqsParameters",
}


def _put_target(clients: Clients, inputs: Props) -> str:
    # PutTargets replaces a target of the same id; the AWS provider creates with it as well.
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
    _raise_failures(answer, "PutTargets")
    return _target_id(inputs)


def _target_id(properties: Mapping[str, Any]) -> str:
    """Return the id as the AWS provider makes it."""
    bus = _bus(properties)
    return f"{'' if bus == 'default' else f'{bus}-'}{properties['rule']}-{properties['targetId']}"


def _read_target(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    answer = clients.get("events").list_targets_by_rule(Rule=inputs["rule"], EventBusName=_bus(inputs))
    live = next((t for t in answer["Targets"] if t["Id"] == inputs["targetId"]), None)
    if live is None:
        return None
    result = {**from_aws(live, _TARGET), "rule": inputs["rule"], "eventBusName": _bus(inputs)}
    if "InputTransformer" in live:
        result["inputTransformer"] = {
            "inputPaths": live["InputTransformer"].get("InputPathsMap", {}),
            "inputTemplate": live["InputTransformer"]["InputTemplate"],
        }
    return result


def _delete_target(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    answer = clients.get("events").remove_targets(
        Rule=inputs["rule"], EventBusName=_bus(inputs), Ids=[inputs["targetId"]]
    )
    _raise_failures(answer, "RemoveTargets")


def _raise_failures(answer: dict[str, Any], operation: str) -> None:
    """Raise the errors that these calls report inside a successful answer."""
    for entry in answer.get("FailedEntries", []):
        raise refused(operation, str(entry.get("ErrorCode")), str(entry.get("ErrorMessage")))


EVENT_TARGET = Spec(
    inputs={
        **values("rule", "arn", "targetId", "eventBusName", "inputPath", "roleArn"),
        "input": JSON,
        "inputTransformer": {"inputPaths": MAP, "inputTemplate": JSON},
        "deadLetterConfig": values("arn"),
        "retryPolicy": values("maximumEventAgeInSeconds", "maximumRetryAttempts"),
        "kinesisTarget": values("partitionKeyPath"),
        "sqsTarget": values("messageGroupId"),
        "forceDestroy": LOCAL,
    },
    required=frozenset({"rule", "arn"}),
    # The AWS provider generates an id from the time; here it is an automatic name like all others.
    name="targetId",
    name_limit=64,
    identity=frozenset({"rule", "targetId", "eventBusName"}),
    replace=frozenset({"rule", "targetId", "eventBusName"}),
    defaults={"eventBusName": "default", "forceDestroy": False},
    import_id=ImportId(("{eventBusName}/{rule}/{targetId}", "{rule}/{targetId}"), id=_target_id),
    create=_put_target,
    read=_read_target,
    update=lambda clients, _id, _old, new: _put_target(clients, new),
    delete=_delete_target,
)
