"""API Gateway: deployments of a REST API, their stages, and the settings of a stage's methods."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.apigateway import execution_arn
from selfheal.sandbox.provider.apigateway_patch import patches, pointer
from selfheal.sandbox.provider.calls import or_none, refused
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import found, given
from selfheal.sandbox.provider.spec import FLAG, LOCAL, MAP, Kind, Props, Spec, changed, values

# --- deployments --------------------------------------------------------------------------------------------

_DEPLOYMENT = {"description": "description"}


def _create_deployment(clients: Clients, inputs: Props) -> str:
    api = clients.get("apigateway")
    # AWS refuses an API that is not complete, which a program without `depends_on` deploys; the emulator
    # would accept it.
    problem = _incomplete(api, inputs["restApi"])
    if problem:
        raise refused("CreateDeployment", "BadRequestException", problem)
    arguments = given(inputs, {**_DEPLOYMENT, "variables": "variables"})
    return str(api.create_deployment(restApiId=inputs["restApi"], **arguments)["id"])


def _incomplete(api: Any, id_: str) -> str | None:
    pages = api.get_paginator("get_resources").paginate(restApiId=id_, embed=["methods"])
    methods = [
        method
        for page in pages
        for resource in page["items"]
        for method in resource.get("resourceMethods", {}).values()
    ]
    if not methods:
        return "The REST API doesn't contain any methods"
    return None if all(m.get("methodIntegration") for m in methods) else "No integration defined for method"


def _read_deployment(clients: Clients, id_: str, inputs: Props) -> Props | None:
    live = clients.get("apigateway").get_deployment(restApiId=inputs["restApi"], deploymentId=id_)
    created = live["createdDate"].isoformat()
    return {**found(live, _DEPLOYMENT), "restApi": inputs["restApi"], "createdDate": created}


def _delete_deployment(clients: Clients, id_: str, inputs: Props) -> None:
    api = clients.get("apigateway")
    stages = or_none(lambda: api.get_stages(restApiId=inputs["restApi"])) or {}
    if any(stage.get("deploymentId") == id_ for stage in stages.get("item", [])):
        raise refused(  # the emulator would leave a stage without what it serves
            "DeleteDeployment",
            "BadRequestException",
            "Active stages pointing to this deployment must be moved or deleted",
        )
    api.delete_deployment(restApiId=inputs["restApi"], deploymentId=id_)


DEPLOYMENT = Spec(
    inputs={**values("restApi", "description"), "triggers": LOCAL, "variables": LOCAL},
    required=frozenset({"restApi"}),
    computed=frozenset({"createdDate"}),
    replace=frozenset({"restApi", "triggers", "variables"}),
    import_id=ImportId(("{restApi}/{id}",)),
    create=_create_deployment,
    read=_read_deployment,
    update=lambda clients, id_, old, new: clients.get("apigateway").update_deployment(
        restApiId=new["restApi"],
        deploymentId=id_,
        patchOperations=patches(DEPLOYMENT.inputs, _DEPLOYMENT, old, new, {}),
    ),
    delete=_delete_deployment,
)

# --- stages -------------------------------------------------------------------------------------------------

_STAGE = {
    "deployment": "deploymentId",
    "description": "description",
    "variables": "variables",
    "xrayTracingEnabled": "tracingEnabled",
}
_LOGS = {"destinationArn": "destinationArn", "format": "format"}
_STAGE_KINDS: dict[str, Kind] = {
    **values("restApi", "stageName", "deployment", "description"),
    "accessLogSettings": values(*_LOGS),
    "variables": MAP,
    "xrayTracingEnabled": FLAG,
}


def _create_stage(clients: Clients, inputs: Props) -> str:
    api = clients.get("apigateway")
    where = {"restApiId": inputs["restApi"], "stageName": inputs["stageName"]}
    # AWS answers ConflictException, where the emulator would replace the stage.
    if or_none(lambda: api.get_stage(**where)) is not None:
        raise refused("CreateStage", "ConflictException", "Stage already exists")
    api.create_stage(**where, **given(inputs, _STAGE))
    return f"ags-{inputs['restApi']}-{inputs['stageName']}"


def _read_stage(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api, name = inputs["restApi"], inputs["stageName"]
    live = clients.get("apigateway").get_stage(restApiId=api, stageName=name)
    logs = found(live.get("accessLogSettings") or {}, _LOGS)
    return {
        **found(live, _STAGE),
        **({"accessLogSettings": logs} if logs else {}),
        "restApi": api,
        "stageName": name,
        "arn": f"arn:aws:apigateway:{clients.region}::/restapis/{api}/stages/{name}",
        "executionArn": f"{execution_arn(clients, api)}/{name}",
        # The emulator serves it under a path of its endpoint, which every client reaches.
        "invokeUrl": f"{clients.endpoint}/_aws/execute-api/{api}/{name}",
    }


def _update_stage(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    operations = patches(_STAGE_KINDS, _STAGE, old, new, {"xrayTracingEnabled": False})
    before, after = (inputs.get("accessLogSettings") or {} for inputs in (old, new))
    if before and not after:
        operations.append({"op": "remove", "path": "/accessLogSettings"})
    operations += [
        {"op": "replace", "path": f"/accessLogSettings/{key}", "value": value}
        for key, value in sorted(after.items())
        if before.get(key) != value
    ]
    if operations:
        clients.get("apigateway").update_stage(
            restApiId=new["restApi"], stageName=new["stageName"], patchOperations=operations
        )


STAGE = Spec(
    inputs=_STAGE_KINDS,
    required=frozenset({"restApi", "stageName", "deployment"}),
    computed=frozenset({"arn", "executionArn", "invokeUrl"}),
    identity=frozenset({"restApi", "stageName"}),
    replace=frozenset({"restApi", "stageName"}),
    import_id=ImportId(("{restApi}/{stageName}",), id="ags-{restApi}-{stageName}"),
    create=_create_stage,
    # CreateStage takes no access log settings.
    complete=lambda clients, id_, inputs: _update_stage(
        clients, id_, {key: inputs[key] for key in _STAGE if key in inputs}, inputs
    ),
    read=_read_stage,
    update=_update_stage,
    delete=lambda clients, _, inputs: clients.get("apigateway").delete_stage(
        restApiId=inputs["restApi"], stageName=inputs["stageName"]
    ),
)

# --- settings of methods ------------------------------------------------------------------------------------

_SETTINGS = {
    "metricsEnabled": "metrics/enabled",
    "loggingLevel": "logging/loglevel",
    "dataTraceEnabled": "logging/dataTrace",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
}
_SETTING_KINDS: dict[str, Kind] = {
    **values("loggingLevel", "throttlingBurstLimit", "throttlingRateLimit"),
    "dataTraceEnabled": FLAG,
    "metricsEnabled": FLAG,
}
_SETTINGS_UNSET = {"loggingLevel": "OFF", "throttlingBurstLimit": 5000, "throttlingRateLimit": 10000}
"""What a stage answers for settings that nobody set."""


def _put_settings(clients: Clients, old: Props, new: Props) -> str:
    before, after = old.get("settings") or {}, new["settings"]
    path = _settings_path(new)
    differs = changed(_SETTING_KINDS, before, after)
    operations: list[dict[str, str]] = []
    if any(after.get(key) is None for key in differs):  # back to AWS's defaults
        operations.append({"op": "remove", "path": path})
        differs = [key for key in after if after[key] is not None]
    operations += [
        {"op": "replace", "path": f"{path}/{_SETTINGS[key]}", "value": str(after[key]).lower()}
        if isinstance(after[key], bool)
        else {"op": "replace", "path": f"{path}/{_SETTINGS[key]}", "value": str(after[key])}
        for key in sorted(differs)
    ]
    clients.get("apigateway").update_stage(
        restApiId=new["restApi"], stageName=new["stageName"], patchOperations=operations
    )
    return f"{new['restApi']}-{new['stageName']}-{new['methodPath']}"


def _read_settings(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    where = {"restApiId": inputs["restApi"], "stageName": inputs["stageName"]}
    live = clients.get("apigateway").get_stage(**where).get("methodSettings", {}).get(inputs["methodPath"])
    if live is None:
        return None
    place = {key: inputs[key] for key in ("restApi", "stageName", "methodPath")}
    return {**place, "settings": found(live, {key: key for key in _SETTINGS})}


def _delete_settings(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    clients.get("apigateway").update_stage(
        restApiId=inputs["restApi"],
        stageName=inputs["stageName"],
        patchOperations=[{"op": "remove", "path": _settings_path(inputs)}],
    )


def _settings_path(inputs: Props) -> str:
    resource, method = str(inputs["methodPath"]).rsplit("/", 1)
    return f"/{pointer(resource)}/{method}"


METHOD_SETTINGS = Spec(
    inputs={**values("restApi", "stageName", "methodPath"), "settings": _SETTING_KINDS},
    required=frozenset({"restApi", "stageName", "methodPath", "settings"}),
    identity=frozenset({"restApi", "stageName", "methodPath"}),
    replace=frozenset({"restApi", "stageName", "methodPath"}),
    unset={"settings": {**_SETTINGS_UNSET, "dataTraceEnabled": False, "metricsEnabled": False}},
    import_id=ImportId(("{restApi}/{stageName}/{methodPath}",), id="{restApi}-{stageName}-{methodPath}"),
    # UpdateStage replaces settings; the AWS provider creates with it as well.
    create=lambda clients, inputs: _put_settings(clients, {}, inputs),
    read=_read_settings,
    update=lambda clients, _, old, new: _put_settings(clients, old, new),
    delete=_delete_settings,
)

# --- settings of the account --------------------------------------------------------------------------------

_ACCOUNT = "api-gateway-account"


def _put_account(clients: Clients, inputs: Props) -> str:
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": inputs.get("cloudwatchRoleArn", "")}
    clients.get("apigateway").update_account(patchOperations=[operation])
    return _ACCOUNT


ACCOUNT = Spec(
    inputs=values("cloudwatchRoleArn"),
    import_id=ImportId((_ACCOUNT,), id=_ACCOUNT),
    create=_put_account,
    read=lambda clients, _id, _inputs: found(
        clients.get("apigateway").get_account(), {"cloudwatchRoleArn": "cloudwatchRoleArn"}
    ),
    update=lambda clients, _id, _old, new: _put_account(clients, new),
    delete=lambda clients, _id, _inputs: _put_account(clients, {}),
)
