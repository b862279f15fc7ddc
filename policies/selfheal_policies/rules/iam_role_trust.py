"""Only the service that runs a healer can assume its role."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies import types
from selfheal_policies.documents import parse
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings

STATES = "states.amazonaws.com"
"""The service that runs a healer that is a state machine."""


def problems(role: Resource, services: AbstractSet[str]) -> Iterable[Finding]:
    """Yield whom a role trusts beside these services."""
    document = parse(role.get("assumeRolePolicy"))
    if document.problem:
        yield Finding(role.urn, f"the trust policy of role {role.name} {document.problem}")
    elif not document.statements:
        yield Finding(role.urn, f"role {role.name} has no trust policy that can be read")
    for statement in document.allowing:
        for stranger in statement.strangers(services):
            yield Finding(role.urn, f"role {role.name} can be assumed by {stranger}")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the roles of healers that others can assume."""
    services = {service.lower() for service in config["services"]}
    for healer in graph.healers:
        for role in graph.roles_of(healer):
            yield from problems(role, services if healer.type == types.FUNCTION else {STATES})


RULE = StackRule(
    name="iam-role-trust",
    level="mandatory",
    severity="critical",
    what="The role of a healer trusts the service that runs it, which is Lambda, and nobody else.",
    why="Whoever assumes the role changes production in the healer's name, past its ledger and its limits.",
    fix='Let the trust policy name one principal: {"Service": "lambda.amazonaws.com"}.',
    schema={
        "services": strings(
            "Services that may assume the role of a healer that is a function.", ["lambda.amazonaws.com"]
        ),
    },
    check=check,
)
