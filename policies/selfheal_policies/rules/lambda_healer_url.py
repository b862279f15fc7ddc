"""Nobody can invoke a healer by a URL without credentials."""

from collections.abc import Iterable, Iterator, Mapping

from selfheal_policies import arns, types
from selfheal_policies.doors import adrift
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, text

AUTHORIZED = "AWS_IAM"
"""The only other type is NONE. Source: Lambda developer guide, "Control access to Lambda function URLs"."""

WORDS: Mapping[str | Missing, str] = {UNKNOWN: "is not known at preview", ABSENT: "is not set"}


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the URLs of healers, and of what they start, that ask for no credentials."""
    lost = adrift(graph, types.FUNCTION_URL, "functionName", arns.FUNCTION)
    for healer in graph.healers:
        for function in (healer, *graph.actuators_of(healer)):
            urls = graph.index.referring(function.urn, types.FUNCTION_URL, "functionName", arns.FUNCTION)
            what = f"healer {healer.name}"
            if function is not healer:
                what = f"{function.name}, which {healer.name} starts,"
            yield from _open(config, [url for url, _ in urls], what, healer)
    for healer in graph.healer_functions[:1]:
        yield from _open(config, lost, f"what may be healer {healer.name}", healer)


def _open(config: Config, urls: Iterable[Resource], what: str, healer: Resource) -> Iterator[Finding]:
    for url in urls:
        value = text(url.get("authorizationType"))
        if value != AUTHORIZED and url.name not in config["accepted"]:
            known = WORDS.get(value, f"is {value}")
            yield Finding(
                url.urn,
                f"{url.label} lets everybody on the internet invoke {what} (authorizationType {known})",
                healer.urn,
            )


RULE = StackRule(
    name="lambda-healer-url",
    level="mandatory",
    severity="critical",
    what="A function URL of a healer, or of what it starts, asks for credentials.",
    why="Whoever knows the address decides when production is changed.",
    fix="Set authorization_type to AWS_IAM, or remove the URL: topics and alarms invoke the function itself.",
    schema={"accepted": strings("Logical names of URLs of healers that somebody vouches for.")},
    check=check,
)
