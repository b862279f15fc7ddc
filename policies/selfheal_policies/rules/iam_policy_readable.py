"""What healers may do, and whether something is a healer, can be read at preview."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from selfheal_policies.grants import Grant
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, listed, strings


def problems(grant: Grant) -> Iterable[Finding]:
    """Yield the statements that say nothing. Other rules find single unknown actions and resources."""
    for statement in grant.document.allowing:
        if not (statement.actions or statement.not_actions):
            yield Finding(grant.urn, f"{grant.where} has a statement without Action")
        elif not (statement.resources or statement.not_resources):
            yield Finding(grant.urn, f"{grant.where} has a statement without Resource")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what nobody can read at preview of the rights of healers, and of what may be one for it."""
    accepted = set(config["accepted"])
    for healer in graph.healers:
        for cause in graph.access(healer).unreadable:
            # Of a healer, iam-role-managed-policies and iam-policy-privilege say the rest.
            if cause.resource.name not in accepted and not cause.judged_elsewhere:
                yield Finding(cause.resource.urn, cause.what, about=healer.urn)
    for grant in graph.grants:
        if grant.resource.name not in accepted:
            yield from problems(grant)
    yield from suspected(graph, accepted)


def suspected(graph: Graph, accepted: AbstractSet[str]) -> Iterable[Finding]:
    """Yield one finding for each cause for which nobody knows whether something is a healer."""
    causes: dict[tuple[str, str], list[str]] = {}
    for actor in graph.suspects:
        found = [each for each in graph.access(actor).unreadable if each.resource.name not in accepted]
        if found and actor.name not in accepted:
            path = graph.path(actor) or actor.label
            causes.setdefault((found[0].resource.urn, found[0].what), []).append(path)
    for (urn, what), paths in causes.items():
        yield Finding(urn, f"{what}, so nobody knows what this may do when an alarm fires: {listed(paths)}")


RULE = StackRule(
    name="iam-policy-readable",
    level="mandatory",
    severity="high",
    what=(
        "Every policy of a healer's role is known at preview and is a well-formed document; and what else an "
        "alarm reaches is known at preview to be no healer."
    ),
    why="A policy that cannot be read may allow anything, and would be seen only once it is in force.",
    fix=(
        "Write the document with Output.json_dumps and ARNs with Output.concat from names, which are known "
        "at preview, and declare the role, and what is attached to it, in this stack. Of what is declared "
        "elsewhere, see what it allows, and name the policy or the function in `accepted`."
    ),
    schema={
        "accepted": strings(
            "Logical names of policies, and of functions whose role is declared elsewhere, that somebody "
            "vouches for."
        ),
    },
    check=check,
)
