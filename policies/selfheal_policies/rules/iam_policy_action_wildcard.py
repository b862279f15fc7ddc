"""A healer's policy names every action in full."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.documents import has_wildcard
from selfheal_policies.grants import Grant
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import Missing


def problems(grant: Grant, accepted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield the actions of what is allowed that stand for more than one, or are not known."""
    for statement in grant.document.allowing:
        if statement.not_actions:
            yield Finding(
                grant.urn, f"{grant.where} uses NotAction, which allows every action that it does not name"
            )
        for action in statement.actions:
            if isinstance(action, Missing):
                yield Finding(
                    grant.urn, f"{grant.where} allows an action that is not known at preview, so maybe any"
                )
            elif has_wildcard(action) and action.lower() not in accepted:
                yield Finding(grant.urn, f"{grant.where} allows {action}, which stands for many actions")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the wildcard actions in the policies of healers."""
    accepted = {pattern.lower() for pattern in config["accepted"]}
    for grant in graph.grants:
        yield from problems(grant, accepted)


RULE = StackRule(
    name="iam-policy-action-wildcard",
    level="mandatory",
    severity="critical",
    what="No policy of a healer's role allows an action with `*` or `?` in it, or uses NotAction.",
    why="A healer that nobody watches could do whatever the wildcard covers, now and in the future.",
    fix="Name each action that the remedy calls, for example lambda:UpdateFunctionConfiguration.",
    schema={
        "accepted": strings(
            'Patterns of actions that are accepted exactly as written, such as "logs:Put*". Nothing '
            "judges the resources they are allowed on."
        ),
    },
    check=check,
)
