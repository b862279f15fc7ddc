"""The provider's functions, which programs can call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider.calls import is_gone
from selfheal.sandbox.provider.spec import Props
from selfheal.sandbox.regions import partitions


@dataclass(frozen=True)
class Invoke:
    """One function: its arguments, its results and its implementation."""

    call: Callable[[Clients, Props], Props]
    """Returns the result; raises ProviderError with the AWS provider's text."""

    results: frozenset[str]
    """Every member of its result, including arguments that it returns."""

    arguments: frozenset[str] = frozenset()
    """Every argument that is implemented."""

    required: frozenset[str] = frozenset()
    """Required arguments."""


def _caller_identity(clients: Clients, args: Props) -> Props:  # noqa: ARG001
    identity = clients.get("sts").get_caller_identity()
    account = identity["Account"]
    return {"accountId": account, "arn": identity["Arn"], "userId": identity["UserId"], "id": account}


def _region(clients: Clients, args: Props) -> Props:
    region = args.get("region") or clients.region
    # `description`, the name of a place, is not available here.
    return {"id": region, "name": region, "region": region, "endpoint": f"ec2.{region}.amazonaws.com"}


def _partition(clients: Clients, args: Props) -> Props:  # noqa: ARG001
    partition = partitions()[clients.region]
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _table_item(clients: Clients, args: Props) -> Props:
    """Read one item. The two errors have the text of the AWS provider, as seen with its version 5.100."""
    id_ = f"{args['tableName']}|{args['key']}"
    optional = {
        "ExpressionAttributeNames": args.get("expressionAttributeNames"),
        "ProjectionExpression": args.get("projectionExpression"),
    }
    try:
        answer = clients.get("dynamodb").get_item(
            TableName=args["tableName"],
            Key=json.loads(args["key"]),
            ConsistentRead=True,
            **{key: value for key, value in optional.items() if value},
        )
    except ClientError as error:
        if is_gone(error):
            raise ProviderError(f"reading DynamoDB Table Item ({id_}): couldn't find resource") from error
        raise
    if not answer.get("Item"):
        raise ProviderError(f"reading DynamoDB Table Item ({id_}): empty result")
    return {**args, "id": id_, "item": json.dumps(answer["Item"], separators=(",", ":"), sort_keys=True)}


def _parameter(clients: Clients, args: Props) -> Props:
    """Read a parameter, also a public one. A SecureString's value is not repeated in the insecure one."""
    decrypt = args.get("withDecryption", True)
    live = clients.get("ssm").get_parameter(Name=args["name"], WithDecryption=decrypt)["Parameter"]
    return {
        "arn": live["ARN"],
        "id": live["Name"],
        "name": live["Name"],
        "type": live["Type"],
        "value": live["Value"],
        "insecureValue": "" if live["Type"] == "SecureString" else live["Value"],
        "version": live["Version"],
        "withDecryption": decrypt,
        "region": clients.region,
    }


_ITEM_ARGUMENTS = frozenset({"tableName", "key", "expressionAttributeNames", "projectionExpression"})

INVOKES: Mapping[str, Invoke] = {
    "aws:index/getCallerIdentity:getCallerIdentity": Invoke(
        _caller_identity, frozenset({"accountId", "arn", "userId", "id"})
    ),
    "aws:index/getRegion:getRegion": Invoke(
        _region, frozenset({"id", "name", "region", "endpoint"}), frozenset({"region"})
    ),
    "aws:index/getPartition:getPartition": Invoke(
        _partition, frozenset({"id", "partition", "dnsSuffix", "reverseDnsPrefix"})
    ),
    "aws:dynamodb/getTableItem:getTableItem": Invoke(
        _table_item,
        _ITEM_ARGUMENTS | {"id", "item"},
        _ITEM_ARGUMENTS,
        frozenset({"tableName", "key"}),
    ),
    "aws:ssm/getParameter:getParameter": Invoke(
        _parameter,
        frozenset({"arn", "id", "insecureValue", "name", "region", "type", "value", "version"})
        | {"withDecryption"},
        frozenset({"name", "withDecryption"}),
        frozenset({"name"}),
    ),
}
"""Every function, by its token."""
