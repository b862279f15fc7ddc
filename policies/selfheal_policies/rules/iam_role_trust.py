"""Nobody but the Lambda service becomes a healer."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, cast

from selfheal_policies.documents import Statement, parse
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._facts import FUNCTION, distinct, subjects
from selfheal_policies.rules._grants import roles_of
from selfheal_policies.values import ABSENT, entries

STATES = "states.amazonaws.com"
"""What runs a healer that is a state machine."""


def problems(role: Resource, services: AbstractSet[str]) -> Iterable[Finding]:
    """Yield whom a role trusts beside these services."""
    document = parse(role.get("assumeRolePolicy"))
    if document.problem:
        yield Finding(role.urn, f"the trust policy of role {role.name} {document.problem}")
    elif not document.statements:
        yield Finding(role.urn, f"role {role.name} has no trust policy that can be read")
    for statement in document:
        if statement.allows:
            for stranger in _strangers(statement, services):
                yield Finding(role.urn, f"role {role.name} can be assumed by {stranger}")


def _strangers(statement: Statement, services: AbstractSet[str]) -> Iterable[str]:
    if statement.not_principal is not ABSENT:
        yield "everybody but its NotPrincipal"
    if not isinstance(statement.principal, dict):
        if statement.principal is not ABSENT or statement.not_principal is ABSENT:
            yield _named(statement.principal)
        return
    for kind, value in cast("dict[str, Any]", statement.principal).items():
        for entry in entries(value):
            if kind != "Service" or not isinstance(entry, str) or entry.lower() not in services:
                yield _named(entry, kind)


def _named(principal: object, kind: str = "") -> str:
    if principal == "*":
        return "everybody (*)"
    return f"{kind} {principal}".strip() if isinstance(principal, str) else "one that is not known at preview"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the roles of healers that others can assume."""
    services = {service.lower() for service in config["services"]}
    for actor in subjects(graph):
        for role in roles_of(graph, actor):
            yield from distinct(problems(role, services if actor.type == FUNCTION else {STATES}))


RULE = StackRule(
    name="iam-role-trust",
    level="mandatory",
    severity="critical",
    what="The role of a healer trusts the service that runs it, which is Lambda, and nobody else.",
    why="Whoever assumes the role changes production in the healer's name, past its ledger and its limits.",
    fix='Let the trust policy name one principal: {"Service": "lambda.amazonaws.com"}.',
    schema={
        "services": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["lambda.amazonaws.com"],
            "description": "Services that may assume the role of a healer that is a function.",
        }
    },
    check=check,
)
