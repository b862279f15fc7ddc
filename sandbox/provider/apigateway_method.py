"""API Gateway: methods of a REST API, their integrations, and the responses of both."""

from collections.abc import Callable
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.apigateway_patch import patches
from selfheal.sandbox.provider.calls import or_none, refused
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.names import found, given
from selfheal.sandbox.provider.spec import FLAG, MAP, VALUE, Kind, Props, Spec, values

_WHERE = {"restApi": "restApiId", "resourceId": "resourceId", "httpMethod": "httpMethod"}
_WHICH = {**_WHERE, "statusCode": "statusCode"}
_METHOD_FORM = "{restApi}/{resourceId}/{httpMethod}"


def _import(prefix: str, form: str) -> ImportId:
    """Return the form of an import id, of which the resource's own id has a prefix and dashes."""
    return ImportId((form,), id=f"{prefix}-{form.replace('/', '-')}")


def _named(prefix: str, form: str, inputs: Props) -> str:
    return _import(prefix, form).resolve(inputs)


def _kept(inputs: Props, names: dict[str, str]) -> Props:
    """Return the inputs that say where something is: answers lack them."""
    return {key: inputs[key] for key in names}


# --- methods ------------------------------------------------------------------------------------------------

_METHOD = {
    **{
        key: key
        for key in (
            *("authorizerId", "apiKeyRequired", "operationName", "requestModels", "requestParameters"),
            *("requestValidatorId", "authorizationScopes"),
        )
    },
    "authorization": "authorizationType",
}
_METHOD_KINDS: dict[str, Kind] = {
    **values(*_WHERE, "authorization", "authorizerId", "operationName", "requestValidatorId"),
    "apiKeyRequired": FLAG,
    "authorizationScopes": [VALUE],
    "requestModels": MAP,
    "requestParameters": MAP,
}


def _create_method(clients: Clients, inputs: Props) -> str:
    api, where = clients.get("apigateway"), given(inputs, _WHERE)
    # AWS answers ConflictException, where the emulator would replace the method and its integration.
    if or_none(lambda: api.get_method(**where)) is not None:
        raise refused("PutMethod", "ConflictException", "Method already exists for this resource")
    api.put_method(**where, **given(inputs, _METHOD))
    return _named("agm", _METHOD_FORM, inputs)


METHOD = Spec(
    inputs=_METHOD_KINDS,
    required=frozenset({*_WHERE, "authorization"}),
    identity=frozenset(_WHERE),
    replace=frozenset(_WHERE),
    defaults={"apiKeyRequired": False},
    import_id=_import("agm", _METHOD_FORM),
    create=_create_method,
    read=lambda clients, _, inputs: (
        found(clients.get("apigateway").get_method(**given(inputs, _WHERE)), _METHOD) | _kept(inputs, _WHERE)
    ),
    update=lambda clients, _, old, new: clients.get("apigateway").update_method(
        **given(new, _WHERE), patchOperations=patches(_METHOD_KINDS, _METHOD, old, new, {})
    ),
    delete=lambda clients, _, inputs: clients.get("apigateway").delete_method(**given(inputs, _WHERE)),
)

# --- integrations -------------------------------------------------------------------------------------------

_INTEGRATION = {
    **{
        key: key
        for key in (
            *("type", "uri", "credentials", "passthroughBehavior", "requestParameters", "requestTemplates"),
            "contentHandling",
        )
    },
    "integrationHttpMethod": "httpMethod",
    "timeoutMilliseconds": "timeoutInMillis",
}
_INTEGRATION_KINDS: dict[str, Kind] = {
    **values(*_WHERE, "type", "uri", "credentials", "passthroughBehavior", "contentHandling"),
    **values("integrationHttpMethod", "timeoutMilliseconds"),
    "requestParameters": MAP,
    "requestTemplates": MAP,
}
_MILLISECONDS = 29000
_INTEGRATION_UNSET = {"passthroughBehavior": "WHEN_NO_MATCH"}


def _put_integration(clients: Clients, inputs: Props) -> str:
    # PutIntegration replaces; the AWS provider creates with it as well. Of the call's two methods boto3 names
    # the integration's own `integrationHttpMethod`.
    names = {**_INTEGRATION, "integrationHttpMethod": "integrationHttpMethod"}
    clients.get("apigateway").put_integration(**given(inputs, _WHERE), **given(inputs, names))
    return _named("agi", _METHOD_FORM, inputs)


