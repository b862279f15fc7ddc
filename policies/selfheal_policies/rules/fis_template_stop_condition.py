"""Something ends an experiment that does harm."""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.experiments import templates
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, entries, get, text

ALARM = "aws:cloudwatch:alarm"
"""The source of a stop condition that is one. Source: FIS user guide, "Stop conditions for AWS FIS"."""


def problem(graph: Graph, template: Resource) -> str:
    """Return what is wrong with the stop conditions of a template; empty if an alarm stops it."""
    found = entries(template.get("stopConditions"))
    hidden = False
    for condition in found:
        source, value = (
            (UNKNOWN, UNKNOWN)
            if condition is UNKNOWN
            else (text(get(condition, "source")), text(get(condition, "value")))
        )
        if source == ALARM and isinstance(value, str):
            arn = arns.parse_arn(value)
            if arn and arn.kind == arns.ALARM:
                return ""
        elif source == ALARM and value is UNKNOWN:
            if graph.index.origins(template, "stopConditions", (arns.ALARM,)):
                return ""
            hidden = True
        elif source is UNKNOWN:
            hidden = True
    if hidden:
        return f"what stops {template.label} is not known at preview"
    return f"no alarm stops {template.label}"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the experiments that nothing stops."""
    for template in templates(graph.index):
        told = problem(graph, template)
        if told and template.name not in config["accepted"]:
            yield Finding(template.urn, told)


RULE = StackRule(
    name="fis-template-stop-condition",
    level="mandatory",
    severity="critical",
    what="An experiment of AWS FIS has an alarm as stop condition.",
    why="An experiment that hurts more than it should goes on while everybody looks for the cause.",
    fix=(
        "Add a stop condition with source aws:cloudwatch:alarm and the ARN of an alarm on a rate of errors: "
        "at low traffic a number of errors is never reached."
    ),
    schema={"accepted": strings("Logical names of templates that need none.")},
    check=check,
)
