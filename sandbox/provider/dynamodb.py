"""DynamoDB: tables."""

from typing import Any

from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.spec import FLAG, VALUE, Props, Spec, changed, values

_POLL: dict[str, int] = {"Delay": 1, "MaxAttempts": 300}


def _create(clients: Clients, inputs: Props) -> str:
    api = clients.get("dynamodb")
    name = str(inputs["name"])
    keys = [("HASH", inputs["hashKey"]), ("RANGE", inputs.get("rangeKey"))]
    arguments: dict[str, Any] = {
        "TableName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for kind, key in keys if key],
        "AttributeDefinitions": [
            {"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs["attributes"]
        ],
        **_billing(inputs),
        "DeletionProtectionEnabled": bool(inputs.get("deletionProtectionEnabled")),
    }
    if _encrypted(inputs):
        arguments["SSESpecification"] = _encryption(inputs)
    if inputs.get("streamEnabled"):
        arguments["StreamSpecification"] = _stream(inputs)
    if inputs.get("tableClass"):
        arguments["TableClass"] = inputs["tableClass"]
    api.create_table(**arguments)
    return name


def _complete(clients: Clients, id_: str, inputs: Props) -> None:
    clients.get("dynamodb").get_waiter("table_exists").wait(TableName=id_, WaiterConfig=_POLL)
    _set_expiry_and_recovery(clients, id_, {}, inputs)


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:
    api = clients.get("dynamodb")
    table = api.describe_table(TableName=id_)["Table"]
    if table.get("TableStatus") == "DELETING":
        return None
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    encryption = table.get("SSEDescription", {})
    key = encryption.get("KMSMasterKeyArn", "")  # for a key that AWS owns, the emulator answers its alias
    stream = table.get("StreamSpecification", {})
    return {
        "name": table["TableName"],
        "hashKey": keys["HASH"],
        "rangeKey": keys.get("RANGE"),
        "attributes": [
            {"name": a["AttributeName"], "type": a["AttributeType"]} for a in table["AttributeDefinitions"]
        ],
        "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "readCapacity": table.get("ProvisionedThroughput", {}).get("ReadCapacityUnits", 0),
        "writeCapacity": table.get("ProvisionedThroughput", {}).get("WriteCapacityUnits", 0),
        "tableClass": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
        "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
        "serverSideEncryption": {
            "enabled": encryption.get("Status") in ("ENABLED", "ENABLING", "UPDATING"),
            "kmsKeyArn": None if key.endswith(":alias/aws/dynamodb") else key or None,
        },
        "streamEnabled": stream.get("StreamEnabled", False),
        "streamViewType": stream.get("StreamViewType"),
        "ttl": _read_ttl(api, id_, inputs),
        "pointInTimeRecovery": _read_recovery(api, id_),
        "arn": table["TableArn"],
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
    }


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    differs = set(changed(TABLE.inputs, old, new))
    # UpdateTable accepts one kind of change per call.
    if differs & {"billingMode", "readCapacity", "writeCapacity"}:
        _update_table(clients, id_, _billing(new))
    if "deletionProtectionEnabled" in differs:
        wanted = bool(new.get("deletionProtectionEnabled"))
        _update_table(clients, id_, {"DeletionProtectionEnabled": wanted})
    if _encryption(old) != _encryption(new):
        _update_table(clients, id_, {"SSESpecification": _encryption(new)})
    if differs & {"streamEnabled", "streamViewType"}:
        _update_table(clients, id_, {"StreamSpecification": _stream(new)})
    if "tableClass" in differs:
        _update_table(clients, id_, {"TableClass": new.get("tableClass") or "STANDARD"})
    _set_expiry_and_recovery(clients, id_, old, new)


def _delete(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    api = clients.get("dynamodb")
    api.delete_table(TableName=id_)
    api.get_waiter("table_not_exists").wait(TableName=id_, WaiterConfig=_POLL)


def _update_table(clients: Clients, name: str, arguments: dict[str, Any]) -> None:
    api = clients.get("dynamodb")
    api.update_table(TableName=name, **arguments)
    api.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_POLL)


def _set_expiry_and_recovery(clients: Clients, name: str, old: Props, new: Props) -> None:
    api = clients.get("dynamodb")
    before, after = _expiry(old), _expiry(new)
    if before != after:
        if before["Enabled"] and after["Enabled"]:  # AWS requires it to be off before the attribute changes
            _quietly_set_ttl(api, name, {**before, "Enabled": False})
        _quietly_set_ttl(api, name, after if after["AttributeName"] else {**before, "Enabled": False})
    if _recovery(old) != _recovery(new):
        api.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=_recovery(new))


