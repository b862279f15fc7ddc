"""API Gateway: HTTP APIs, integrations, routes, stages."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import or_none, refused
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import FLAG, MAP, VALUE, Props, Spec, values

# --- APIs ---------------------------------------------------------------------------------------------------

_API = same_names(
    "name", "protocolType", "description", "version", "disableExecuteApiEndpoint", "corsConfiguration",
    "apiKeySelectionExpression", "routeSelectionExpression",
)  # fmt: skip
_CORS = ("allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders")


def _read_api(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("apigatewayv2").get_api(ApiId=id_)
    account = clients.get("sts").get_caller_identity()["Account"]
    return {
        **from_aws(live, _API),
        "apiEndpoint": _endpoint(clients, live),
        "arn": f"arn:aws:apigateway:{clients.region}::/apis/{id_}",
        "executionArn": f"arn:aws:execute-api:{clients.region}:{account}:{id_}",
    }


def _update_api(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("apigatewayv2")
    arguments = {**{_API[key]: "" for key in ("description", "version")}, **to_aws(new, _API)}
    del arguments["ProtocolType"]
    api.update_api(ApiId=id_, **arguments)
    if old.get("corsConfiguration") and not new.get("corsConfiguration"):
        api.delete_cors_configuration(ApiId=id_)


def _endpoint(clients: Clients, api: dict[str, Any]) -> str:
    """Return the URL of the `$default` stage, without a trailing slash.

    The emulator answers `http://<id>.execute-api.localhost:<port>`, a name that not every resolver knows; it
    serves the same API under a path of its endpoint, which every client reaches.
    """
    given = str(api["ApiEndpoint"])
    if given.endswith(".amazonaws.com"):
        return given
    return f"{clients.endpoint}/_aws/execute-api/{api['ApiId']}/$default"


API = Spec(
    inputs={
        **values(*_API),
        "disableExecuteApiEndpoint": FLAG,
        "corsConfiguration": {
            **{key: [VALUE] for key in _CORS},
            "allowCredentials": FLAG,
            "maxAge": VALUE,
        },
    },
    required=frozenset({"protocolType"}),
    computed=frozenset({"apiEndpoint", "arn", "executionArn"}),
    name="name",
    name_limit=128,
    replace=frozenset({"protocolType"}),
    defaults={
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "routeSelectionExpression": "$request.method $request.path",
    },
    # Two APIs may have the same name, on AWS as well.
    create=lambda clients, inputs: clients.get("apigatewayv2").create_api(**to_aws(inputs, _API))["ApiId"],
    read=_read_api,
    update=_update_api,
    delete=lambda clients, id_, _: clients.get("apigatewayv2").delete_api(ApiId=id_),
)

# --- integrations -------------------------------------------------------------------------------------------

_INTEGRATION = {
    **same_names(
        "apiId", "integrationType", "connectionType", "description", "integrationMethod", "integrationUri",
        "payloadFormatVersion",
    ),
    "timeoutMilliseconds": "TimeoutInMillis",
}  # fmt: skip


INTEGRATION = Spec(
    inputs=values(*_INTEGRATION),
    required=frozenset({"apiId", "integrationType"}),
    replace=frozenset({"apiId", "integrationType"}),
    import_id=ImportId(("{apiId}/{id}",)),
    unset={"integrationMethod": "POST", "timeoutMilliseconds": 30000},
    defaults={"connectionType": "INTERNET", "payloadFormatVersion": "1.0"},
    create=lambda clients, inputs: clients.get("apigatewayv2").create_integration(
        **to_aws(inputs, _INTEGRATION)
    )["IntegrationId"],
    read=lambda clients, id_, inputs: (
        from_aws(
            clients.get("apigatewayv2").get_integration(ApiId=inputs["apiId"], IntegrationId=id_),
            _INTEGRATION,
        )
        | {"apiId": inputs["apiId"]}
    ),
    update=lambda clients, id_, _, new: clients.get("apigatewayv2").update_integration(
        IntegrationId=id_, **to_aws(new, _INTEGRATION)
    ),
    delete=lambda clients, id_, inputs: clients.get("apigatewayv2").delete_integration(
        ApiId=inputs["apiId"], IntegrationId=id_
    ),
)

# --- routes -------------------------------------------------------------------------------------------------

_ROUTE = same_names("apiId", "routeKey", "target", "operationName", "authorizationType", "apiKeyRequired")


def _create_route(clients: Clients, inputs: Props) -> str:
    api = clients.get("apigatewayv2")
    # AWS answers ConflictException, where the emulator would keep two routes with one key.
    pages = api.get_paginator("get_routes").paginate(ApiId=inputs["apiId"])
    routes = [route for page in pages for route in page["Items"]]
    if any(route["RouteKey"] == inputs["routeKey"] for route in routes):
        raise refused(
            "CreateRoute",
            "ConflictException",
            f"Route with key {inputs['routeKey']} already exists for this API",
        )
    return str(api.create_route(**to_aws(inputs, _ROUTE))["RouteId"])


ROUTE = Spec(
    inputs=values(*_ROUTE),
    required=frozenset({"apiId", "routeKey"}),
    identity=frozenset({"apiId", "routeKey"}),
    replace=frozenset({"apiId"}),
    import_id=ImportId(("{apiId}/{id}",)),
    defaults={"apiKeyRequired": False, "authorizationType": "NONE"},
    create=_create_route,
    read=lambda clients, id_, inputs: (
        from_aws(clients.get("apigatewayv2").get_route(ApiId=inputs["apiId"], RouteId=id_), _ROUTE)
        | {"apiId": inputs["apiId"]}
    ),
    update=lambda clients, id_, _, new: clients.get("apigatewayv2").update_route(
        RouteId=id_, **to_aws(new, _ROUTE)
    ),
    delete=lambda clients, id_, inputs: clients.get("apigatewayv2").delete_route(
        ApiId=inputs["apiId"], RouteId=id_
    ),
)

# --- stages -------------------------------------------------------------------------------------------------

_STAGE = {
    **same_names(
        "apiId", "autoDeploy", "description", "accessLogSettings", "defaultRouteSettings", "stageVariables"
    ),
    "name": "StageName",
}


def _create_stage(clients: Clients, inputs: Props) -> str:
    api = clients.get("apigatewayv2")
    where = {"ApiId": inputs["apiId"], "StageName": inputs["name"]}
    # AWS answers ConflictException, where the emulator would replace the stage.
    if or_none(lambda: api.get_stage(**where)) is not None:
        raise refused("CreateStage", "ConflictException", "Stage already exists")
    api.create_stage(**to_aws(inputs, _STAGE))
    return str(inputs["name"])


def _read_stage(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("apigatewayv2")
    live = api.get_stage(ApiId=inputs["apiId"], StageName=inputs["name"])
    name = live["StageName"]
    gateway = api.get_api(ApiId=inputs["apiId"])
    account = clients.get("sts").get_caller_identity()["Account"]
    root = _endpoint(clients, gateway)
    # As on AWS the URL of `$default` ends in a slash and that of any other stage does not.
    url = f"{root}/" if name == "$default" else f"{root.removesuffix('/$default')}/{name}"
    return {
        **from_aws(live, _STAGE),
        "apiId": inputs["apiId"],
        "arn": f"arn:aws:apigateway:{clients.region}::/apis/{inputs['apiId']}/stages/{name}",
        "executionArn": f"arn:aws:execute-api:{clients.region}:{account}:{inputs['apiId']}/{name}",
        "invokeUrl": url,
    }


def _update_stage(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("apigatewayv2")
    api.update_stage(**{"Description": "", **to_aws(new, _STAGE)})
    if old.get("accessLogSettings") and not new.get("accessLogSettings"):
        api.delete_access_log_settings(ApiId=new["apiId"], StageName=id_)


STAGE = Spec(
    inputs={
        **values("apiId", "name", "description"),
        "autoDeploy": FLAG,
        "accessLogSettings": values("destinationArn", "format"),
        "defaultRouteSettings": {
            **values("loggingLevel", "throttlingBurstLimit", "throttlingRateLimit"),
            "dataTraceEnabled": FLAG,
            "detailedMetricsEnabled": FLAG,
        },
        "stageVariables": MAP,
    },
    required=frozenset({"apiId"}),
    computed=frozenset({"arn", "executionArn", "invokeUrl"}),
    name="name",
    name_limit=128,
    identity=frozenset({"apiId", "name"}),
    replace=frozenset({"apiId", "name"}),
    import_id=ImportId(("{apiId}/{name}",), id="{name}"),
    create=_create_stage,
    read=_read_stage,
    update=_update_stage,
    delete=lambda clients, id_, inputs: clients.get("apigatewayv2").delete_stage(
        ApiId=inputs["apiId"], StageName=id_
    ),
)
