"""What templates of AWS FIS say: actions with their parameters, targets, roles of their experiments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, get, text

LAMBDA = "aws:lambda:"
"""How the ids of actions on functions begin."""

AUTOMATION = "aws:ssm:start-automation-execution"


@dataclass(frozen=True)
class Action:
    """One action of a template."""

    template: Resource
    id: str | Missing
    parameters: Mapping[str, Any] | Missing
    """Name to value. UNKNOWN if the whole, or the name of one, is not known at preview."""

    @property
    def label(self) -> str:
        """What findings call it."""
        name = self.id if isinstance(self.id, str) else "an action that is not known at preview"
        return f"{name} of {self.template.label}"

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter, UNKNOWN, or ABSENT."""
        return UNKNOWN if isinstance(self.parameters, Missing) else self.parameters.get(name, ABSENT)


def actions(template: Resource) -> list[Action]:
    """Return the actions of a template; what is not known at preview is one action of which nothing is."""
    return [
        Action(template, text(get(each, "actionId")), _parameters(get(each, "parameters")))
        if each is not UNKNOWN
        else Action(template, UNKNOWN, UNKNOWN)
        for each in entries(template.get("actions"))
    ]


def _parameters(value: Any) -> Mapping[str, Any] | Missing:
    found: dict[str, Any] = {}
    for each in entries(value):
        key = text(get(each, "key"))
        if not isinstance(key, str):
            return UNKNOWN
        found[key] = get(each, "value")
    return found


def templates(index: Index) -> list[Resource]:
    """Return the experiment templates of a stack."""
    return index.of(types.EXPERIMENT)


def roles_of(index: Index, template: Resource) -> list[Node]:
    """Return the role of a template; more than one, or none, if it is not clear which."""
    return index.follow_quietly(template, "roleArn", (arns.ROLE,))


def functions_of(index: Index, template: Resource) -> list[Node]:
    """Return the functions that a template names, or whose ARNs its targets come from."""
    found: list[Node] = []
    for target in entries(template.get("targets")):
        for value in entries(get(target, "resourceArns")) if target is not UNKNOWN else [UNKNOWN]:
            if isinstance(value, str):
                found.append(index.literal(value, arns.FUNCTION, template))
            elif value is UNKNOWN:
                found += index.origins(template, "targets", (arns.FUNCTION,))
    return [node for node in found if node.kind == arns.FUNCTION]
