"""The IAM statement that allows a call which was denied."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal.cli.doctor.stack import Deployed
from selfheal.functions.healer.rehearsal import ON_ITEMS

_RESOURCE = re.compile(r"on resource: (arn:\S+?)[,.]?(?:\s|$)")
_SERVICES = {
    "function": "lambda",
    "event-source-mapping": "lambda",
    "table": "dynamodb",
}


def missing(
    call: str, on: str, keys: Sequence[str], said: str, deployed: Deployed
) -> Mapping[str, Any] | None:
    """Return the statement, or None where the resource cannot be told.

    Args:
        call: The IAM action, or `dynamodb:TransactWriteItems`, which stands for those of its parts.
        on: The resource, as the rehearsal names it.
        keys: Partitions of the table, to which the permission is limited.
        said: AWS's text, which may name the resource.
        deployed: The healer, for its account and region.

    """
    resource = _resource(on, said, deployed)
    if resource is None:
        return None
    actions = list(ON_ITEMS) if call == "dynamodb:TransactWriteItems" else [call]
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": [resource]}
    writes = call.startswith("dynamodb:") and call not in ("dynamodb:GetItem", "dynamodb:BatchGetItem")
    if keys and writes:
        operator = "StringLike" if any("*" in key for key in keys) else "StringEquals"
        statement["Condition"] = {
            f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": list(keys)},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
    return statement


def _resource(on: str, said: str, deployed: Deployed) -> str | None:
    if on == "*" or on.startswith("arn:"):
        return on
    named = _RESOURCE.search(said)
    if named:
        return named[1]
    service = _SERVICES.get(re.split(r"[:/]", on)[0])
    return deployed.arn(service, on) if service else None
