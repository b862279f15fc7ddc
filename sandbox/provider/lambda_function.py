"""Lambda functions."""

from collections.abc import Callable
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.calls import retried
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import LOCAL, MAP, VALUE, Props, Spec, changed, values

_SETTINGS = {
    **same_names(
        "role", "handler", "runtime", "timeout", "memorySize", "description", "environment", "tracingConfig",
        "loggingConfig", "ephemeralStorage", "deadLetterConfig", "layers",
    ),
    "kmsKeyArn": "KMSKeyArn",
}  # fmt: skip
_CODE = frozenset({"code", "sourceCodeHash", "architectures"})
_EMPTIED: Props = {
    "Description": "",
    "Environment": {"Variables": {}},
    "TracingConfig": {"Mode": "PassThrough"},
    "LoggingConfig": {"LogFormat": "Text"},
    "EphemeralStorage": {"Size": 512},
    "DeadLetterConfig": {"TargetArn": ""},
    "Layers": [],
    "KMSKeyArn": "",
}
"""Values that reset a setting to AWS's default when the program no longer sets it."""


def _create_function(clients: Clients, inputs: Props) -> str:
    api = clients.get("lambda")
    arguments = {
        "FunctionName": inputs["name"],
        "Code": {"ZipFile": inputs["code"].read()},
        "Publish": bool(inputs.get("publish")),
        **to_aws(inputs, _SETTINGS | same_names("architectures")),
    }
    # IAM is eventually consistent: Lambda may not be able to assume a new role yet.
    retried(lambda: api.create_function(**arguments), "InvalidParameterValueException", "cannot be assumed")
    return str(inputs["name"])


def _complete_function(clients: Clients, id_: str, inputs: Props) -> None:
    api = clients.get("lambda")
    api.get_waiter("function_active_v2").wait(
        FunctionName=id_, WaiterConfig={"Delay": 0.25, "MaxAttempts": 480}
    )
    _reserve(api, inputs)


def _read_function(clients: Clients, id_: str, inputs: Props) -> Props | None:
    api = clients.get("lambda")
    answer = api.get_function(FunctionName=id_)
    live = answer["Configuration"]
    arn = live["FunctionArn"]
    version = _latest_version(api, id_) if inputs.get("publish") else "$LATEST"
    return {
        **from_aws(live, _SETTINGS | same_names("architectures", "lastModified", "packageType")),
        "layers": [layer["Arn"] for layer in live.get("Layers", [])],
        "name": live["FunctionName"],
        "reservedConcurrentExecutions": answer.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1),
        "arn": arn,
        "invokeArn": invoke_arn(clients.region, arn),
        "version": version,
        "qualifiedArn": f"{arn}:{version}",
        "qualifiedInvokeArn": invoke_arn(clients.region, f"{arn}:{version}"),
        "codeSha256": live["CodeSha256"],
        "sourceCodeHash": live["CodeSha256"],
        "sourceCodeSize": live["CodeSize"],
    }


def _update_function(clients: Clients, id_: str, old: Props, new: Props) -> None:
    api = clients.get("lambda")
    differs = set(changed(FUNCTION.inputs, old, new))
    if differs & _CODE:
        extra = to_aws(new, same_names("architectures"))
        code = new["code"].read()
        _settled(api, id_, lambda: api.update_function_code(FunctionName=id_, ZipFile=code, **extra))
    if differs & _SETTINGS.keys():
        removed = {
            _SETTINGS[key]: _EMPTIED[_SETTINGS[key]] for key in old.keys() & _SETTINGS if key not in new
        }
        arguments = {**removed, **to_aws(new, _SETTINGS)}
        _settled(api, id_, lambda: api.update_function_configuration(FunctionName=id_, **arguments))
    if "reservedConcurrentExecutions" in differs:
        _reserve(api, new)
    if new.get("publish") and differs & {"publish", *_CODE, *_SETTINGS}:
        _settled(api, id_, lambda: api.publish_version(FunctionName=id_))


def _settled(api: Any, name: str, act: Callable[[], Any]) -> None:
    """Update a function once no other update is in progress, and wait until this one has ended."""
    retried(act, "ResourceConflictException")
    api.get_waiter("function_updated_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.25, "MaxAttempts": 480}
    )


def _reserve(api: Any, inputs: Props) -> None:
    """Set the reserved concurrency; -1 (the default) is none."""
    reserved = inputs.get("reservedConcurrentExecutions", -1)
    if reserved < 0:
        api.delete_function_concurrency(FunctionName=inputs["name"])
    else:
        api.put_function_concurrency(FunctionName=inputs["name"], ReservedConcurrentExecutions=reserved)


def invoke_arn(region: str, arn: str) -> str:
    """Return the ARN by which API Gateway calls a function, version or alias."""
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _latest_version(api: Any, name: str) -> str:
    pages = api.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = [int(v["Version"]) for page in pages for v in page["Versions"] if v["Version"] != "$LATEST"]
    return str(max(numbers)) if numbers else "$LATEST"


FUNCTION = Spec(
    inputs={
        "name": VALUE,
        "role": VALUE,
        "code": LOCAL,
        "sourceCodeHash": LOCAL,
        "handler": VALUE,
        "runtime": VALUE,
        "packageType": VALUE,
        "architectures": [VALUE],
        "timeout": VALUE,
        "memorySize": VALUE,
        "description": VALUE,
        "kmsKeyArn": VALUE,
        "publish": LOCAL,
        "skipDestroy": LOCAL,
        "reservedConcurrentExecutions": VALUE,
        "environment": {"variables": MAP},
        "tracingConfig": {"mode": VALUE},
        "loggingConfig": values("logFormat", "logGroup", "applicationLogLevel", "systemLogLevel"),
        "ephemeralStorage": {"size": VALUE},
        "deadLetterConfig": {"targetArn": VALUE},
        "layers": VALUE,  # in their order: a later one replaces files of an earlier one
    },
    required=frozenset({"role", "code", "handler", "runtime"}),
    computed=frozenset(
        {"arn", "invokeArn", "qualifiedArn", "qualifiedInvokeArn", "version", "lastModified"}
        | {"codeSha256", "sourceCodeHash", "sourceCodeSize"}
    ),
    name="name",
    name_limit=64,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "packageType"}),
    defaults={
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    },
    recomputed={
        "lastModified": _CODE | _SETTINGS.keys(),
        "codeSha256": _CODE,
        "sourceCodeSize": _CODE,
        **dict.fromkeys(
            ("version", "qualifiedArn", "qualifiedInvokeArn"), _CODE | _SETTINGS.keys() | {"publish"}
        ),
    },
    unset={
        "architectures": ["x86_64"],
        "ephemeralStorage": {"size": 512},
        "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/{name}"},
        "tracingConfig": {"mode": "PassThrough"},
    },
    create=_create_function,
    complete=_complete_function,
    read=_read_function,
    update=_update_function,
    delete=lambda clients, id_, _: clients.get("lambda").delete_function(FunctionName=id_),
)
