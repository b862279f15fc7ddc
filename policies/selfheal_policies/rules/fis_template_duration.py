"""An experiment ends soon, whatever becomes of it."""

import re
from collections.abc import Iterable
from typing import Any

from selfheal_policies import types
from selfheal_policies.experiments import AUTOMATION, actions
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, integer, strings
from selfheal_policies.values import ABSENT, UNKNOWN

_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_UNITS = (86400, 3600, 60, 1)

MOMENTARY = (
    "aws:cloudwatch:assert-alarm-state",
    "aws:ec2:reboot-instances",
    "aws:ec2:send-spot-instance-interruptions",
    "aws:ec2:terminate-instances",
    "aws:ecs:stop-task",
    "aws:eks:terminate-nodegroup-instances",
    "aws:rds:failover-db-cluster",
    "aws:rds:reboot-db-instances",
)
"""Actions that are done at once, without a duration. Source: FIS user guide, "AWS FIS Actions reference"."""


def seconds(value: Any) -> int | None:
    """Return the seconds of a duration in ISO 8601; None for anything else."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None or not any(found.groups()):
        return None
    return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))


def check(template: Resource, config: Config) -> Iterable[Finding]:
    """Yield the actions that last long, or for nobody knows how long."""
    most = config["maximumSeconds"]
    for action in actions(template):
        if isinstance(action.id, str) and action.id in config["momentary"]:
            continue
        name = "maxDuration" if action.id == AUTOMATION else "duration"
        value = action.parameter(name)
        length = seconds(value)
        if value is UNKNOWN:
            told = f"the {name} of {action.label} is not known at preview"
        elif value is ABSENT:
            told = f"{action.label} has no {name}"
        elif length is None:
            told = f"the {name} of {action.label} is {value!r}, which is no duration such as PT5M"
        elif length > most:
            told = f"{action.label} lasts {length} s; at most {most:g} s are allowed"
        else:
            continue
        yield Finding(template.urn, told)


RULE = ResourceRule(
    name="fis-template-duration",
    level="mandatory",
    severity="high",
    what="Every action of an experiment of AWS FIS says how long it lasts, and that is short.",
    why="Who started it may be gone when it hurts, and FIS allows twelve hours.",
    fix="Set the parameter duration, of an automation maxDuration, to minutes, such as PT5M.",
    schema={
        "maximumSeconds": integer("Longest that an action may last, in seconds.", 1800, 60, 43200),
        "momentary": strings("Actions that are done at once and have no duration.", MOMENTARY),
    },
    types=(types.EXPERIMENT,),
    check=check,
)
