"""Nothing silences the alarms around a healer."""

from collections.abc import Iterable

from selfheal_policies.graph import Graph
from selfheal_policies.meddling import meddlers
from selfheal_policies.rule import Config, Finding, StackRule, boolean, integer, strings
from selfheal_policies.silencing import properties, silences


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what keeps the alarms of healers from doing what they should."""
    judged = graph.wake_alarms | graph.health_alarms
    if not judged:
        return
    for each in silences(graph.index):
        if each.resource.name in config["silencers"] or (each.alarm and each.alarm.urn not in judged):
            continue
        alarm = each.alarm.label if each.alarm else "alarms that are not known at preview"
        # Of alarms that nobody knows, any healer may be the one.
        concerned = graph.concerned(each.alarm) if each.alarm else graph.healers[0].urn
        yield Finding(each.resource.urn, f"{each.resource.label} {each.what} {alarm}", about=concerned)
    for each in meddlers(graph, config["silencers"]):
        yield Finding(
            each.actor.urn,
            f"{each.actor.label} may {each.write.action} on {each.write.place} by {each.write.source.name}, "
            f"and so silence {each.part.label}, by which a healer is woken or watched",
            about=each.healer,
        )
    below = {
        one.urn: one for alarm in judged.values() for one in (alarm, *graph.wiring.trees.metric_alarms(alarm))
    }
    for alarm in below.values():
        for what in properties(alarm, config["maximumWarmUpMinutes"], wall_clock=config["allowWallClock"]):
            yield Finding(alarm.urn, f"{alarm.label} {what}", about=graph.concerned(alarm))


RULE = StackRule(
    name="cloudwatch-alarm-silenced",
    level="mandatory",
    severity="high",
    what=(
        "Nothing mutes, suppresses or delays the alarms that wake a healer, or that watch one, and no other "
        "function or state machine of the stack may do so, or change what passes them on."
    ),
    why="A muted alarm changes state without starting a healer or telling anybody.",
    fix=(
        "Leave the alarm out of the mute rule; take the suppressor, the warm-up or the window away; limit "
        "the right to alarms, topics, queues and rules that are no healer's. To silence a healer for a "
        "while, use its mode instead."
    ),
    schema={
        "silencers": strings(
            "Logical names of mute rules, schedules, workflows and functions that may silence alarms."
        ),
        "maximumWarmUpMinutes": integer("Longest warm-up of an alarm, in minutes.", 0, minimum=0),
        "allowWallClock": boolean("Accept windows that are aligned to the clock.", default=False),
    },
    check=check,
)
