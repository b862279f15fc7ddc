"""IAM policy documents: text in, statements out. Pure, and never raises."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Any, cast

from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, get, plain


@dataclass(frozen=True)
class Statement:
    """One statement. A lone value of the document is a tuple of one here."""

    effect: str
    """"Allow" or "Deny"; whatever else stands there is kept, and AWS would refuse it."""
    actions: tuple[str | Missing, ...]
    not_actions: tuple[str | Missing, ...]
    resources: tuple[str | Missing, ...]
    not_resources: tuple[str | Missing, ...]
    principal: Any
    """As in the document; ABSENT in a policy of an identity."""
    not_principal: Any
    condition: Any
    """As in the document: operator to key to value or values; ABSENT if there is none."""
    sid: str = ""

    @property
    def allows(self) -> bool:
        """Whether it gives anything."""
        return self.effect.lower() != "deny"


@dataclass(frozen=True)
class Document:
    """A policy document, or the reason why it cannot be read."""

    statements: tuple[Statement, ...] = ()
    problem: str = ""
    """Why (part of) it cannot be read, as the end of a sentence; empty when it can."""
    unknown: bool = False
    """Whether the problem is that its text, or a part, is not known at preview."""

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)


NO_DOCUMENT = Document()


def parse(value: Any) -> Document:
    """Return the document in a property that holds JSON text or, as some SDKs allow, the data itself."""
    if value is ABSENT or value is None or value == "":
        return NO_DOCUMENT
    if value is UNKNOWN:
        return Document(
            problem="is not known at preview (write ARNs with Output.concat from names, which are known)",
            unknown=True,
        )
    data = value
    if isinstance(value, str):
        try:
            data = json.loads(value)
        except (ValueError, RecursionError) as error:
            return Document(problem=f"is no JSON: {error}")
    data = plain(data)
    if not isinstance(data, dict):
        return Document(problem="is JSON, but no policy document")
    found = entries(get(data, "Statement"))
    statements = tuple(_statement(cast("dict[str, Any]", each)) for each in found if isinstance(each, dict))
    if len(statements) < len(found):
        unknown = any(each is UNKNOWN for each in found)
        problem = "has a statement that is not known at preview" if unknown else "has a malformed statement"
        return Document(statements, problem, unknown)
    return Document(statements)


def _statement(data: dict[str, Any]) -> Statement:
    effect, sid = get(data, "Effect"), get(data, "Sid")
    return Statement(
        effect=effect if isinstance(effect, str) else "Allow",
        actions=_texts(get(data, "Action")),
        not_actions=_texts(get(data, "NotAction")),
        resources=_texts(get(data, "Resource")),
        not_resources=_texts(get(data, "NotResource")),
        principal=get(data, "Principal"),
        not_principal=get(data, "NotPrincipal"),
        condition=get(data, "Condition"),
        sid=sid if isinstance(sid, str) else "",
    )


def _texts(value: Any) -> tuple[str | Missing, ...]:
    """Return texts; whatever is no text cannot be judged, and counts as unknown."""
    return tuple(entry if isinstance(entry, str) else UNKNOWN for entry in entries(value))


@lru_cache(maxsize=4096)
def _compiled(pattern: str, flags: int) -> Pattern[str]:
    # IAM knows `*` and `?` only: a bracket is a bracket.
    return compile_pattern(translate(pattern.replace("[", "[[]")), flags)


def action_matches(pattern: str, action: str) -> bool:
    """Return whether an action of a statement, in which `*` and `?` are wildcards, covers an action."""
    return _compiled(pattern, IGNORECASE).match(action) is not None


def resource_matches(pattern: str, arn: str) -> bool:
    """Return whether a resource of a statement, in which `*` and `?` are wildcards, covers an ARN."""
    return _compiled(pattern, 0).match(arn) is not None


def principals(statement: Statement, kind: str) -> tuple[str | Missing, ...]:
    """Return the principals of one kind ("Service", "AWS", "Federated"); those of `*` for every kind."""
    value = statement.principal
    if value is UNKNOWN:
        return (UNKNOWN,)
    if isinstance(value, str):
        return (value,)
    return _texts(get(value, kind))
