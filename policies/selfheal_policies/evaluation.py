"""Whether a statement, or a whole policy, applies to a request: as IAM evaluates it. Pure, and never raises.

A third answer, MAYBE, stands for what cannot be known: a value that is unknown at preview, a condition key of
which nothing is known, or requests of which some match and some do not. Who asks what is open reads MAYBE as
open; who asks what is closed, or what works, reads it as neither.

Sources: IAM user guide, "Policy evaluation logic", "Condition operators", "Set operators for multivalued
context keys" and "Principal".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, cast

from selfheal_policies.documents import LONGEST, Statement, has_wildcard, resource_matches
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, flag


class Answer(IntEnum):
    """Whether something matches. The least of several answers is their "and", the greatest their "or"."""

    NO = 0
    MAYBE = 1
    YES = 2

    @property
    def opposite(self) -> "Answer":
        """The answer to the opposite question."""
        return Answer(2 - self)


NO, MAYBE, YES = Answer.NO, Answer.MAYBE, Answer.YES

ANY, OTHER, OWN = "\x01", "\x02", "\x03"
"""What stands for a value, or for a part of an ARN, of a request: whatever its sender likes; what no policy
names, such as the account of a stranger; what is ours, which a policy that names one is taken to mean."""

Value = str | Missing | Callable[[str | Missing], Answer]
"""A value of a request: text, ABSENT, or what compares itself with a pattern, or with UNKNOWN."""

_ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")
_ACCOUNT = re.compile(r"\d{12}")
_REGIONAL = re.compile(r"\.[a-z]{2}(-[a-z]+)+-\d(?=\.amazonaws\.com)")
_PARTS = 6
"""Of an ARN: arn:partition:service:region:account:resource."""


@dataclass(frozen=True)
class Caller:
    """Who sends a request."""

    kind: str
    """"Service", "AWS" for a person or program with credentials, "" for nobody in particular."""
    name: str = ""
    """Name of the service, or ARN, which may have ANY, OTHER and OWN as its parts."""
    account: str = ""


@dataclass(frozen=True)
class Request:
    """One request, or all requests of a kind."""

    caller: Caller
    action: str
    resource: Value
    context: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """Condition key, in lower case, to its value. Of a key that is left out nothing is known."""


def allowed(statements: Iterable[Statement], request: Request) -> Answer:
    """Return whether statements allow a request: a denial wins, and what nothing allows is not allowed."""
    found = list(statements)
    allows = max((applies(each, request) for each in found if each.allows), default=NO)
    return min(allows, denied(found, request).opposite)


def denied(statements: Iterable[Statement], request: Request) -> Answer:
    """Return whether statements deny a request, whatever allows it."""
    return max((applies(each, request) for each in statements if not each.allows), default=NO)


def applies(statement: Statement, request: Request) -> Answer:
    """Return whether a statement is about a request: its principal, action, resource and conditions."""
    return min(
        _action(statement, request.action),
        _principal(statement, request.caller),
        _resource(statement, request.resource),
        _conditions(statement, request.context),
    )


def _action(statement: Statement, action: str) -> Answer:
    if statement.covers(action, if_unknown=False):
        return YES
    return MAYBE if statement.covers(action, if_unknown=True) else NO


def _resource(statement: Statement, resource: Value) -> Answer:
    if statement.not_resources:
        return max(_like(each, resource) for each in statement.not_resources).opposite
    # AWS refuses a statement without a resource.
    return max((_like(each, resource) for each in statement.resources), default=MAYBE)


def _principal(statement: Statement, caller: Caller) -> Answer:
    if statement.not_principal is not ABSENT:
        return _among(statement.not_principal, caller).opposite
    return _among(statement.principal, caller)


def _among(principal: Any, caller: Caller) -> Answer:
    if isinstance(principal, dict):
        found = [
            _is(kind, entry, caller)
            for kind, value in cast("dict[str, Any]", principal).items()
            for entry in entries(value)
        ]
        return max(found, default=NO)
    return YES if principal == "*" else MAYBE


def _is(kind: str, entry: Any, caller: Caller) -> Answer:
    if not isinstance(entry, str):
        return MAYBE
    if kind == "AWS" and entry == "*":
        return YES
    if kind != caller.kind:
        return NO
    if kind == "Service":
        return is_part(plain_service(entry), caller.name)
    account = _ROOT.fullmatch(entry)
    if account or _ACCOUNT.fullmatch(entry):
        return is_part(account[1] if account else entry, caller.account)
    return arn_matches(entry, caller.name)


def plain_service(name: str) -> str:
    """Return the name of a service's principal without the region that some have, in lower case."""
    return _REGIONAL.sub("", name.lower())


# Conditions


