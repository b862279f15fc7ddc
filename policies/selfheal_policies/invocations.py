"""Who may invoke or change a function: its resource policy, made of permissions or written as a document.

Source: Lambda developer guide, "Viewing resource-based IAM policies in Lambda" and its API's AddPermission: a
permission is one statement, whose source ARN is a condition.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.actions import READ, meaning
from selfheal_policies.documents import Statement, parse
from selfheal_policies.doors import adrift
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, text

INVOKE = "lambda:InvokeFunction"

CONDITIONS = (
    ("ArnLike", "aws:SourceArn", "sourceArn"),
    ("StringEquals", "aws:SourceAccount", "sourceAccount"),
    ("StringEquals", "aws:PrincipalOrgID", "principalOrgId"),
    ("StringEquals", "lambda:FunctionUrlAuthType", "functionUrlAuthType"),
    ("StringEquals", "lambda:EventSourceToken", "eventSourceToken"),
)
"""Operator, condition key, and the property of a permission that it is made of."""

_BINDING = frozenset({"arnequals", "arnlike", "stringequals", "stringlike"})
_SERVICE_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")


@dataclass(frozen=True)
class Permit:
    """One statement on who may invoke or change a function."""

    holder: Resource
    """The resource to change."""
    key: str
    """The property of the holder by whose dependencies an unknown source is known."""
    statement: Statement
    qualifier: str
    """Alias or version that it is for; empty for none."""

    @property
    def invokes(self) -> bool:
        """Whether it lets somebody invoke the function, or may do so."""
        return self.statement.covers(INVOKE, if_unknown=True) or any(
            isinstance(action, str) and action.lower().startswith("lambda:invoke")
            for action in self.statement.actions
        )

    @property
    def changes(self) -> list[str]:
        """What else it lets somebody do than invoke and read, as people say it."""
        if self.statement.not_actions:
            return ["all actions but those of its NotAction"]
        found = [action for action in self.statement.actions if isinstance(action, str)]
        return [
            action
            for action in found
            if meaning(action) != READ and not action.lower().startswith("lambda:invoke")
        ]

    @property
    def sources(self) -> list[str | Missing]:
        """The ARNs of what it is limited to, which only services speak for; none if it is not limited."""
        return [
            value if isinstance(value, str) else UNKNOWN
            for operator, key, values in self.statement.conditions
            if operator in _BINDING and key == "aws:sourcearn"
            for value in values
        ]


def permits(graph: Graph, function: Resource) -> Iterator[Permit]:
    """Yield the statements of a function's resource policy that can be read."""
    for permission, node in graph.wiring.permissions(function):
        yield Permit(permission, "sourceArn", _statement(permission), node.qualifier)
    for policy, qualifier in _documents(graph, function):
        for statement in parse(policy.get("policy")):
            yield Permit(policy, "policy", statement, qualifier)


def unreadable(graph: Graph, function: Resource) -> Iterator[tuple[Resource, str]]:
    """Yield the documents of a function that cannot be read, each with why, as the end of a sentence."""
    for policy, _ in _documents(graph, function):
        if problem := parse(policy.get("policy")).problem:
            yield policy, problem
    for policy in adrift(graph, types.FUNCTION_POLICY, "resourceArn", arns.FUNCTION):
        yield policy, "may be its own: nobody can tell at preview what its resourceArn names"


def _documents(graph: Graph, function: Resource) -> list[tuple[Resource, str]]:
    found = graph.index.referring(function.urn, types.FUNCTION_POLICY, "resourceArn", arns.FUNCTION)
    return [(policy, node.qualifier) for policy, node in found]


def _statement(permission: Resource) -> Statement:
    condition: dict[str, dict[str, Any]] = {}
    for operator, key, name in CONDITIONS:
        value = text(permission.get(name))
        if value is not ABSENT:
            condition.setdefault(operator, {})[key] = value
    action = text(permission.get("action"))
    return Statement(
        effect="Allow",
        actions=(INVOKE if action is ABSENT else action,),
        not_actions=(),
        resources=("*",),
        not_resources=(),
        principal=_principal(text(permission.get("principal"))),
        not_principal=ABSENT,
        condition=condition or ABSENT,
    )


def _principal(given: str | Missing) -> Any:
    if not isinstance(given, str):
        return UNKNOWN
    if given == "*":
        return given
    return {"Service" if given.lower().endswith(_SERVICE_SUFFIXES) else "AWS": given}
