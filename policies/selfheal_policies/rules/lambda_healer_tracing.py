"""A healer is traced by X-Ray."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN


def problems(function: Resource, modes: Iterable[str]) -> Iterable[Finding]:
    """Yield why the runs of a healer are not traced."""
    mode = function.get("tracingConfig", "mode")
    if mode is UNKNOWN:
        yield Finding(function.urn, f"the tracing mode of healer {function.name} is not known at preview")
    elif mode is ABSENT:
        yield Finding(function.urn, f"healer {function.name} is not traced")
    elif mode not in modes:
        yield Finding(function.urn, f"the tracing mode of healer {function.name} is {mode}")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that are not traced."""
    for function in graph.healer_functions:
        yield from problems(function, config["modes"])


RULE = StackRule(
    name="lambda-healer-tracing",
    level="advisory",
    severity="low",
    what="A healer is traced by X-Ray.",
    why="Without a trace nobody can tell a slow or throttled call of the healer from a wrong decision.",
    fix=(
        "Set tracing_config to mode Active, and allow the role xray:PutTraceSegments and "
        "xray:PutTelemetryRecords, which have no resource level."
    ),
    schema={
        "modes": strings(
            "Tracing modes that are accepted; PassThrough traces only what is traced already.", ["Active"]
        ),
    },
    check=check,
)
