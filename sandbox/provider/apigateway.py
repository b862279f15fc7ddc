"""API Gateway: REST APIs, their resources, models, validators, authorizers and gateway responses."""

import json
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.apigateway_patch import patches
from selfheal.sandbox.provider.calls import or_none, refused
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import found, given
from selfheal.sandbox.provider.spec import FLAG, JSON, MAP, VALUE, Kind, Props, Spec, values

# --- APIs ---------------------------------------------------------------------------------------------------

_API = {
    key: key
    for key in (
        *("name", "description", "apiKeySource", "binaryMediaTypes", "disableExecuteApiEndpoint"),
        *("minimumCompressionSize", "policy"),
    )
}
_API_KINDS: dict[str, Kind] = {
    **values("name", "description", "apiKeySource", "minimumCompressionSize"),
    "binaryMediaTypes": [VALUE],
    "disableExecuteApiEndpoint": FLAG,
    "endpointConfiguration": values("types"),
    "policy": JSON,
}
_API_UNSET: dict[str, Any] = {"apiKeySource": "HEADER", "minimumCompressionSize": None}
_EDGE = "EDGE"
"""AWS's default type of endpoint, where the emulator's is REGIONAL."""


def _create_api(clients: Clients, inputs: Props) -> str:
    arguments = given(inputs, _API)
    arguments["endpointConfiguration"] = {"types": [_endpoint_type(inputs)]}
    if arguments.get("minimumCompressionSize") is not None:  # a text in Pulumi
        arguments["minimumCompressionSize"] = int(arguments["minimumCompressionSize"])
    return str(clients.get("apigateway").create_rest_api(**arguments)["id"])


