"""What fails in a workflow for good is dealt with."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.machines import tasks
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, strings


def check(machine: Resource, config: Config) -> Iterable[Finding]:
    """Yield the tasks whose failure ends an execution with nothing done about it."""
    if machine.name in config["accepted"]:
        return
    # A definition that is not known at preview: states-machine-retries reports it.
    for task in tasks(machine.get("definition")):
        # What deals with a failure has nothing behind it: it only may be tried again.
        if not task.caught and not task.failing:
            yield Finding(machine.urn, f"no Catch takes every error of task {task.name} of {machine.label}")


RULE = ResourceRule(
    name="states-machine-catches",
    level="advisory",
    resilience=True,
    severity="high",
    what="Every task of a state machine is caught (States.ALL), by itself or by the state around it.",
    why="An execution that fails keeps its input only in a history that expires, and nobody redrives it.",
    fix="Add a Catch with ErrorEquals States.ALL whose Next sends the input to a dead-letter queue.",
    schema={
        "accepted": strings(
            "Logical names of state machines whose failed executions lose nothing, such as a loop."
        )
    },
    types=(types.STATE_MACHINE,),
    check=check,
)
