"""IAM policy documents: JSON in, statements with their conditions out. Pure, and never raises."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import lru_cache
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Any, cast

from selfheal_policies import arns
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, get, plain

HIDDEN = "is not known at preview (write ARNs with Output.concat from names, which are known)"
"""Why a document cannot be read of which nothing at all is known."""

_TOPICS = "arn:aws:sns:region:account:name"
"""Of any topic, as far as a wildcard that leaves all of them out is concerned."""

_FUNCTION_KEYS = frozenset({"lambda:functionarn", "kms:encryptioncontext:aws:lambda:functionarn"})

_SINGLE = frozenset({"arnequals", "arnlike", "stringequals", "stringlike"})
_EVERY = frozenset({"forallvalues:stringequals", "forallvalues:stringlike"})
_SOME = frozenset({"foranyvalue:stringequals", "foranyvalue:stringlike"})


@dataclass(frozen=True)
class Statement:
    """One statement. A lone value of the document is a tuple of one here."""

    effect: str
    """"Allow" or "Deny"; anything else is kept as it is, and AWS would refuse it."""
    actions: tuple[str | Missing, ...]
    not_actions: tuple[str | Missing, ...]
    resources: tuple[str | Missing, ...]
    not_resources: tuple[str | Missing, ...]
    principal: Any
    """As in the document; ABSENT in a policy of an identity."""
    not_principal: Any
    condition: Any
    """As in the document: operator to key to value or values; ABSENT if there is none."""

    @property
    def allows(self) -> bool:
        """Whether it grants anything."""
        return self.effect.lower() != "deny"

    @property
    def single_actions(self) -> list[str]:
        """Its actions that are known and stand for one action each."""
        return [each for each in self.actions if isinstance(each, str) and not has_wildcard(each)]

    def covers(self, action: str, *, if_unknown: bool) -> bool:
        """Return whether an action is among its actions.

        Args:
            action: A single action, in full.
            if_unknown: What to answer where that depends on an action that is not known at preview.

        """
        if self.not_actions:
            return not any(_matches(each, action, if_unknown=not if_unknown) for each in self.not_actions)
        return any(_matches(each, action, if_unknown=if_unknown) for each in self.actions)

    def principals(self, kind: str) -> tuple[str | Missing, ...]:
        """Return the principals of one kind ("Service", "AWS", "Federated"); `*` is of every kind."""
        if isinstance(self.principal, dict):
            return _texts(get(self.principal, kind))
        return _texts(self.principal)

    def strangers(self, services: Collection[str]) -> Iterator[str]:
        """Yield the principals that are none of these services, which are in lower case, as people say it."""
        if self.not_principal is not ABSENT:
            yield "everybody but its NotPrincipal"
        elif not isinstance(self.principal, dict):
            yield _principal(self.principal)
        else:
            for kind, value in cast("dict[str, Any]", self.principal).items():
                for entry in entries(value):
                    if kind != "Service" or not isinstance(entry, str) or entry.lower() not in services:
                        yield _principal(entry, kind)

    @property
    def conditions(self) -> Iterator[tuple[str, str, list[Any]]]:
        """Operator, key and values of its conditions, the first two in lower case: they have no case."""
        if isinstance(self.condition, dict):
            for operator, keys in cast("dict[str, Any]", self.condition).items():
                if isinstance(keys, dict):
                    for key, values in cast("dict[str, Any]", keys).items():
                        yield operator.lower(), key.lower(), entries(values)

    @property
    def is_to_phones(self) -> bool:
        """Whether it reaches phone numbers only, if it lets publish: they have no ARN; topics are left out.

        Source: https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html, and for the
        key sns:Protocol the Service Authorization Reference.
        """
        if any(isinstance(each, str) and resource_matches(each, _TOPICS) for each in self.not_resources):
            return True
        return any(
            operator in _SINGLE and key == "sns:protocol" and values == ["sms"]
            for operator, key, values in self.conditions
        )

    def functions(self) -> Sequence[str]:
        """Return the ARNs of the functions whose event source mappings it is limited to."""
        return self._limited_to("lambda:functionarn")

    def environments(self) -> Sequence[str]:
        """Return the ARNs of the functions whose environments' encryption it is limited to."""
        return self._limited_to("kms:encryptioncontext:aws:lambda:functionarn")

    def _limited_to(self, condition: str) -> Sequence[str]:
        """Return the ARNs of the functions that this condition key names.

        None if it is not limited to functions that are named in full: a wildcard, an unknown value, or an
        operator that holds for a request without the key limits nothing.
        """
        for operator, key, values in self.conditions:
            if operator in _SINGLE and key == condition:
                found = [value for value in values if _is_function(value)]
                if found and len(found) == len(values):
                    return found
        return ()

    @property
    def partitions(self) -> list[Any]:
        """The partition keys of the items of a table that it is limited to; none if it is not limited."""
        return [
            value
            for operator, key, values in self.conditions
            if operator in _EVERY and key == "dynamodb:leadingkeys"
            for value in values
        ]

    def may_concern_item(self, item: str) -> bool:
        """Return whether items of a table whose partition key is `item`, a pattern, may be among its own."""
        return all(
            any(overlap(value, item) for value in values)
            for operator, key, values in self.conditions
            if operator in _EVERY and key == "dynamodb:leadingkeys"
        )

    def concerns_every_item(self, item: str) -> bool:
        """Return whether it holds for every item whose partition key is `item`, a pattern."""
        if self.condition is ABSENT:
            return True
        found = list(self.conditions)
        # With another operator or key it may fail to apply for another reason.
        if len(found) != 1 or not isinstance(self.condition, dict) or len(self.condition) != 1:
            return False
        [(operator, key, values)] = found
        return (
            operator in _SOME
            and key == "dynamodb:leadingkeys"
            and any(isinstance(value, str) and resource_matches(value, item) for value in values)
        )