def _read_api(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("apigateway")
    live = api.get_rest_api(restApiId=id_)
    size, policy = live.get("minimumCompressionSize"), live.get("policy")
    return {
        **found(live, _API),
        **({} if size is None else {"minimumCompressionSize": str(size)}),
        **({"policy": json.loads(f'"{policy}"')} if policy else {}),  # answered as the inside of a JSON text
        "endpointConfiguration": {"types": live["endpointConfiguration"]["types"][0]},
        "arn": f"arn:aws:apigateway:{clients.region}::/restapis/{id_}",
        "executionArn": execution_arn(clients, id_),
        "rootResourceId": live.get("rootResourceId") or _root(api, id_),
        "createdDate": live["createdDate"].isoformat(),
    }


def _update_api(clients: Clients, id_: str, old: Props, new: Props) -> None:
    operations = patches(_API_KINDS, _API, old, new, _API_UNSET)
    before, after = _endpoint_type(old), _endpoint_type(new)
    if before != after:
        operations.append({"op": "replace", "path": f"/endpointConfiguration/types/{before}", "value": after})
    clients.get("apigateway").update_rest_api(restApiId=id_, patchOperations=operations)


def _endpoint_type(inputs: Props) -> str:
    return str((inputs.get("endpointConfiguration") or {}).get("types") or _EDGE)


def _root(api: Any, id_: str) -> str | None:
    pages = api.get_paginator("get_resources").paginate(restApiId=id_)
    return next((r["id"] for page in pages for r in page["items"] if r["path"] == "/"), None)


def execution_arn(clients: Clients, api: str) -> str:
    """Return the ARN to which permissions for callers of an API refer."""
    account = clients.get("sts").get_caller_identity()["Account"]
    return f"arn:aws:execute-api:{clients.region}:{account}:{api}"


REST_API = Spec(
    inputs=_API_KINDS,
    computed=frozenset({"arn", "createdDate", "executionArn", "rootResourceId"}),
    name="name",
    unset={**_API_UNSET, "endpointConfiguration": {"types": _EDGE}},
    # Two APIs may have the same name, on AWS as well.
    create=_create_api,
    read=_read_api,
    update=_update_api,
    delete=lambda clients, id_, _: clients.get("apigateway").delete_rest_api(restApiId=id_),
)

# --- resources ----------------------------------------------------------------------------------------------

_RESOURCE = {"parentId": "parentId", "pathPart": "pathPart"}

RESOURCE = Spec(
    inputs=values("restApi", *_RESOURCE),
    required=frozenset({"restApi", *_RESOURCE}),
    computed=frozenset({"path"}),
    identity=frozenset({"restApi", *_RESOURCE}),
    replace=frozenset({"restApi"}),
    import_id=ImportId(("{restApi}/{id}",)),
    create=lambda clients, inputs: clients.get("apigateway").create_resource(
        restApiId=inputs["restApi"], **given(inputs, _RESOURCE)
    )["id"],
    read=lambda clients, id_, inputs: (
        found(
            clients.get("apigateway").get_resource(restApiId=inputs["restApi"], resourceId=id_),
            {**_RESOURCE, "path": "path"},
        )
        | {"restApi": inputs["restApi"]}
    ),
    update=lambda clients, id_, old, new: clients.get("apigateway").update_resource(
        restApiId=new["restApi"],
        resourceId=id_,
        patchOperations=patches(RESOURCE.inputs, _RESOURCE, old, new, {}),
    ),
    recomputed={"path": frozenset(_RESOURCE)},
    delete=lambda clients, id_, inputs: clients.get("apigateway").delete_resource(
        restApiId=inputs["restApi"], resourceId=id_
    ),
)

# --- models -------------------------------------------------------------------------------------------------

_MODEL = {key: key for key in ("name", "contentType", "description", "schema")}


def _create_model(clients: Clients, inputs: Props) -> str:
    api = clients.get("apigateway")
    # AWS answers ConflictException, where the emulator would replace the model.
    where = {"restApiId": inputs["restApi"], "modelName": inputs["name"]}
    if or_none(lambda: api.get_model(**where)) is not None:
        raise refused("CreateModel", "ConflictException", "Model name already exists for this REST API")
    return str(api.create_model(restApiId=inputs["restApi"], **given(inputs, _MODEL))["id"])


def _read_model(clients: Clients, id_: str, inputs: Props) -> Props | None:
    live = clients.get("apigateway").get_model(restApiId=inputs["restApi"], modelName=inputs["name"])
    # An import names the model; the id that AWS gave it is in the answer.
    named = {"id": live["id"]} if "/" in id_ else {}
    return {**found(live, _MODEL), **named, "restApi": inputs["restApi"]}


MODEL = Spec(
    inputs={**values("restApi", "name", "contentType", "description"), "schema": JSON},
    required=frozenset({"restApi", "contentType"}),
    name="name",
    identity=frozenset({"restApi", "name"}),
    replace=frozenset({"restApi", "name", "contentType"}),
    import_id=ImportId(("{restApi}/{name}",)),
    create=_create_model,
    read=_read_model,
    update=lambda clients, _, old, new: clients.get("apigateway").update_model(
        restApiId=new["restApi"],
        modelName=new["name"],
        patchOperations=patches(MODEL.inputs, _MODEL, old, new, {}),
    ),
    delete=lambda clients, _, inputs: clients.get("apigateway").delete_model(
        restApiId=inputs["restApi"], modelName=inputs["name"]
    ),
)

# --- request validators -------------------------------------------------------------------------------------

_VALIDATOR = {key: key for key in ("name", "validateRequestBody", "validateRequestParameters")}

REQUEST_VALIDATOR = Spec(
    inputs={
        **values("restApi", "name"),
        **dict.fromkeys(("validateRequestBody", "validateRequestParameters"), FLAG),
    },
    required=frozenset({"restApi"}),
    name="name",
    replace=frozenset({"restApi"}),
    defaults={"validateRequestBody": False, "validateRequestParameters": False},
    import_id=ImportId(("{restApi}/{id}",)),
    create=lambda clients, inputs: clients.get("apigateway").create_request_validator(
        restApiId=inputs["restApi"], **given(inputs, _VALIDATOR)
    )["id"],
    read=lambda clients, id_, inputs: (
        found(
            clients.get("apigateway").get_request_validator(
                restApiId=inputs["restApi"], requestValidatorId=id_
            ),
            _VALIDATOR,
        )
        | {"restApi": inputs["restApi"]}
    ),
    update=lambda clients, id_, old, new: clients.get("apigateway").update_request_validator(
        restApiId=new["restApi"],
        requestValidatorId=id_,
        patchOperations=patches(REQUEST_VALIDATOR.inputs, _VALIDATOR, old, new, {}),
    ),
    delete=lambda clients, id_, inputs: clients.get("apigateway").delete_request_validator(
        restApiId=inputs["restApi"], requestValidatorId=id_
    ),
)

# --- authorizers --------------------------------------------------------------------------------------------

_AUTHORIZER = {
    **{
        key: key
        for key in (
            *("name", "type", "authorizerUri", "authorizerCredentials", "authorizerResultTtlInSeconds"),
            *("identitySource", "identityValidationExpression"),
        )
    },
    "providerArns": "providerARNs",
}
_HEADER = "method.request.header.Authorization"


def _create_authorizer(clients: Clients, inputs: Props) -> str:
    api = clients.get("apigateway")
    pages = api.get_paginator("get_authorizers").paginate(restApiId=inputs["restApi"])
    if any(live["name"] == inputs["name"] for page in pages for live in page["items"]):
        raise refused(  # the emulator would make a second one
            "CreateAuthorizer",
            "ConflictException",
            f"Authorizer name must be unique. Authorizer {inputs['name']} already exists in this RestApi.",
        )
    return str(api.create_authorizer(restApiId=inputs["restApi"], **given(inputs, _AUTHORIZER))["id"])


def _read_authorizer(clients: Clients, id_: str, inputs: Props) -> Props | None:
    api = inputs["restApi"]
    live = clients.get("apigateway").get_authorizer(restApiId=api, authorizerId=id_)
    arn = f"arn:aws:apigateway:{clients.region}::/restapis/{api}/authorizers/{id_}"
    return {**found(live, _AUTHORIZER), "restApi": api, "arn": arn}


AUTHORIZER = Spec(
    inputs={**values("restApi", *_AUTHORIZER), "providerArns": [VALUE]},
    required=frozenset({"restApi"}),
    computed=frozenset({"arn"}),
    name="name",
    identity=frozenset({"restApi", "name"}),
    replace=frozenset({"restApi"}),
    defaults={"authorizerResultTtlInSeconds": 300, "identitySource": _HEADER, "type": "TOKEN"},
    import_id=ImportId(("{restApi}/{id}",)),
    create=_create_authorizer,
    read=_read_authorizer,
    update=lambda clients, id_, old, new: clients.get("apigateway").update_authorizer(
        restApiId=new["restApi"],
        authorizerId=id_,
        patchOperations=patches(AUTHORIZER.inputs, _AUTHORIZER, old, new, {}),
    ),
    delete=lambda clients, id_, inputs: clients.get("apigateway").delete_authorizer(
        restApiId=inputs["restApi"], authorizerId=id_
    ),
)

# --- gateway responses --------------------------------------------------------------------------------------

_RESPONSE = {key: key for key in ("responseType", "statusCode", "responseParameters", "responseTemplates")}


def _put_response(clients: Clients, inputs: Props) -> str:
    # PutGatewayResponse replaces; the AWS provider creates with it as well.
    clients.get("apigateway").put_gateway_response(restApiId=inputs["restApiId"], **given(inputs, _RESPONSE))
    return f"aggr-{inputs['restApiId']}-{inputs['responseType']}"


def _read_response(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    where = {"restApiId": inputs["restApiId"], "responseType": inputs["responseType"]}
    live = clients.get("apigateway").get_gateway_response(**where)
    if live.get("defaultResponse"):
        return None
    return {**found(live, _RESPONSE), "restApiId": inputs["restApiId"]}


RESPONSE = Spec(
    inputs={
        **values("restApiId", "responseType", "statusCode"),
        "responseParameters": MAP,
        "responseTemplates": MAP,
    },
    required=frozenset({"restApiId", "responseType"}),
    identity=frozenset({"restApiId", "responseType"}),
    replace=frozenset({"restApiId", "responseType"}),
    import_id=ImportId(("{restApiId}/{responseType}",), id="aggr-{restApiId}-{responseType}"),
    create=_put_response,
    read=_read_response,
    update=lambda clients, _id, _old, new: _put_response(clients, new),
    delete=lambda clients, _, inputs: clients.get("apigateway").delete_gateway_response(
        restApiId=inputs["restApiId"], responseType=inputs["responseType"]
    ),
)