def _quietly_set_ttl(api: Any, name: str, specification: dict[str, Any]) -> None:
    try:
        api.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    except ClientError as error:
        # "TimeToLive is already enabled/disabled": an earlier update did it, and failed later.
        if "already" not in str(error):
            raise


def _billing(inputs: Props) -> dict[str, Any]:
    if inputs.get("billingMode") == "PAY_PER_REQUEST":
        return {"BillingMode": "PAY_PER_REQUEST"}
    units = {
        "ReadCapacityUnits": inputs.get("readCapacity"),
        "WriteCapacityUnits": inputs.get("writeCapacity"),
    }
    return {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units}


def _encrypted(inputs: Props) -> bool:
    return bool((inputs.get("serverSideEncryption") or {}).get("enabled"))


def _encryption(inputs: Props) -> dict[str, Any]:
    """Return the specification of encryption with a KMS key; without it, AWS uses a key of its own."""
    if not _encrypted(inputs):
        return {"Enabled": False}
    key = inputs["serverSideEncryption"].get("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS", **({"KMSMasterKeyId": key} if key else {})}


def _stream(inputs: Props) -> dict[str, Any]:
    if not inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": inputs.get("streamViewType") or "NEW_AND_OLD_IMAGES"}


def _expiry(inputs: Props) -> dict[str, Any]:
    ttl = inputs.get("ttl") or {}
    return {"AttributeName": ttl.get("attributeName", ""), "Enabled": bool(ttl.get("enabled"))}


def _recovery(inputs: Props) -> dict[str, Any]:
    wanted = inputs.get("pointInTimeRecovery") or {}
    days = wanted.get("recoveryPeriodInDays")
    return {
        "PointInTimeRecoveryEnabled": bool(wanted.get("enabled")),
        **({"RecoveryPeriodInDays": days} if days and wanted.get("enabled") else {}),
    }


def _read_ttl(api: Any, name: str, inputs: Props) -> Props:
    live = api.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    enabled = live.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    # AWS does not keep the attribute of a TTL that is off: assume the program's.
    wanted = (inputs.get("ttl") or {}).get("attributeName", "")
    return {"enabled": enabled, "attributeName": live.get("AttributeName", "" if enabled else wanted)}


def _read_recovery(api: Any, name: str) -> Props:
    backups = api.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    live = backups.get("PointInTimeRecoveryDescription", {})
    enabled = live.get("PointInTimeRecoveryStatus") == "ENABLED"
    return {
        "enabled": enabled,
        "recoveryPeriodInDays": live.get("RecoveryPeriodInDays", 35 if enabled else None),
    }


TABLE = Spec(
    inputs={
        **values("name", "hashKey", "rangeKey", "billingMode", "readCapacity", "writeCapacity", "tableClass"),
        "deletionProtectionEnabled": FLAG,
        "streamEnabled": FLAG,
        "streamViewType": VALUE,
        "attributes": [values("name", "type")],
        "serverSideEncryption": {"enabled": FLAG, "kmsKeyArn": VALUE},
        "ttl": {"attributeName": VALUE, "enabled": FLAG},
        "pointInTimeRecovery": {"enabled": FLAG, "recoveryPeriodInDays": VALUE},
    },
    required=frozenset({"hashKey", "attributes"}),
    computed=frozenset({"arn", "streamArn", "streamLabel"}),
    name="name",
    name_limit=255,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "hashKey", "rangeKey", "attributes"}),
    defaults={"billingMode": "PROVISIONED"},
    recomputed={
        "streamArn": frozenset({"streamEnabled", "streamViewType"}),
        "streamLabel": frozenset({"streamEnabled", "streamViewType"}),
    },
    unset={
        "pointInTimeRecovery": {"recoveryPeriodInDays": 35},
        "readCapacity": 0,
        "tableClass": "STANDARD",
        "writeCapacity": 0,
    },
    create=_create,
    complete=_complete,
    read=_read,
    update=_update,
    delete=_delete,
)
