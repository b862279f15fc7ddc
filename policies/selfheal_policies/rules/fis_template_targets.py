"""An experiment breaks what it names, and not whatever has a tag on the day that it runs."""

from collections.abc import Iterable
from typing import Any

from selfheal_policies import arns
from selfheal_policies.documents import is_pattern
from selfheal_policies.experiments import templates
from selfheal_policies.graph import Graph
from selfheal_policies.index import NAMED
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, entries, get, text

_KINDS = frozenset(kind for kind, _ in NAMED.values())


def problems(graph: Graph, template: Resource) -> Iterable[str]:
    """Yield what is wrong with the targets of a template."""
    for target in entries(template.get("targets")):
        if target is UNKNOWN:
            if not graph.index.origins(template, "targets", _KINDS):
                yield f"the targets of {template.label} are not known at preview"
            continue
        name = text(get(target, "name"))
        yield from _problems(graph, template, target, name if isinstance(name, str) else "a target")


def _problems(graph: Graph, template: Resource, target: Any, name: str) -> Iterable[str]:
    where = f"target {name} of {template.label}"
    for key, word in (("resourceTags", "tags"), ("filters", "filters")):
        if entries(get(target, key)):
            yield f"{where} is chosen by {word}"
    named = entries(get(target, "resourceArns"))
    if not named and not entries(get(target, "resourceTags")):
        yield f"{where} names no resource"
    for value in named:
        if value is UNKNOWN:
            if not graph.index.origins(template, "targets", _KINDS):
                yield f"{where} is not known at preview"
        elif not isinstance(value, str) or is_pattern(value) or arns.parse_arn(value) is None:
            yield f"{where} is {value!r}, which is no ARN of one resource"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the targets that may be anything."""
    for template in templates(graph.index):
        if template.name not in config["accepted"]:
            for told in problems(graph, template):
                yield Finding(template.urn, told)


RULE = StackRule(
    name="fis-template-targets",
    level="mandatory",
    severity="high",
    what="The targets of an experiment of AWS FIS are ARNs of single resources, and not tags or filters.",
    why="A tag is set by anybody, and what an experiment hits is known only after it has been hit.",
    fix="Set resource_arns to the ARNs, and leave resource_tags and filters out.",
    schema={"accepted": strings("Logical names of templates that may choose otherwise.")},
    check=check,
)
