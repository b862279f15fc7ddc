"""The description of an alarm links to what to do about it."""

import re
from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, string
from selfheal_policies.values import UNKNOWN


def problems(alarm: Resource, link: str) -> Iterable[Finding]:
    """Yield why the description of an alarm does not help."""
    description = alarm.get("alarmDescription")
    if description is UNKNOWN:
        yield Finding(alarm.urn, f"the description of {alarm.label} is not known at preview")
    elif not isinstance(description, str) or not description.strip():
        yield Finding(alarm.urn, f"{alarm.label} has no description")
    elif not re.search(link, description):
        yield Finding(alarm.urn, f"the description of {alarm.label} has no link")


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the alarms around healers that do not say what to do."""
    for alarm in (graph.wake_alarms | graph.health_alarms).values():
        yield from problems(alarm, config["link"])


RULE = StackRule(
    name="cloudwatch-alarm-description",
    level="advisory",
    severity="low",
    what="An alarm that wakes a healer, or watches one, has a description with a link.",
    why="Without one, whoever is on call first has to find out what the alarm means.",
    fix="Describe in alarm_description what happened and what the healer does, and link to a runbook.",
    schema={
        "link": string("Regular expression that a description must contain.", r"https?://\S+"),
    },
    check=check,
)
