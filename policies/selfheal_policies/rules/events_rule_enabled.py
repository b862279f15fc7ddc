"""An event rule, a schedule or a pipe that wakes a healer is enabled."""

from collections.abc import Iterable, Iterator

from selfheal_policies import arns, types
from selfheal_policies.graph import Graph
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.values import ABSENT, UNKNOWN, flag, get, parsed
from selfheal_policies.wiring import TARGET_KINDS


def problem(rule: Resource) -> str:
    """Return why an event rule does not run, as the end of a sentence; empty if it does."""
    state, enabled = rule.get("state"), rule.get("isEnabled")
    if UNKNOWN in (state, enabled):
        return "may be disabled (its state is not known at preview)"
    if state is not ABSENT and not str(state).startswith("ENABLED"):
        return f"is in state {state}"
    # The provider's outputs hold both; the newer one decides.
    return "is disabled" if state is ABSENT and flag(enabled) is False else ""


def stopped(sleeper: Resource, key: str, running: str) -> str:
    """Return why a schedule or a pipe does not run, as the end of a sentence; empty if it does."""
    state = sleeper.get(key)
    if state is UNKNOWN:
        return "may be disabled (its state is not known at preview)"
    return "" if state in (ABSENT, running) else f"is in state {state}"


SLEEPERS = (
    (types.SCHEDULE, "target", ("arn",), "state", "ENABLED"),
    (types.PIPE, "target", (), "desiredState", "RUNNING"),
)
"""Type, where it names what it starts, and the state in which it does."""


NAMES = {
    "FunctionName": arns.FUNCTION,
    "QueueUrl": arns.QUEUE,
    "StateMachineArn": arns.MACHINE,
    "TopicArn": arns.TOPIC,
}
"""What the input of a universal target of Scheduler calls the thing that it starts."""


def called(index: Index, schedule: Resource) -> Iterator[Node]:
    """Yield what a schedule starts by a call of any AWS API: "Using universal targets" of its user guide."""
    data = parsed(schedule.get("target", "input"))
    for name, kind in NAMES.items():
        value = get(data, name)
        if isinstance(value, str):
            yield index.literal(value, kind, schedule)
        elif value is UNKNOWN and ":aws-sdk:" in str(schedule.get("target", "arn")):
            yield from index.origins(schedule, "target", (kind,))


def check(graph: Graph, _config: Config) -> Iterable[Finding]:
    """Yield the event rules, schedules and pipes that wake a healer and are not enabled."""
    healers = {healer.urn for healer in graph.healers}
    for type_, key, path, state, running in SLEEPERS:
        for sleeper in graph.index.of(type_):
            problem_ = stopped(sleeper, state, running)
            nodes = graph.index.follow_quietly(sleeper, key, TARGET_KINDS, *path) if problem_ else []
            nodes += called(graph.index, sleeper) if problem_ else ()
            if woken := sorted(key for node in nodes for key in graph.reach(node.key) & healers):
                yield Finding(sleeper.urn, f"{sleeper.label}, which wakes a healer, {problem_}", woken[0])
    for rule in graph.index.of(types.EVENT_RULE):
        woken = sorted(graph.reach(rule.urn) & healers)
        if woken and (problem_ := problem(rule)):
            yield Finding(rule.urn, f"{rule.label}, which wakes a healer, {problem_}", woken[0])


RULE = StackRule(
    name="events-rule-enabled",
    level="mandatory",
    severity="high",
    what="Every event rule, schedule and pipe that wakes a healer is enabled.",
    why="Without its schedule a healer does not resume what a lost notification or a crash left unfinished.",
    fix=(
        'Set state to "ENABLED" (of a pipe, desired_state to "RUNNING"), or leave it out. To silence a '
        "healer for a while, use its mode instead."
    ),
    check=check,
)
