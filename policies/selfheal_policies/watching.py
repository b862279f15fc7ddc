"""What an alarm watches: the functions, workflows, queues and tables to which its metrics belong.

A function is watched by its own metrics, and by those of what shows that it fails: see symptoms.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.alarm_trees import AlarmTrees
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.metrics import APIS, COUNTED, LAMBDA, NAMES, NAMES_LOWER, OWNERS, Metric, metrics_of
from selfheal_policies.queries import Condition, Query, queries_in
from selfheal_policies.resources import Resource
from selfheal_policies.symptoms import Symptoms
from selfheal_policies.values import ABSENT, UNKNOWN, entries, text

KINDS = tuple(dict.fromkeys(NAMES.values()))


@dataclass(frozen=True)
class Sight:
    """What one alarm watches."""

    named: frozenset[str]
    """Keys of what its metrics name, and of the functions behind that."""
    wide: frozenset[str]
    """Keys of what its metrics cover without naming it: the account's functions, all that a query selects."""
    problems: tuple[tuple[Resource, str], ...]
    """Metric alarms that get no data for ever, each with the reason."""
    meant: frozenset[str]
    """Keys of what those metrics were meant to name."""


class Watching:
    """What the alarms of one stack watch."""

    def __init__(self, index: Index, trees: AlarmTrees, symptoms: Symptoms) -> None:
        """Follow nothing yet."""
        self._index, self._trees, self._symptoms = index, trees, symptoms
        self._sights: dict[str, Sight] = {}

    def sight(self, alarm: Resource) -> Sight:
        """Return what an alarm watches; a composite watches what its alarms watch."""
        if alarm.urn not in self._sights:
            below = [self._sight(each) for each in self._trees.metric_alarms(alarm)]
            if len(below) == 1:
                self._sights[alarm.urn] = below[0]
            else:
                none = frozenset[str]()
                self._sights[alarm.urn] = Sight(
                    none.union(*(each.named for each in below)),
                    none.union(*(each.wide for each in below)),
                    tuple(problem for each in below for problem in each.problems),
                    none.union(*(each.meant for each in below)),
                )
        return self._sights[alarm.urn]

    def watched(self, alarm: Resource) -> frozenset[str]:
        """Return the keys of what an alarm watches, by name or among others."""
        sight = self.sight(alarm)
        return sight.named | sight.wide

    def silent(self, metric: Metric) -> bool:
        """Return whether a metric has no data while nothing happens."""
        if metric.fails or metric.namespace in ("AWS/SQS", LAMBDA):
            return True
        return any(each.silent for each in self._symptoms.filters_of(metric))

    # Metrics

    def _sight(self, alarm: Resource) -> Sight:
        if alarm.urn in self._sights:
            return self._sights[alarm.urn]
        named, wide, meant = set[str](), set[str](), set[str]()
        problems: list[tuple[Resource, str]] = []
        for metric in metrics_of(alarm):
            problem = metric.problem() or self._unnamed(alarm, metric)
            nodes = [*self._nodes(alarm, metric), *self._log_groups(alarm)]
            keys = {key for node in nodes for key in self._symptoms.of(node)}
            if problem:
                problems.append((alarm, problem))
                meant |= keys
                continue
            named |= keys.union(*(each.functions for each in self._symptoms.filters_of(metric)))
            if metric.namespace == LAMBDA and not metric.pairs and metric.dimensions is not UNKNOWN:
                functions = self._index.of(types.FUNCTION)
                wide |= {each.urn for each in functions if not self._index.are_apart(alarm, each)}
            for query in queries_in(metric.expression) if isinstance(metric.expression, str) else ():
                selected, by_name = self._selected(query, alarm)
                (named if by_name else wide).update(selected)
        sight = Sight(frozenset(named), frozenset(wide), tuple(problems), frozenset(meant))
        self._sights[alarm.urn] = sight
        return sight

    def _nodes(self, alarm: Resource, metric: Metric) -> Iterator[Node]:
        """Yield what the dimensions of a metric name."""
        if UNKNOWN in (metric.dimensions, metric.expression):
            yield from self._index.origins(alarm, metric.key, KINDS)
            yield from self._symptoms.apis_behind(alarm, metric.key)
        for name, value in metric.pairs.items():
            kind = NAMES.get(name) or NAMES_LOWER.get(name.lower())
            if name in APIS or name == "GraphQLAPIId":
                yield from self._symptoms.apis_named(alarm, metric.key, name, value)
            elif kind is None or (name == "Resource" and metric.namespace != LAMBDA):
                continue
            elif isinstance(value, str) and value:
                yield self._index.literal(value, kind, alarm)
            elif value is UNKNOWN:
                yield from self._index.origins(alarm, metric.key, (kind,))

    def _log_groups(self, alarm: Resource) -> Iterator[Node]:
        """Yield the log groups whose lines a log alarm counts."""
        key = "scheduledQueryConfiguration"
        for value in entries(alarm.get(key, "logGroupIdentifiers")):
            if isinstance(value, str):
                yield self._index.literal(value, arns.LOG_GROUP, alarm)
            else:
                yield from self._index.origins(alarm, key, (arns.LOG_GROUP,))

    def _unnamed(self, alarm: Resource, metric: Metric) -> str:
        """Return which dimension is no name: its value is unknown, and all names that it could have are not.

        A name is known at preview, an ARN is not.
        """
        if metric.namespace not in COUNTED:
            return ""
        for name, value in metric.pairs.items():
            if value is not UNKNOWN or name not in NAMES or name.endswith(("Arn", "UUID")):
                continue
            nodes = self._index.origins(alarm, metric.key, (NAMES[name],))
            origins = [self._index.by_urn.get(urn) for urn in alarm.references.get(metric.key, ())]
            if nodes and all(origin is not None and self._has_known_name(origin) for origin in origins):
                return (
                    f"the value of {name} is not known at preview, though the name of {nodes[0].name} is: "
                    "it is an ARN or an id, and the metric has the name"
                )
        return ""

    def _has_known_name(self, resource: Resource) -> bool:
        if resource.type == types.ALIAS:
            return isinstance(resource.get("name"), str)
        return resource.type in NAMED and isinstance(resource.get(NAMED[resource.type][1]), str)

    # Queries

    def _selected(self, query: Query, alarm: Resource) -> tuple[set[str], bool]:
        """Return the keys of what a query selects, and whether it does so by name."""
        found, by_name = set[str](), False
        metric = Metric("", query.namespace or ABSENT, query.metric or ABSENT, ABSENT)
        for each in self._symptoms.filters_of(metric):
            found, by_name = found | each.functions, True
        asked = {each.label for each in query.conditions} | (query.labels or frozenset[str]())
        for kind in KINDS:
            labels = {label for label, of in NAMES.items() if of == kind}
            if query.namespace not in {OWNERS.get(label) for label in labels} and not labels & asked:
                continue
            choices = [
                [each for each in choice if each.label in labels or each.label.startswith("tag.")]
                for choice in query.choices
            ]
            for condition in query.conditions:
                if condition.label in labels and not condition.negated:
                    by_name = True
                    exact = condition.values if condition.exact else ()
                    nodes = [self._index.literal(value, kind, alarm) for value in exact]
                    found |= {key for node in nodes if not node.resource for key in self._symptoms.of(node)}
            for resource in self._index.of(*(type_ for type_, (of, _) in NAMED.items() if of == kind)):
                name = text(resource.get(NAMED[resource.type][1]))
                if self._index.are_apart(alarm, resource):
                    continue
                if any(all(_holds(each, resource, name) for each in held) for held in choices):
                    found |= set(self._symptoms.of(self._index.node(resource)))
        return found, by_name


def _holds(condition: Condition, resource: Resource, name: Any) -> bool:
    """Return whether a resource may meet a condition on its name, or on a tag."""
    if not condition.label.startswith("tag."):
        if condition.label == "Resource":
            # One version left out leaves others of the same function.
            functions = tuple(each.split(":", 1)[0] for each in condition.values)
            return condition.negated or not isinstance(name, str) or name in functions
        return not isinstance(name, str) or condition.holds(name)
    tag = condition.label.removeprefix("tag.")
    value = resource.get("tags", tag)
    value = resource.get("tagsAll", tag) if value is ABSENT else value
    if value is ABSENT:
        # A resource without the tag is not selected by a value of it.
        return condition.negated
    return not isinstance(value, str) or condition.holds(value)
