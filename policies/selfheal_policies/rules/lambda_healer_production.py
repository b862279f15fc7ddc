"""In production a healer acts within a budget, and a person hears of it. What is no sandbox is production.

The settings that count are variables of the healer's environment: MODE (observe, suggest or act; without it a
healer that may change something acts), BUDGET (most acts a day, a whole number) and ESCALATION_TOPIC_ARN.
"""

from collections.abc import Iterable

from selfheal_policies import arns
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, integer, string, strings
from selfheal_policies.values import ABSENT, UNKNOWN, number, text

ACT = "act"


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the healers that act in production without a budget or without a way to people."""
    for actor in graph.reached:
        if not actor.sandbox and _acts(graph, actor, config):
            for problem in (budget_problem(actor, config), _escalation_problem(graph, actor, config)):
                if problem:
                    yield Finding(actor.urn, f"healer {actor.name} acts in stack {actor.stack} and {problem}")


def _acts(graph: Graph, actor: Resource, config: Config) -> bool:
    """Return whether it may act: it says so, or it can and does not say that it will not."""
    mode = actor.variable(config["modeVariable"])
    if isinstance(mode, str) and mode.lower() == ACT:
        return True
    return actor in graph.healers and mode not in config["passiveModes"]


def budget_problem(actor: Resource, config: Config) -> str:
    """Return what is wrong with the budget of a healer, as the end of a sentence; empty if nothing is."""
    variable, most = config["budgetVariable"], config["maximumBudget"]
    value = actor.variable(variable)
    budget = number(value)
    if budget is UNKNOWN:
        return f"its {variable} is not known at preview"
    if value is ABSENT:
        return f"declares no {variable}"
    if budget is ABSENT or budget != budget // 1 or not 1 <= budget <= most:
        return f"its {variable} is {value!r}; it must be a whole number from 1 to {most:g}"
    return ""


def _escalation_problem(graph: Graph, actor: Resource, config: Config) -> str:
    variable = config["escalationVariable"]
    value = text(actor.variable(variable))
    if value is ABSENT:
        return f"declares no {variable}"
    if value in config["topicsElsewhere"]:
        return ""
    if isinstance(value, str):
        topics = [graph.index.literal(value, arns.TOPIC, actor)]
    else:
        topics = graph.index.origins(actor, "environment", (arns.TOPIC,))
    if not topics:
        return f"its {variable} is not known at preview and comes from no topic of this stack"
    healers = {healer.urn for healer in graph.healers}
    for topic in topics:
        if topic.key in graph.wiring.people_topics and not graph.reach(topic.key) & healers:
            return ""
    return f"nobody is subscribed to {topics[0].name}, its {variable}, or it wakes a healer"


RULE = StackRule(
    name="lambda-healer-production",
    level="mandatory",
    severity="critical",
    what=(
        "A healer acts only with a budget and a topic that a person is subscribed to, in every stack that is "
        "not declared a sandbox."
    ),
    why="A wrong healer repeats its mistake every minute; without these nothing stops it and nobody knows.",
    fix=(
        "Set MODE to observe or suggest; or declare BUDGET (acts a day) and ESCALATION_TOPIC_ARN in its "
        "environment, and subscribe a person: pulumi config set --path 'escalationEmails[0]' "
        "oncall@example.com. A stack that nobody depends on says so: pulumi config set sandbox true."
    ),
    schema={
        "modeVariable": string("Variable that says how much a healer may do by itself.", "MODE"),
        "passiveModes": strings(
            "Its values with which a healer changes nothing unless a person approves.", ["observe", "suggest"]
        ),
        "budgetVariable": string("Variable that holds the most acts a day, a whole number.", "BUDGET"),
        "maximumBudget": integer("Largest budget that still is one.", 24),
        "escalationVariable": string(
            "Variable that holds the ARN of the topic that reaches people.", "ESCALATION_TOPIC_ARN"
        ),
        "topicsElsewhere": strings(
            "ARNs of topics of other stacks to which people are known to be subscribed."
        ),
    },
    check=check,
)
