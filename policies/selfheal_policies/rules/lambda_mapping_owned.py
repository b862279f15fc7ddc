"""What a circuit breaker changes of a mapping, Pulumi leaves alone.

A breaker is what may pause mappings (lambda:UpdateEventSourceMapping), and the mappings that it may pause are
its own. Open, it pauses them, and lets in more step by step: it owns `enabled` and `scalingConfig`.
A healer only pauses: of its mappings `enabled` is enough.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.consumers import Consumer, consumers
from selfheal_policies.documents import action_matches, is_pattern, resource_matches
from selfheal_policies.grants import grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Write
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN

PAUSE = "lambda:UpdateEventSourceMapping"
BREAKER, HEALER = ("enabled", "scalingConfig"), ("enabled",)


def ignored(mapping: Resource, key: str) -> bool:
    """Return whether Pulumi ignores a property of a mapping."""
    # A maximum concurrency is all that a scalingConfig holds.
    held = (key, "*", *(("scalingConfig.maximumConcurrency",) if key == "scalingConfig" else ()))
    return any(path in held for path in mapping.ignores)


@dataclass(frozen=True)
class Pauser:
    """A function or state machine that may pause mappings, or of which that is not known."""

    actor: Resource
    writes: list[Write]
    hidden: frozenset[str]
    """What its policies depend on that are not known at preview: they may say anything of it."""

    def may_pause(self, graph: Graph, consumer: Consumer) -> bool:
        """Return whether it may pause one mapping; when in doubt, it may."""
        if any(_concerns(graph, write, consumer) for write in self.writes):
            return True
        about = {consumer.mapping.urn, *(node.key for node in consumer.functions)}
        return bool((about - {self.actor.urn}) & self.hidden)


def pausers(graph: Graph) -> Iterator[Pauser]:
    """Yield those of a stack."""
    for actor in graph.index.of(*types.ACTORS):
        writes = [write for write in graph.access(actor).writes if action_matches(write.action, PAUSE)]
        documents = [
            grant.resource for role in graph.roles_of(actor) for grant in grants_of(graph.index, role)
        ]
        hidden = [each.references.get("policy", ()) for each in documents if each.get("policy") is UNKNOWN]
        if writes or hidden:
            yield Pauser(actor, writes, frozenset[str]().union(*hidden))


def _concerns(graph: Graph, write: Write, consumer: Consumer) -> bool:
    if not isinstance(write.resource, str):
        return True
    arn = arns.parse_arn(write.resource)
    if arn and arn.kind == arns.FUNCTION and not is_pattern(arn.name):
        named = graph.index.literal(write.resource, arns.FUNCTION)
        return not consumer.functions or named.key in {node.key for node in consumer.functions}
    own = consumer.mapping.get("arn")
    if isinstance(own, str):
        return resource_matches(write.resource, own)
    return is_pattern(write.resource)


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the mappings that the next `up` would take out of the hands of their breaker."""
    found = [each for each in pausers(graph) if each.actor.name not in config["deployers"]]
    for consumer in consumers(graph.index) if found else ():
        for actor in (each.actor for each in found if each.may_pause(graph, consumer)):
            wanted = HEALER if actor in graph.healers else BREAKER
            missing = [key for key in wanted if not ignored(consumer.mapping, key)]
            if missing:
                yield Finding(
                    consumer.mapping.urn,
                    f"{actor.label} may pause {consumer.label}, and Pulumi does not ignore its "
                    f"{', '.join(missing)}",
                )


RULE = StackRule(
    name="lambda-mapping-owned",
    level="advisory",
    resilience=True,
    severity="critical",
    what="Pulumi ignores `enabled` and `scalingConfig` of a mapping that something in the stack may pause.",
    why="The next `up` would switch a paused consumer on, at full speed, against what is down.",
    fix=(
        "Register the mapping with ResourceOptions(ignore_changes=['enabled', 'scalingConfig']); or limit "
        "lambda:UpdateEventSourceMapping to the functions in question, by the condition lambda:FunctionArn."
    ),
    schema={
        "deployers": strings("Logical names of functions and state machines that deploy and do not pause.")
    },
    check=check,
)