INTEGRATION = Spec(
    inputs=_INTEGRATION_KINDS,
    required=frozenset({*_WHERE, "type"}),
    identity=frozenset(_WHERE),
    replace=frozenset({*_WHERE, "type", "integrationHttpMethod"}),
    defaults={"timeoutMilliseconds": _MILLISECONDS},
    unset=_INTEGRATION_UNSET,
    import_id=_import("agi", _METHOD_FORM),
    create=_put_integration,
    read=lambda clients, _, inputs: (
        found(clients.get("apigateway").get_integration(**given(inputs, _WHERE)), _INTEGRATION)
        | _kept(inputs, _WHERE)
    ),
    update=lambda clients, _, old, new: clients.get("apigateway").update_integration(
        **given(new, _WHERE),
        patchOperations=patches(_INTEGRATION_KINDS, _INTEGRATION, old, new, _INTEGRATION_UNSET),
    ),
    delete=lambda clients, _, inputs: clients.get("apigateway").delete_integration(**given(inputs, _WHERE)),
)

# --- responses of methods and of integrations ---------------------------------------------------------------

_RESPONSE_FORM = f"{_METHOD_FORM}/{{statusCode}}"
_METHOD_RESPONSE = {key: key for key in ("responseModels", "responseParameters")}
_INTEGRATION_RESPONSE = {
    key: key for key in ("contentHandling", "responseParameters", "responseTemplates", "selectionPattern")
}


def _create_method_response(clients: Clients, inputs: Props) -> str:
    api, where = clients.get("apigateway"), given(inputs, _WHICH)
    # AWS answers ConflictException, where the emulator would replace the response.
    if or_none(lambda: api.get_method_response(**where)) is not None:
        raise refused("PutMethodResponse", "ConflictException", "Response already exists for this resource")
    api.put_method_response(**where, **given(inputs, _METHOD_RESPONSE))
    return _named("agmr", _RESPONSE_FORM, inputs)


def _update_method_response(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    # The emulator has no UpdateMethodResponse.
    clients.get("apigateway").delete_method_response(**given(old, _WHICH))
    _create_method_response(clients, new)


def _put_integration_response(clients: Clients, inputs: Props) -> str:
    # PutIntegrationResponse replaces; the AWS provider creates and updates with it as well.
    clients.get("apigateway").put_integration_response(
        **given(inputs, _WHICH), **given(inputs, _INTEGRATION_RESPONSE)
    )
    return _named("agir", _RESPONSE_FORM, inputs)


def _response_row(
    prefix: str,
    names: dict[str, str],
    kinds: dict[str, Kind],
    create: Callable[[Clients, Props], str],
    update: Callable[[Clients, str, Props, Props], object],
) -> Spec:
    """Return the row of one of the two types of response, which differ by these."""
    call = "method_response" if prefix == "agmr" else "integration_response"

    def act(verb: str, clients: Clients, inputs: Props) -> Any:
        return getattr(clients.get("apigateway"), f"{verb}_{call}")(**given(inputs, _WHICH))

    return Spec(
        inputs={**values(*_WHICH), **kinds},
        required=frozenset(_WHICH),
        identity=frozenset(_WHICH),
        replace=frozenset(_WHICH),
        import_id=_import(prefix, _RESPONSE_FORM),
        create=create,
        read=lambda clients, _, inputs: found(act("get", clients, inputs), names) | _kept(inputs, _WHICH),
        update=update,
        delete=lambda clients, _, inputs: act("delete", clients, inputs),
    )


METHOD_RESPONSE = _response_row(
    "agmr",
    _METHOD_RESPONSE,
    dict.fromkeys(_METHOD_RESPONSE, MAP),
    _create_method_response,
    _update_method_response,
)
INTEGRATION_RESPONSE = _response_row(
    "agir",
    _INTEGRATION_RESPONSE,
    {**dict.fromkeys(("responseParameters", "responseTemplates"), MAP)}
    | values("contentHandling", "selectionPattern"),
    _put_integration_response,
    lambda clients, _id, _old, new: _put_integration_response(clients, new),
)
