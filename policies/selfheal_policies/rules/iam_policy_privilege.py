"""A healer has no rights on identities, neither its own nor others."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.actions import is_on_identities
from selfheal_policies.grants import Grant
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings


def problems(grant: Grant, accepted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield the actions on identities that are allowed. Wildcards have a rule of their own."""
    for statement in grant.document.allowing:
        for action in statement.single_actions:
            if is_on_identities(action) and action.lower() not in accepted:
                yield Finding(grant.urn, f"{grant.where} allows {action}")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the actions on identities in the policies of healers."""
    accepted = {action.lower() for action in config["accepted"]}
    for grant in graph.grants:
        yield from problems(grant, accepted)


RULE = StackRule(
    name="iam-policy-privilege",
    level="mandatory",
    severity="critical",
    what="No policy of a healer's role allows an action of iam: or sts:, or PassRole.",
    why="With any of them a healer can give itself every other permission, so no other limit holds.",
    fix="Remove the action: no remedy needs it. Lambda assumes the role of a function by itself.",
    schema={
        "accepted": strings("Actions of iam: or sts: that are accepted, such as sts:GetCallerIdentity."),
    },
    check=check,
)
