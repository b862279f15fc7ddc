"""A healer does not touch identities: neither its own nor another's."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._facts import distinct
from selfheal_policies.rules._grants import Grant, grants, is_privilege, literals


def problems(grant: Grant, accepted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield the actions on identities that are allowed. One with a wildcard is another rule's."""
    for statement in grant.document:
        for action in literals(statement) if statement.allows else ():
            if is_privilege(action) and action.lower() not in accepted:
                yield Finding(grant.urn, f"{grant.where} allows {action}")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the actions on identities in the policies of healers."""
    accepted = {action.lower() for action in config["accepted"]}
    for grant in grants(graph):
        yield from distinct(problems(grant, accepted))


RULE = StackRule(
    name="iam-policy-privilege",
    level="mandatory",
    severity="critical",
    what="No policy of a healer's role allows an action of iam: or sts:, or PassRole.",
    why="With any of them a healer can give itself every other permission, so no other limit holds.",
    fix="Remove the action: no remedy needs it. Lambda assumes the role of a function by itself.",
    schema={
        "accepted": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Actions of iam: or sts: that are accepted, such as sts:GetCallerIdentity.",
        }
    },
    check=check,
)
