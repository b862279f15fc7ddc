"""AWS Fault Injection Service: experiment templates.

AWS has objects by name where the AWS provider has sets of objects with a name.
"""

from collections.abc import Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.names import found, given
from selfheal.sandbox.provider.spec import MAP, VALUE, Kind, Props, Spec, values, whole_numbers

_PAIR: dict[str, Kind] = values("key", "value")
_SAME = ("description", "roleArn", "stopConditions", "experimentOptions")
_TARGET = {name: name for name in ("resourceType", "selectionMode", "resourceArns", "filters", "parameters")}


def _pairs(mapping: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted((mapping or {}).items())]


def _mapping(pairs: list[Mapping[str, str]] | None) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in pairs or []}


def _action(action: Props) -> dict[str, Any]:
    target = action.get("target")
    return {
        **given(action, {"actionId": "actionId", "description": "description", "startAfters": "startAfter"}),
        "parameters": _mapping(action.get("parameters")),
        "targets": {target["key"]: target["value"]} if target else {},
    }


def _target(target: Props) -> dict[str, Any]:
    tags = _mapping(target.get("resourceTags"))
    return {**given(target, _TARGET), **({"resourceTags": tags} if tags else {})}


def _log(log: Props) -> dict[str, Any]:
    names = {
        "logSchemaVersion": "logSchemaVersion",
        "s3Configuration": "s3Configuration",
        "cloudwatchLogsConfiguration": "cloudWatchLogsConfiguration",
    }
    return whole_numbers(given(log, names))


def _arguments(inputs: Props) -> dict[str, Any]:
    log = inputs.get("logConfiguration")
    return {
        **given(inputs, {name: name for name in _SAME}),
        "actions": {action["name"]: _action(action) for action in inputs["actions"]},
        "targets": {target["name"]: _target(target) for target in inputs.get("targets") or []},
        **({"logConfiguration": _log(log)} if log else {}),
    }


def _create(clients: Clients, inputs: Props) -> str:
    tags = {"tags": inputs["tags"]} if inputs.get("tags") else {}
    made = clients.get("fis").create_experiment_template(**_arguments(inputs), **tags)
    return str(made["experimentTemplate"]["id"])


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("fis").get_experiment_template(id=id_)["experimentTemplate"]
    log = live.get("logConfiguration")
    return {
        **found(live, {name: name for name in (*_SAME, "tags")}),
        "actions": [_read_action(name, action) for name, action in sorted(live["actions"].items())],
        "targets": [_read_target(name, target) for name, target in sorted(live.get("targets", {}).items())],
        **({"logConfiguration": _read_log(log)} if log else {}),
    }


def _read_action(name: str, action: Props) -> Props:
    targets = _pairs(action.get("targets"))
    return {
        "name": name,
        **found(action, {"actionId": "actionId", "description": "description", "startAfters": "startAfter"}),
        "parameters": _pairs(action.get("parameters")),
        **({"target": targets[0]} if targets else {}),
    }


def _read_target(name: str, target: Props) -> Props:
    return {"name": name, **found(target, _TARGET), "resourceTags": _pairs(target.get("resourceTags"))}


def _read_log(log: Props) -> Props:
    groups = {"cloudwatchLogsConfiguration": "cloudWatchLogsConfiguration"}
    return {**found(log, groups | {name: name for name in ("logSchemaVersion", "s3Configuration")})}


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("fis")
    arguments = _arguments(new)
    options = arguments.pop("experimentOptions", None) or {}
    mode = options.get("emptyTargetResolutionMode", "fail")
    log = arguments.pop("logConfiguration", {})  # an empty one takes it away
    made = api.update_experiment_template(
        id=id_,
        **arguments,
        logConfiguration=log,
        experimentOptions={"emptyTargetResolutionMode": mode},
    )["experimentTemplate"]
    before, after = old.get("tags") or {}, new.get("tags") or {}
    if removed := sorted(before.keys() - after.keys()):
        api.untag_resource(resourceArn=made["arn"], tagKeys=removed)
    if after != before and after:
        api.tag_resource(resourceArn=made["arn"], tags=after)


TEMPLATE = Spec(
    inputs={
        **values("description", "roleArn"),
        "actions": [
            {
                **values("name", "actionId", "description"),
                "parameters": [_PAIR],
                "startAfters": [VALUE],
                "target": _PAIR,
            }
        ],
        "targets": [
            {
                **values("name", "resourceType", "selectionMode"),
                "resourceArns": [VALUE],
                "resourceTags": [_PAIR],
                "filters": [{"path": VALUE, "values": [VALUE]}],
                "parameters": MAP,
            }
        ],
        "stopConditions": [values("source", "value")],
        "experimentOptions": values("accountTargeting", "emptyTargetResolutionMode"),
        "logConfiguration": {
            "logSchemaVersion": VALUE,
            "cloudwatchLogsConfiguration": {"logGroupArn": VALUE},
            "s3Configuration": values("bucketName", "prefix"),
        },
        "tags": MAP,
    },
    required=frozenset({"actions", "description", "roleArn", "stopConditions"}),
    unset={
        "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"},
    },
    create=_create,
    read=_read,
    update=_update,
    delete=lambda clients, id_, _: clients.get("fis").delete_experiment_template(id=id_),
)