@dataclass(frozen=True)
class Document:
    """A policy document, or the reason why it cannot be read."""

    statements: tuple[Statement, ...] = ()
    problem: str = ""
    """Why (part of) it cannot be read, as the end of a sentence; empty when it can."""

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)

    @property
    def allowing(self) -> list[Statement]:
        """The statements that grant something."""
        return [statement for statement in self.statements if statement.allows]


def parse(value: Any, resolve: Callable[[str], list[str]] | None = None) -> Document:
    """Return the document in a property that holds JSON text or, as some SDKs allow, the data itself.

    Args:
        value: The property.
        resolve: Returns, for a service such as "dynamodb", what an ARN may be that is not known at preview.

    """
    if value is ABSENT or value is None or value == "":
        return Document()
    if value is UNKNOWN:
        return Document(problem=HIDDEN)
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
    statements = tuple(
        _resolved(_statement(cast("dict[str, Any]", each)), resolve or _nothing)
        for each in found
        if isinstance(each, dict)
    )
    if len(statements) == len(found):
        return Document(statements)
    unknown = any(each is UNKNOWN for each in found)
    problem = "has a statement that is not known at preview" if unknown else "has a malformed statement"
    return Document(statements, problem)


def _statement(data: dict[str, Any]) -> Statement:
    effect = get(data, "Effect")
    return Statement(
        effect=effect if isinstance(effect, str) else "Allow",
        actions=_texts(get(data, "Action")),
        not_actions=_texts(get(data, "NotAction")),
        resources=_texts(get(data, "Resource")),
        not_resources=_texts(get(data, "NotResource")),
        principal=get(data, "Principal"),
        not_principal=get(data, "NotPrincipal"),
        condition=get(data, "Condition"),
    )


def _nothing(_: str) -> list[str]:
    return []


def _resolved(statement: Statement, resolve: Callable[[str], list[str]]) -> Statement:
    """Return a statement with what it depends on in place of the resources that are not known."""
    if UNKNOWN in statement.resources:
        services = {
            action.partition(":")[0].lower() for action in statement.actions if isinstance(action, str)
        }
        meant = tuple(arn for service in sorted(services) for arn in resolve(service))
        if meant:
            known = tuple(each for each in statement.resources if each is not UNKNOWN)
            statement = replace(statement, resources=tuple(dict.fromkeys((*known, *meant))))
    if isinstance(statement.condition, dict):
        statement = replace(statement, condition=_condition(statement.condition, resolve))
    return statement


