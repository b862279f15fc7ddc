"""Composite alarms: which alarms they ask, and which of them ask one."""

from functools import cached_property

from selfheal_policies import arns, types
from selfheal_policies.composite import AlarmRule, parse_rule
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN


class AlarmTrees:
    """The alarms of one stack, with those under them."""

    def __init__(self, index: Index) -> None:
        """Follow nothing yet."""
        self._index = index
        self._rules: dict[str, AlarmRule] = {}

    def metric_alarms(self, alarm: Resource) -> list[Resource]:
        """Return the metric alarms under an alarm: itself, or what a composite is made of, at any depth."""
        return [each for each in self._below(alarm) if each.type != types.COMPOSITE_ALARM]

    def rule(self, composite: Resource) -> AlarmRule:
        """Return the rule of a composite alarm. One that is not known asks the alarms that it comes from."""
        if composite.urn not in self._rules:
            value = composite.get("alarmRule")
            if isinstance(value, str):
                self._rules[composite.urn] = parse_rule(value)
            elif value is UNKNOWN and self._index.origins(composite, "alarmRule", (arns.ALARM,)):
                self._rules[composite.urn] = AlarmRule((), "")
            else:
                missing = "it is not known at preview and comes from no alarm of this stack"
                problem = missing if value is UNKNOWN else "there is none"
                self._rules[composite.urn] = AlarmRule((), problem)
        return self._rules[composite.urn]

    def asks_itself(self, composite: Resource) -> bool:
        """Return whether a composite alarm depends on itself, through others as well."""
        children = [node.resource for node in self._children(composite) if node.resource]
        return any(composite in self._below(child) for child in children)

    def unreadable(self, alarm: Resource) -> bool:
        """Return whether what an alarm watches cannot be read, for the rule of a composite cannot."""
        composites = (each for each in self._below(alarm) if each.type == types.COMPOSITE_ALARM)
        return any(self.rule(each).problem for each in composites)

    def with_parents(self, alarm: Resource) -> list[Resource]:
        """Return an alarm and the composite alarms that ask it, at any depth."""
        return [alarm, *self._parents.get(alarm.urn, ())]

    def _below(self, alarm: Resource) -> list[Resource]:
        found, todo = {alarm.urn: alarm}, [alarm]
        while todo:
            each = todo.pop()
            if each.type == types.COMPOSITE_ALARM:
                fresh = [node.resource for node in self._children(each) if node.resource]
                todo += [child for child in fresh if child.urn not in found]
                found |= {child.urn: child for child in fresh}
        return list(found.values())

    def _children(self, composite: Resource) -> list[Node]:
        if composite.get("alarmRule") is UNKNOWN:
            return self._index.origins(composite, "alarmRule", (arns.ALARM,))
        return [self._index.literal(name, arns.ALARM, composite) for name in self.rule(composite).names]

    @cached_property
    def _parents(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for composite in self._index.of(types.COMPOSITE_ALARM):
            for each in self._below(composite):
                if each is not composite:
                    found.setdefault(each.urn, []).append(composite)
        return found
