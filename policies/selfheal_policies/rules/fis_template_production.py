"""In production an experiment breaks a small share of the calls. What is no sandbox is production."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.experiments import LAMBDA, Action, actions
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, integer, strings
from selfheal_policies.values import ABSENT, UNKNOWN, number

SHARES = ("invocationPercentage", "percentage")
"""Parameters by which an action limits itself to a share of the calls."""

WITHOUT_SHARE = 100.0
"""What FIS takes where an action on functions names no share. Source: its user guide, "Actions reference"."""


def problem(action: Action, most: float) -> str:
    """Return why an action is too much for production, as the end of a sentence; empty if it is not."""
    found = [value for name in SHARES if (value := action.parameter(name)) is not ABSENT]
    if UNKNOWN in found or action.id is UNKNOWN:
        return "breaks a share of the calls that is not known at preview"
    on_functions = isinstance(action.id, str) and action.id.startswith(LAMBDA)
    share = number(found[0]) if found else WITHOUT_SHARE if on_functions else ABSENT
    if share is ABSENT:
        return "cannot be limited to a share of the calls, or says none"
    if share is not UNKNOWN and 0 <= share <= most:
        return ""
    return f"breaks {share:g} % of the calls; at most {most:g} % are allowed"


def check(template: Resource, config: Config) -> Iterable[Finding]:
    """Yield the actions that break too much of production."""
    if template.sandbox:
        return
    for action in actions(template):
        told = "" if action.id in config["accepted"] else problem(action, config["maximumPercent"])
        if told:
            yield Finding(template.urn, f"in stack {template.stack} {action.label} {told}")


RULE = ResourceRule(
    name="fis-template-production",
    level="mandatory",
    severity="critical",
    what=(
        "Every action of an experiment of AWS FIS breaks a small share of calls, in every stack that is not "
        "declared a sandbox."
    ),
    why="An experiment that breaks everything is an outage that you made yourself.",
    fix=(
        "Set invocationPercentage, which is 100 where it is left out (config key chaosPercent), or keep the "
        "template out of production. A stack that nobody depends on says so: pulumi config set sandbox true."
    ),
    schema={
        "maximumPercent": integer("Largest share of the calls, in percent.", 10, 1, 100),
        "accepted": strings("Ids of actions that are accepted without a share."),
    },
    types=(types.EXPERIMENT,),
    check=check,
)
