"""The tasks of a workflow are tried again with jitter, and not for ever."""

from collections.abc import Iterable
from typing import Any

from selfheal_policies import types
from selfheal_policies.machines import Task, tasks
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, integer
from selfheal_policies.values import ABSENT, UNKNOWN, entries, get, number


def problems(task: Task, config: Config) -> Iterable[str]:
    """Yield what is wrong with the retries of a task, each as the end of a sentence."""
    tried = [each for each in entries(get(task.state, "Retry")) if number(get(each, "MaxAttempts")) != 0]
    if not tried:
        yield "is never tried again"
    for retrier in tried:
        yield from _retrier(retrier, config)


def _retrier(retrier: Any, config: Config) -> Iterable[str]:
    if get(retrier, "JitterStrategy") != "FULL":
        yield "is tried again without jitter (JitterStrategy FULL)"
    for key, setting in (("MaxAttempts", "maximumAttempts"), ("MaxDelaySeconds", "maximumDelaySeconds")):
        limit = number(get(retrier, key))
        if limit is ABSENT:
            yield f"is tried again without a {key}"
        elif limit is not UNKNOWN and limit > config[setting]:
            yield f"is tried again with a {key} of {limit:g}; at most {config[setting]:g} is expected"


def check(machine: Resource, config: Config) -> Iterable[Finding]:
    """Yield the tasks of a state machine that are not tried again, or not as they should."""
    definition = machine.get("definition")
    if definition is UNKNOWN:
        yield Finding(machine.urn, f"the definition of {machine.label} is not known at preview")
    for task in tasks(definition):
        for told in problems(task, config):
            yield Finding(machine.urn, f"task {task.name} of {machine.label} {told}")


RULE = ResourceRule(
    name="states-machine-retries",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every task of a state machine is tried again with full jitter, a maximum of attempts and of delay.",
    why=(
        "Without jitter all executions that failed together come back together, and without a maximum they "
        "never end."
    ),
    fix=(
        "Give the task a Retry with JitterStrategy FULL, MaxAttempts and MaxDelaySeconds (MaxAttempts 0 for "
        "an error that must not be tried again). ARNs that are put together from names are known at preview."
    ),
    schema={
        "maximumAttempts": integer("Most attempts.", 20),
        "maximumDelaySeconds": integer("Most seconds between two attempts.", 900),
    },
    types=(types.STATE_MACHINE,),
    check=check,
)
