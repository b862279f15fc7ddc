"""A healer's policies can be read at preview."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.roles import Grant
from selfheal_policies.rule import Config, Finding, StackRule, listed, strings


def problems(grant: Grant) -> Iterable[Finding]:
    """Yield why a policy cannot be read as a whole. Other rules find single unknown actions and resources."""
    if grant.document.problem:
        yield Finding(grant.urn, f"{grant.where} {grant.document.problem}")
    for statement in grant.document.allowing:
        if not (statement.actions or statement.not_actions):
            yield Finding(grant.urn, f"{grant.where} has a statement without Action")
        elif not (statement.resources or statement.not_resources):
            yield Finding(grant.urn, f"{grant.where} has a statement without Resource")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the policies of healers that nobody can read at preview."""
    accepted = set(config["accepted"])
    for healer in graph.healers:
        if not graph.roles_of(healer) and healer.name not in accepted:
            yield Finding(
                healer.urn,
                f"the role of {healer.name} is not one of this stack, so nothing it may do is known",
            )
    # Of what cannot be read at all, this is the one finding, however many there are of one cause.
    suspected: dict[tuple[str, str], list[str]] = {}
    for actor, causes in graph.suspects:
        found = [cause for cause in causes if cause.resource.name not in accepted]
        for cause in found[:1] if actor.name not in accepted else []:
            suspected.setdefault((cause.resource.urn, cause.what), []).append(actor.name)
    for (urn, what), names in suspected.items():
        yield Finding(urn, f"{what}, so nothing is known of what {listed(names)} may do when an alarm fires")
    for grant in graph.grants:
        if grant.resource.name not in accepted:
            yield from problems(grant)


RULE = StackRule(
    name="iam-policy-readable",
    level="mandatory",
    severity="high",
    what="Every policy of a healer's role is known at preview and is a well-formed document.",
    why="A policy that cannot be read may allow anything, and would be seen only once it is in force.",
    fix=(
        "Write the document with Output.json_dumps and ARNs with Output.concat from names, which are known "
        "at preview, and declare the role in this stack."
    ),
    schema={
        "accepted": strings(
            "Logical names of policies, and of functions whose role is declared elsewhere, that somebody "
            "vouches for."
        ),
    },
    check=check,
)
