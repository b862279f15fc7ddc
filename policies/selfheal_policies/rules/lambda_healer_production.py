"""Where it is serious, a healer acts within a budget, and people hear of it.

The settings that count are variables of the healer's environment: MODE (observe, suggest or act; without it a
healer that may change something acts), BUDGET (most acts a day, a whole number) and ESCALATION_TOPIC_ARN.
"""

from collections.abc import Iterable, Iterator

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule
from selfheal_policies.rules._facts import environment, stack_of
from selfheal_policies.values import ABSENT, UNKNOWN, number, text
from selfheal_policies.wiring import CHATBOTS, MACHINE_PROTOCOLS, SUBSCRIPTION

ACT = "act"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that act in production without a budget or without a way to people."""
    for actor in graph.reached:
        if stack_of(actor.urn) in config["stacks"] and _acts(graph, actor, config):
            yield from budget_problems(actor, config)
            yield from _escalation_problems(graph, actor, config)


def _acts(graph: Graph, actor: Resource, config: Config) -> bool:
    """Return whether it may act: it says so, or it can and does not say that it will not."""
    mode = environment(actor, config["modeVariable"])
    if isinstance(mode, str) and mode.lower() == ACT:
        return True
    return actor in graph.healers and mode not in config["passiveModes"]


def budget_problems(actor: Resource, config: Config) -> Iterable[Finding]:
    """Yield why the budget of a healer is none."""
    variable, most = config["budgetVariable"], config["maximumBudget"]
    value = environment(actor, variable)
    budget = number(value)
    if budget is UNKNOWN:
        text_ = f"its {variable} is not known at preview"
    elif value is ABSENT:
        text_ = f"declares no {variable}"
    elif budget is ABSENT or budget != budget // 1 or not 1 <= budget <= most:
        text_ = f"its {variable} is {value!r}; it must be a whole number from 1 to {most:g}"
    else:
        return
    yield Finding(actor.urn, f"healer {actor.name} acts in stack {stack_of(actor.urn)} and {text_}")


def _escalation_problems(graph: Graph, actor: Resource, config: Config) -> Iterable[Finding]:
    variable = config["escalationVariable"]
    value = text(environment(actor, variable))
    if value in config["topicsElsewhere"]:
        return
    if isinstance(value, str):
        nodes = [graph.index.literal(value, arns.TOPIC)]
    else:
        nodes = graph.index.origins(actor, "environment", (arns.TOPIC,)) if value is UNKNOWN else []
    if value is ABSENT:
        problem = f"declares no {variable}"
    elif not nodes:
        problem = f"its {variable} is not known at preview and comes from no topic of this stack"
    elif not any(_reaches_people(graph, node) for node in nodes):
        problem = f"nobody is subscribed to {nodes[0].label}, its {variable}, or it wakes a healer"
    else:
        return
    yield Finding(actor.urn, f"healer {actor.name} acts in stack {stack_of(actor.urn)} and {problem}")


def _reaches_people(graph: Graph, topic: Node) -> bool:
    healers = {healer.urn for healer in graph.healers}
    return not graph.reach(topic.key) & healers and topic.key in set(_heard(graph))


def _heard(graph: Graph) -> Iterator[str]:
    """Yield the keys of the topics to which somebody is subscribed who is no machine."""
    for subscription in graph.of(SUBSCRIPTION):
        if text(subscription.get("protocol")) not in MACHINE_PROTOCOLS:
            yield from (node.key for node in graph.index.follow_quietly(subscription, "topic", (arns.TOPIC,)))
    for chatbot in graph.of(*CHATBOTS):
        yield from (node.key for node in graph.index.follow_quietly(chatbot, "snsTopicArns", (arns.TOPIC,)))


RULE = StackRule(
    name="lambda-healer-production",
    level="mandatory",
    severity="critical",
    what="In production stacks a healer acts only with a budget and a topic that a person is subscribed to.",
    why="A healer that is wrong is so every minute, and without these nothing stops it and nobody knows.",
    fix=(
        "Set MODE to observe or suggest; or declare BUDGET (acts a day) and ESCALATION_TOPIC_ARN in its "
        "environment, and subscribe a person: pulumi config set --path 'escalationEmails[0]' "
        "oncall@example.com."
    ),
    schema={
        "stacks": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["prod"],
            "description": "Names of the production stacks.",
        },
        "modeVariable": {
            "type": "string",
            "default": "MODE",
            "description": "Variable that says how much a healer may do by itself.",
        },
        "passiveModes": {
            "type": "array",
            "items": {"type": "string"},
            "default": ["observe", "suggest"],
            "description": "Its values with which a healer changes nothing unless a person approves.",
        },
        "budgetVariable": {
            "type": "string",
            "default": "BUDGET",
            "description": "Variable that holds the most acts a day, a whole number.",
        },
        "maximumBudget": {
            "type": "integer",
            "minimum": 1,
            "default": 24,
            "description": "Largest budget that still is one.",
        },
        "escalationVariable": {
            "type": "string",
            "default": "ESCALATION_TOPIC_ARN",
            "description": "Variable that holds the ARN of the topic that reaches people.",
        },
        "topicsElsewhere": {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "ARNs of topics of other stacks to which people are known to be subscribed.",
        },
    },
    check=check,
)
