"""A small evaluator of IAM policy documents, for what the emulator does not enforce.

It supports what this project's documents use and raises for anything else, rather than allow it by mistake.
Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, cast

_STATEMENT_KEYS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})


WITHOUT_RESOURCE_LEVEL = {
    *("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
    *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}
"""Source: Service Authorization Reference; it lists no resource types for them. But for DescribeAlarms, of
which the CloudWatch API reference says that composite alarms need `*`."""


class Verdict(StrEnum):
    """What a set of documents says of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """By a statement that says so; no other statement can undo it."""
    NOT_ALLOWED = "not-allowed"
    """Because no statement speaks for it."""


@dataclass(frozen=True)
class Request:
    """One call of one principal."""

    action: str
    resource: str
    service: str | None = None
    """Service principal, for example cloudwatch.amazonaws.com."""
    arn: str | None = None
    """ARN of a user or role; either this or a service."""
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict[str, str | Sequence[str]])
    """Condition keys to a value, or to several for a key that may have more than one."""


def statements(text: str) -> list[dict[str, Any]]:
    """Return the statements of a policy document."""
    return as_list(json.loads(text)["Statement"])


def as_list(value: Any) -> list[Any]:
    """Return a list; a document may leave the brackets of a single element out."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def resource_policy(text: str, request: Request) -> Verdict:
    """Judge a request by a resource's policy, such as a topic's: principals count."""
    return _verdict([s for s in statements(text) if _principal(s["Principal"], request)], request)


def identity_policy(text: str, request: Request) -> Verdict:
    """Judge a request by the policy of the role that makes it."""
    return _verdict(statements(text), request)


def allows(text: str, action: str, resource: str, *items: str, **context: str | Sequence[str]) -> bool:
    """Return whether a role's policy allows a call; `items` are the keys of the ledger that it touches."""
    if items:
        context["dynamodb:LeadingKeys"] = items
    return identity_policy(text, Request(action, resource, context=context)) is Verdict.ALLOWED


def too_wide(text: str) -> list[tuple[str, str]]:
    """Return the wildcard actions of a policy, and the wildcard resources that AWS does not demand.

    The streams of one named log group count as narrow, because streams cannot be named beforehand.
    """
    return [
        (action, arn)
        for statement in statements(text)
        for action in statement["Action"]
        for arn in statement["Resource"]
        if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action)
        or ("*" in arn.removesuffix(":*") and (arn != "*" or action not in WITHOUT_RESOURCE_LEVEL))
    ]


def same_account(identity: str, resource: str, request: Request) -> Verdict:
    """Judge a request inside one account: either document may allow, and either may deny."""
    verdicts = {identity_policy(identity, request), resource_policy(resource, request)}
    for verdict in (Verdict.DENIED, Verdict.ALLOWED):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_ALLOWED


def permission_document(inputs: Mapping[str, Any], function_arn: str) -> str:
    """Return the statement that AddPermission adds to a function's policy for a `Permission`'s inputs."""
    condition: dict[str, Any] = {}
    if "sourceArn" in inputs:
        condition["ArnLike"] = {"aws:SourceArn": inputs["sourceArn"]}
    if "sourceAccount" in inputs:
        condition["StringEquals"] = {"aws:SourceAccount": inputs["sourceAccount"]}
    qualifier = f":{inputs['qualifier']}" if inputs.get("qualifier") else ""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": inputs["principal"]},
        "Action": inputs["action"],
        "Resource": function_arn + qualifier,
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _verdict(applicable: Sequence[Mapping[str, Any]], request: Request) -> Verdict:
    effects: set[str] = set()
    for statement in applicable:
        if unknown := set(statement) - _STATEMENT_KEYS:
            raise ValueError(f"the evaluator does not know {sorted(unknown)}")
        if (
            _matches(statement["Action"], request.action, ignore_case=True)
            and _matches(statement["Resource"], request.resource)
            and _conditions(statement.get("Condition", {}), request.context)
        ):
            effects.add(statement["Effect"])
    if "Deny" in effects:
        return Verdict.DENIED
    return Verdict.ALLOWED if "Allow" in effects else Verdict.NOT_ALLOWED


def _principal(principal: Any, request: Request) -> bool:
    if principal == "*":
        return True
    if set(principal) == {"Service"}:
        return request.service in as_list(principal["Service"])
    raise ValueError(f"the evaluator does not know the principal {principal}")


def _matches(patterns: Any, value: str, *, ignore_case: bool = False) -> bool:
    if ignore_case:
        return any(fnmatchcase(value.lower(), pattern.lower()) for pattern in as_list(patterns))
    return any(fnmatchcase(value, pattern) for pattern in as_list(patterns))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    # IAM treats the two alike.
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": fnmatchcase,
}

Context = Mapping[str, str | Sequence[str]]


def _conditions(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Every operator must hold for every key."""
    return all(
        _holds(name, context.get(key), as_list(values))
        for name, wanted in conditions.items()
        for key, values in wanted.items()
    )


def _holds(name: str, given: str | Sequence[str] | None, values: Sequence[str]) -> bool:
    """Return whether one condition holds; for a key that the request lacks, `given` is None.

    It then holds with `IfExists`, `Null: true` and ForAllValues only: the last is IAM's trap.
    """
    if name == "Null":
        return (given is None) == (values[0] == "true")
    quantifier, _, rest = name.rpartition(":")
    operator = rest.removesuffix("IfExists")
    if operator not in _OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise ValueError(f"the evaluator does not know the condition operator {name}")
    if given is None:
        return rest.endswith("IfExists") or quantifier == "ForAllValues"
    found = [given] if isinstance(given, str) else list(given)
    if len(found) != 1 and not quantifier:
        raise ValueError(f"{name} on several values: IAM needs ForAllValues or ForAnyValue")
    matches = [any(_OPERATORS[operator](value, wanted) for wanted in values) for value in found]
    return all(matches) if quantifier == "ForAllValues" else any(matches)
