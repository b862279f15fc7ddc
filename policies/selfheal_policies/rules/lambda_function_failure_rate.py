"""The failure rate of the fragile service is a number from 0 to 1, and 0 where there are real users."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, string
from selfheal_policies.values import ABSENT, UNKNOWN, number


def check(function: Resource, config: Config) -> Iterable[Finding]:
    """Yield why the failure rate of a function is none, or too high for its stack."""
    variable, stack = config["variable"], function.stack
    value = function.variable(variable)
    if value is ABSENT:
        return
    subject = f"{variable} of function {function.name}"
    most = config["maximum"] if function.sandbox else 0
    rate = number(value)
    if rate is UNKNOWN:
        # An environment that is unknown as a whole need not have the variable, unless the function is ours.
        if function.get("environment", "variables") is UNKNOWN and types.FRAGILE_SERVICE not in function.urn:
            return
        yield Finding(function.urn, f"{subject} is not known at preview; it must be at most {most:g}")
    elif rate is ABSENT or not 0 <= rate <= 1:
        yield Finding(function.urn, f"{subject} is {value!r}; it must be a number from 0 to 1")
    elif rate > most:
        yield Finding(function.urn, f"{subject} is {rate:g}; in stack {stack} it must be at most {most:g}")


RULE = ResourceRule(
    name="lambda-function-failure-rate",
    level="mandatory",
    severity="high",
    what="A function's baseline failure rate is a number from 0 to 1, and 0 in what is no declared sandbox.",
    why="A rate that is meant for a demonstration makes requests of real users fail.",
    fix=(
        "Set failureRate in the stack's configuration: pulumi config set failureRate 0. A stack that nobody "
        "depends on says so: pulumi config set sandbox true."
    ),
    schema={
        "variable": string(
            "Variable of a function's environment that holds its baseline failure rate.", "FAILURE_RATE"
        ),
        "maximum": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 1,
            "description": "Largest failure rate in a sandbox.",
        },
    },
    types=(types.FUNCTION,),
    check=check,
)
