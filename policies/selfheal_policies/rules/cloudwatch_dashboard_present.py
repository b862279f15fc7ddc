"""A dashboard shows what a healer does to its targets."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN


def shows(dashboard: Resource, healer: Resource) -> bool:
    """Return whether a dashboard shows a healer: its text names it, or was made from it."""
    body, name = dashboard.get("dashboardBody"), healer.get("name")
    if isinstance(body, str) and isinstance(name, str):
        return name in body
    return body is UNKNOWN and healer.urn in dashboard.references.get("dashboardBody", ())


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that no dashboard shows."""
    for healer in graph.healers:
        seen = any(shows(dashboard, healer) for dashboard in graph.index.of(types.DASHBOARD))
        if not seen and healer.name not in config["shownElsewhere"]:
            yield Finding(healer.urn, f"no dashboard of this stack shows healer {healer.name}")


RULE = StackRule(
    name="cloudwatch-dashboard-present",
    level="advisory",
    severity="low",
    what="A dashboard of the stack shows every healer.",
    why="Without one nobody sees whether the errors fall or rise after the healer acted.",
    fix="Declare a Dashboard with the healer's invocations and errors beside the error rate of its targets.",
    schema={
        "shownElsewhere": strings("Logical names of healers that a dashboard of another stack shows."),
    },
    check=check,
)
