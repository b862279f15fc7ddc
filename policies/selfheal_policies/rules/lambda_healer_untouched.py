"""A healer is not broken on purpose, and nothing stands between Lambda and its code."""

from collections.abc import Iterable

from selfheal_policies.experiments import functions_of, templates
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""Variable that names a script which Lambda runs in place of the runtime."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the experiments on healers, and the healers that something starts in place of Lambda."""
    healers = {healer.urn: healer for healer in graph.healer_functions}
    for template in templates(graph.index):
        for urn in dict.fromkeys(node.key for node in functions_of(graph.index, template)):
            if urn in healers:
                yield Finding(template.urn, f"{template.label} breaks the healer {healers[urn].name}")
    for healer in healers.values():
        value = healer.variable(WRAPPER)
        if value is ABSENT or value == "" or value in config["wrappers"]:
            continue
        what = "is not known at preview" if value is UNKNOWN else f"is {value}"
        yield Finding(healer.urn, f"{WRAPPER} of healer {healer.name} {what}")


RULE = StackRule(
    name="lambda-healer-untouched",
    level="mandatory",
    severity="critical",
    what="No experiment of AWS FIS has a healer as target, and no healer starts through a wrapper script.",
    why="A healer that fails on command does so while it is needed; a wrapper is code that nobody judged.",
    fix="Take the healer out of the targets, and AWS_LAMBDA_EXEC_WRAPPER and its layer off the healer.",
    schema={"wrappers": strings("Paths of wrapper scripts that are trusted.")},
    check=check,
)
