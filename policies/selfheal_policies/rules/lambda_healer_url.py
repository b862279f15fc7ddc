"""Nobody can invoke a healer by a URL without credentials."""

from collections.abc import Iterable, Mapping

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, text

AUTHORIZED = "AWS_IAM"
"""The only other type is NONE. Source: Lambda developer guide, "Control access to Lambda function URLs"."""

WORDS: Mapping[str | Missing, str] = {UNKNOWN: "is not known at preview", ABSENT: "is not set"}


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the URLs of healers, and of what they start, that ask for no credentials."""
    for healer in graph.healers:
        for function in (healer, *graph.actuators_of(healer)):
            urls = graph.index.referring(function.urn, types.FUNCTION_URL, "functionName", arns.FUNCTION)
            for url, _ in urls:
                value = text(url.get("authorizationType"))
                if value == AUTHORIZED or url.name in config["accepted"]:
                    continue
                known = WORDS.get(value, f"is {value}")
                what = (
                    f"healer {healer.name}"
                    if function is healer
                    else f"{function.name}, what {healer.name} starts,"
                )
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