def _conditions(statement: Statement, context: Mapping[str, Value]) -> Answer:
    condition = statement.condition
    if condition is ABSENT:
        return YES
    if not isinstance(condition, dict):
        return MAYBE
    answers = [YES]
    for operator, keys in cast("dict[str, Any]", condition).items():
        if not isinstance(keys, dict):
            answers.append(MAYBE)
            continue
        for key, values in cast("dict[str, Any]", keys).items():
            answers.append(_holds(operator.lower(), entries(values), context.get(key.lower(), UNKNOWN)))
    return min(answers)


def _holds(operator: str, values: list[Any], value: Value) -> Answer:
    every, some = operator.startswith("forallvalues:"), operator.startswith("foranyvalue:")
    operator = operator.partition(":")[2] if every or some else operator
    if operator == "null":
        return _is_absent(values, value)
    if_exists, operator = operator.endswith("ifexists"), operator.removesuffix("ifexists")
    compare = _COMPARE.get(operator.replace("not", "", 1))
    negated = "not" in operator
    if value is ABSENT:
        return YES if every or if_exists or (negated and not some) else NO
    if compare is None or value is UNKNOWN or not values:
        return MAYBE
    found = max(compare(each if isinstance(each, (str, bool)) else UNKNOWN, value) for each in values)
    return found.opposite if negated else found


def _is_absent(values: list[Any], value: Value) -> Answer:
    wanted = flag(values[0]) if len(values) == 1 else UNKNOWN
    if value is UNKNOWN or not isinstance(wanted, bool):
        return MAYBE
    return YES if (value is ABSENT) == wanted else NO


def _equal(pattern: Any, value: Value) -> Answer:
    # Here `*` and `?` are characters like others, which no value of ours has.
    return NO if isinstance(pattern, str) and has_wildcard(pattern) else _like(pattern, value)


def _equal_without_case(pattern: Any, value: Value) -> Answer:
    lower = value.lower() if isinstance(value, str) else value
    return _equal(pattern.lower() if isinstance(pattern, str) else pattern, lower)


def _bool(pattern: Any, value: Value) -> Answer:
    wanted, given = flag(pattern), flag(value)
    if not isinstance(wanted, bool) or not isinstance(given, bool):
        return MAYBE
    return YES if wanted == given else NO


def _like(pattern: Any, value: Value) -> Answer:
    """Compare as text, in which `*` stands for any characters, colons too."""
    if not isinstance(pattern, str) or "${" in pattern:
        return value(UNKNOWN) if callable(value) else MAYBE
    if callable(value):
        return value(pattern)
    if not isinstance(value, str):
        return MAYBE
    if not _stands_for_more(value) or ":" not in value:
        return is_part(pattern, value)
    if set(pattern) == {"*"}:
        return YES
    parts = pattern.split(":", _PARTS - 1)
    if len(parts) < _PARTS and pattern.endswith("*"):
        parts += ["*"] * (_PARTS - len(parts))
    answers = _parts(parts, value)
    first = next((position for position, part in enumerate(parts) if "*" in part), _PARTS)
    if NO in answers and NO not in answers[: first + 1]:
        # What that `*` stands for may have the rest of the pattern in it: an alarm may be called anything.
        return MAYBE
    return min(answers)


def arn_matches(pattern: Any, value: Value) -> Answer:
    """Return whether a pattern covers an ARN: part by part, so no `*` stands for a colon but in the last."""
    if not isinstance(pattern, str) or "${" in pattern or not isinstance(value, str):
        return _like(pattern, value)
    if pattern == "*":
        return MAYBE
    return min(_parts(pattern.split(":", _PARTS - 1), value))


_COMPARE: Mapping[str, Callable[[Any, Value], Answer]] = {
    "arnequals": arn_matches,
    "arnlike": arn_matches,
    "bool": _bool,
    "stringequals": _equal,
    "stringequalsignorecase": _equal_without_case,
    "stringlike": _like,
}
"""Operator, without what negates it, to how it compares. Whatever else there is holds perhaps."""


def _parts(parts: list[str], value: str) -> list[Answer]:
    own = value.split(":", _PARTS - 1)
    if len(parts) != len(own):
        return [NO]
    return [is_part(pattern, part) for pattern, part in zip(parts, own, strict=True)]


def is_part(pattern: str, value: str) -> Answer:
    """Return whether a pattern covers a text without colons, or one part of an ARN."""
    if len(pattern) > LONGEST:
        return MAYBE
    if value == OTHER:
        return NO if not has_wildcard(pattern) else YES if set(pattern) == {"*"} else MAYBE
    if value == ANY:
        return YES if set(pattern) == {"*"} else MAYBE
    if value == OWN:
        return YES
    return YES if resource_matches(pattern, value) else NO


def _stands_for_more(value: str) -> bool:
    return any(mark in value for mark in (ANY, OTHER, OWN))
