"""What a healer may do can be read before it is deployed."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._facts import distinct, subjects
from selfheal_policies.rules._grants import Grant, grants, roles_of


def problems(grant: Grant) -> Iterable[Finding]:
    """Yield what keeps this policy from being read as a whole. A part that is unknown is judged elsewhere."""
    if grant.document.problem:
        yield Finding(grant.urn, f"{grant.where} {grant.document.problem}")
    for statement in grant.document:
        if not statement.allows:
            continue
        if not (statement.actions or statement.not_actions):
            yield Finding(grant.urn, f"{grant.where} has a statement without Action")
        elif not (statement.resources or statement.not_resources):
            yield Finding(grant.urn, f"{grant.where} has a statement without Resource")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the policies of healers that nobody can read at preview."""
    accepted = set(config["accepted"])
    for actor in subjects(graph):
        if not roles_of(graph, actor) and actor.name not in accepted:
            yield Finding(
                actor.urn,
                f"the role of {actor.name} is not one of this stack, so nothing it may do is known",
            )
    for grant in grants(graph):
        if grant.resource.name not in accepted:
            yield from distinct(problems(grant))


RULE = StackRule(
    name="iam-policy-readable",
    level="mandatory",
    severity="high",
    what="Every policy of a healer's role is known at preview and is a well-formed document.",
    why="What cannot be read may allow anything, and would first be seen when it is in force.",
    fix=(
        "Write the document with Output.json_dumps and ARNs with Output.concat from names, which are known "
        "at preview, and declare the role in this stack."
    ),
    schema={
        "accepted": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": (
                "Logical names of policies, and of functions whose role is declared elsewhere, that somebody "
                "vouches for."
            ),
        }
    },
    check=check,
)
