"""Lambda: aliases, permissions, settings of asynchronous invocation."""

import json
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.import_id import ImportId
from selfheal.sandbox.provider.lambda_function import invoke_arn
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import MAP, Props, Spec, values

# --- aliases ------------------------------------------------------------------------------------------------

_ALIAS = same_names("name", "functionVersion", "description", "routingConfig")


def _read_alias(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("lambda").get_alias(FunctionName=inputs["functionName"], Name=inputs["name"])
    return {
        **from_aws(live, _ALIAS),
        "functionName": inputs["functionName"],
        "arn": live["AliasArn"],
        "invokeArn": invoke_arn(clients.region, live["AliasArn"]),
    }


def _update_alias(clients: Clients, id_: str, old: Props, new: Props) -> None:  # noqa: ARG001
    removed = {"Description": "", "RoutingConfig": {"AdditionalVersionWeights": {}}}
    clients.get("lambda").update_alias(FunctionName=new["functionName"], **{**removed, **to_aws(new, _ALIAS)})


ALIAS = Spec(
    inputs={
        **values("name", "functionName", "functionVersion", "description"),
        "routingConfig": {"additionalVersionWeights": MAP},
    },
    required=frozenset({"functionName", "functionVersion"}),
    computed=frozenset({"arn", "invokeArn"}),
    name="name",
    name_limit=128,
    identity=frozenset({"name", "functionName"}),
    replace=frozenset({"name", "functionName"}),
    import_id=ImportId(("{functionName}/{name}",), id="{arn}"),
    create=lambda clients, inputs: clients.get("lambda").create_alias(
        FunctionName=inputs["functionName"], **to_aws(inputs, _ALIAS)
    )["AliasArn"],
    read=_read_alias,
    update=_update_alias,
    delete=lambda clients, _, inputs: clients.get("lambda").delete_alias(
        FunctionName=inputs["functionName"], Name=inputs["name"]
    ),
)

# --- permissions --------------------------------------------------------------------------------------------

_PERMISSION = {
    **same_names(
        "statementId", "action", "principal", "sourceArn", "sourceAccount", "qualifier", "eventSourceToken"
    ),
    "function": "FunctionName",
    "principalOrgId": "PrincipalOrgID",
}
_PERMISSION_OF = {key: _PERMISSION[key] for key in ("function", "qualifier")}
_CONDITIONS = {
    "aws:sourcearn": "sourceArn",
    "aws:sourceaccount": "sourceAccount",
    "aws:principalorgid": "principalOrgId",
    "lambda:eventsourcetoken": "eventSourceToken",
}


def _create_permission(clients: Clients, inputs: Props) -> str:
    clients.get("lambda").add_permission(**to_aws(inputs, _PERMISSION))
    return str(inputs["statementId"])


def _read_permission(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    answer = clients.get("lambda").get_policy(**to_aws(inputs, _PERMISSION_OF))
    statements = json.loads(answer["Policy"])["Statement"]
    sid = inputs["statementId"]
    statement: dict[str, Any] | None = next((s for s in statements if s.get("Sid") == sid), None)
    if statement is None:
        return None
    conditions = {
        key.lower(): value for test in statement.get("Condition", {}).values() for key, value in test.items()
    }
    principal = statement["Principal"]
    return {
        "statementId": sid,
        "function": inputs["function"],
        "qualifier": inputs.get("qualifier"),
        "action": statement["Action"],
        "principal": principal if isinstance(principal, str) else next(iter(principal.values())),
        **{ours: conditions[theirs] for theirs, ours in _CONDITIONS.items() if theirs in conditions},
    }


PERMISSION = Spec(
    inputs=values(*_PERMISSION),
    required=frozenset({"action", "function", "principal"}),
    name="statementId",
    name_limit=100,
    identity=frozenset({"statementId", "function", "qualifier"}),
    import_id=ImportId(
        ("{function}:{qualifier}/{statementId}", "{function}/{statementId}"), id="{statementId}"
    ),
    replace=frozenset(_PERMISSION),
    create=_create_permission,
    read=_read_permission,
    delete=lambda clients, id_, inputs: clients.get("lambda").remove_permission(
        StatementId=id_, **to_aws(inputs, _PERMISSION_OF)
    ),
)

# --- asynchronous invocation --------------------------------------------------------------------------------

_INVOKE = same_names(
    "functionName", "qualifier", "maximumEventAgeInSeconds", "maximumRetryAttempts", "destinationConfig"
)
_INVOKE_OF = same_names("functionName", "qualifier")


def _put_invoke(clients: Clients, inputs: Props) -> str:
    # PutFunctionEventInvokeConfig replaces what is set; the AWS provider creates with it as well.
    clients.get("lambda").put_function_event_invoke_config(**to_aws(inputs, _INVOKE))
    return ":".join(inputs[key] for key in ("functionName", "qualifier") if inputs.get(key))


def _read_invoke(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("lambda").get_function_event_invoke_config(**to_aws(inputs, _INVOKE_OF))
    return {**from_aws(live, _INVOKE), **{key: inputs.get(key) for key in _INVOKE_OF}}


INVOKE_CONFIG = Spec(
    inputs={
        **values("functionName", "qualifier", "maximumEventAgeInSeconds", "maximumRetryAttempts"),
        "destinationConfig": {"onFailure": values("destination"), "onSuccess": values("destination")},
    },
    required=frozenset({"functionName"}),
    identity=frozenset({"functionName", "qualifier"}),
    replace=frozenset({"functionName", "qualifier"}),
    defaults={"maximumRetryAttempts": 2},
    import_id=ImportId(("{functionName}:{qualifier}", "{functionName}")),
    unset={"maximumEventAgeInSeconds": 21600},
    create=_put_invoke,
    read=_read_invoke,
    update=lambda clients, _id, _old, new: _put_invoke(clients, new),
    delete=lambda clients, _, inputs: clients.get("lambda").delete_function_event_invoke_config(
        **to_aws(inputs, _INVOKE_OF)
    ),
)
