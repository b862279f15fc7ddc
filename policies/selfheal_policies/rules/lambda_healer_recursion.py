"""Lambda's own detection of loops stays on for healers."""

from collections.abc import Iterable

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import ABSENT, text

TERMINATE = "Terminate"
"""The default: Lambda ends a loop through SQS, SNS or S3 after about 16 turns.

Source: AWS Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops".
"""


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield what allows a healer to be called in a loop."""
    for healer in graph.healer_functions:
        for config, _ in graph.index.referring(healer.urn, types.RECURSION, "functionName", arns.FUNCTION):
            value = text(config.get("recursiveLoop"))
            if value not in (TERMINATE, ABSENT):
                shown = value if isinstance(value, str) else "not known at preview"
                yield Finding(
                    config.urn,
                    f"{config.name} sets the recursive loops of healer {healer.name} to {shown}",
                    about=healer.urn,
                )


RULE = StackRule(
    name="lambda-healer-recursion",
    level="mandatory",
    severity="critical",
    what="Lambda ends recursive loops of a healer.",
    why="A healer that wakes itself by a way that nobody saw acts without end.",
    fix="Remove the FunctionRecursionConfig, or set recursive_loop to Terminate.",
    check=check,
)
