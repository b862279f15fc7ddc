"""DynamoDB: single items of a table."""

import json
from collections.abc import Mapping
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.spec import JSON, Props, Spec, values


def _create(clients: Clients, inputs: Props) -> str:
    """Put the item unless its key exists, which is the condition of the AWS provider as well."""
    item = json.loads(inputs["item"])
    condition = {"ConditionExpression": "attribute_not_exists(#key)"}
    names = {"#key": inputs["hashKey"]}
    clients.get("dynamodb").put_item(
        TableName=inputs["tableName"], Item=item, ExpressionAttributeNames=names, **condition
    )
    parts = [inputs["tableName"], *(str(next(iter(value.values()))) for value in _key(inputs).values())]
    return "|".join(parts)


def _read(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    live = clients.get("dynamodb").get_item(
        TableName=inputs["tableName"], Key=_key(inputs), ConsistentRead=True
    )
    if not live.get("Item"):
        return None
    # Like the AWS provider, ignore attributes that someone else added.
    own = {key: value for key, value in live["Item"].items() if key in json.loads(inputs["item"])}
    return {**inputs, "item": json.dumps(own, sort_keys=True)}


def _update(clients: Clients, id_: str, old: Props, new: Props) -> None:
    before, after = (json.loads(inputs["item"]) for inputs in (old, new))
    if _key(old) != _key(new):
        _delete(clients, id_, old)
        _create(clients, new)
        return
    key = _key(new)
    puts = {name: {"Action": "PUT", "Value": value} for name, value in after.items() if name not in key}
    deletes = {name: {"Action": "DELETE"} for name in before.keys() - after.keys()}
    clients.get("dynamodb").update_item(
        TableName=new["tableName"], Key=key, AttributeUpdates={**puts, **deletes}
    )


def _delete(clients: Clients, id_: str, inputs: Props) -> None:  # noqa: ARG001
    clients.get("dynamodb").delete_item(TableName=inputs["tableName"], Key=_key(inputs))


def _key(inputs: Props) -> Mapping[str, dict[str, Any]]:
    item = json.loads(inputs["item"])
    return {name: item[name] for name in (inputs["hashKey"], inputs.get("rangeKey")) if name}


ITEM = Spec(
    inputs={**values("tableName", "hashKey", "rangeKey"), "item": JSON},
    required=frozenset({"tableName", "hashKey", "item"}),
    identity=frozenset({"tableName", "hashKey", "rangeKey", "item"}),
    replace=frozenset({"tableName", "hashKey", "rangeKey"}),
    import_id=None,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
)