def _condition(condition: dict[str, Any], resolve: Callable[[str], list[str]]) -> dict[str, Any]:
    """Return a condition with functions in place of those that are not known."""
    made = dict(condition)
    for operator, keys in condition.items():
        if isinstance(keys, dict):
            held = cast("dict[str, Any]", keys)
            made[operator] = {
                key: [*(each for each in entries(values) if each is not UNKNOWN), *resolve("lambda")]
                if key.lower() in _FUNCTION_KEYS and UNKNOWN in entries(values) and resolve("lambda")
                else values
                for key, values in held.items()
            }
    return made


def _texts(value: Any) -> tuple[str | Missing, ...]:
    """Return texts; whatever is no text cannot be judged, and counts as unknown."""
    return tuple(entry if isinstance(entry, str) else UNKNOWN for entry in entries(value))


LONGEST = 10_240
"""Most characters of a policy (IAM and AWS STS quotas). What is longer, AWS refuses: it is taken to match."""


@lru_cache(maxsize=4096)
def _compiled(pattern: str, flags: int) -> Pattern[str]:
    # IAM knows `*` and `?` only: a bracket is a bracket.
    return compile_pattern(translate(pattern.replace("[", "[[]")), flags)


def action_matches(pattern: str, action: str) -> bool:
    """Return whether an action of a statement, in which `*` and `?` are wildcards, covers an action."""
    return _covers(pattern, action, IGNORECASE)


def resource_matches(pattern: str, arn: str) -> bool:
    """Return whether a resource of a statement, in which `*` and `?` are wildcards, covers an ARN."""
    return _covers(pattern, arn, 0)


def _covers(pattern: str, text: str, flags: int) -> bool:
    if len(pattern) > LONGEST:
        # Each character but a `*` stands for one.
        return len(pattern.replace("*", "")) <= len(text)
    return _compiled(pattern, flags).match(text) is not None


def has_wildcard(text: str) -> bool:
    """Return whether an action, a resource or a part of an ARN has a wildcard in it."""
    return "*" in text or "?" in text


def is_pattern(text: str) -> bool:
    """Return whether a value stands for more than one. A policy variable, ${...}, may become anything."""
    return has_wildcard(text) or "${" in text


def _matches(pattern: str | Missing, action: str, *, if_unknown: bool) -> bool:
    return action_matches(pattern, action) if isinstance(pattern, str) else if_unknown


def _principal(value: object, kind: str = "") -> str:
    if value == "*":
        return "everybody (*)"
    return f"{kind} {value}".strip() if isinstance(value, str) else "a principal that is not known at preview"


def is_mapping(resource: str | Missing) -> bool:
    """Return whether a resource is event source mappings of one account and region, or one of them."""
    arn = arns.parse_arn(resource) if isinstance(resource, str) else None
    return arn is not None and arn.kind == arns.MAPPING and not is_pattern(arn.account + arn.region)


def _is_function(value: Any) -> bool:
    arn = arns.parse_arn(value) if isinstance(value, str) and not is_pattern(value) else None
    return arn is not None and arn.kind == arns.FUNCTION


def overlap(value: Any, item: str) -> bool:
    """Return whether one key may match both patterns; when in doubt, it may."""
    if not isinstance(value, str):
        return True
    if not is_pattern(value):
        return resource_matches(item, value)
    if not is_pattern(item) and "${" not in value:
        return resource_matches(value, item)
    ours, theirs = _literal(value), _literal(item)
    return ours.startswith(theirs) or theirs.startswith(ours)


def _literal(pattern: str) -> str:
    """Return a pattern up to its first wildcard or variable."""
    ends = [position for mark in ("*", "?", "${") if (position := pattern.find(mark)) >= 0]
    return pattern[: min(ends, default=len(pattern))]
