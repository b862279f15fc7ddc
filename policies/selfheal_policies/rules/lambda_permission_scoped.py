"""Each source that wakes a healer has a Lambda permission of its own, and nobody else has one."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from selfheal_policies import arns
from selfheal_policies.callers import callers as callers_by_right
from selfheal_policies.documents import has_wildcard
from selfheal_policies.doors import (
    account_of,
    by_identity,
    by_service,
    is_named,
    named_by,
    roles_at,
    senders_to,
)
from selfheal_policies.evaluation import NO, YES, Request, Value, allowed, denied
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.invocations import INVOKE, Permit, permits, unreadable
from selfheal_policies.openings import principals
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import UNKNOWN, Missing
from selfheal_policies.wiring import Link

PRINCIPALS = {
    "subscription": "sns.amazonaws.com",
    "event-target": "events.amazonaws.com",
    "action": "lambda.alarms.cloudwatch.amazonaws.com",
}
"""Kind of link to the service that then invokes the function. Mappings and state machines need none."""

SOURCES = (arns.TOPIC, arns.RULE, arns.ALARM, arns.BUCKET, arns.LOG_GROUP, arns.BUS, arns.FUNCTION)
"""What a service may speak for when it invokes a function."""

INVOCATIONS = (INVOKE, "lambda:InvokeFunctionUrl")

ANY_SOURCE = ""
"""Stands for the source of a permission that names none: that is another finding."""


class _Function:
    """A function that nobody but what is wired to it may invoke."""

    def __init__(
        self, graph: Graph, function: Resource, links: Sequence[Link], callers: Collection[str]
    ) -> None:
        """Read its resource policy; `links` are those that end at it."""
        self._graph, self._function, self._callers = graph, function, callers
        self._wired = {link.source for link in links if link.kind != "permission"}
        self._roles = roles_at(graph, links)
        found = list(permits(graph, function))
        self._permits = [permit for permit in found if permit.statement.allows]
        self._denials = [permit for permit in found if not permit.statement.allows]
        self._by_source: dict[str, list[Permit]] = {}
        for permit in self._permits:
            for key in self._sources(permit):
                self._by_source.setdefault(key, []).append(permit)

    def _nodes(self, permit: Permit, source: str | Missing) -> list[Node]:
        index = self._graph.index
        if isinstance(source, str):
            return [index.literal(source, arns.TOPIC, permit.holder)]
        return index.origins(permit.holder, permit.key, SOURCES)

    def _sources(self, permit: Permit) -> set[str]:
        """Return the keys of what a statement is limited to; an empty one if it is not limited."""
        found = {node.key for source in permit.sources for node in self._nodes(permit, source)}
        return found if permit.sources else {ANY_SOURCE}

    def _named(self, permit: Permit, resource: Resource) -> Value:
        index = self._graph.index
        return named_by(index, permit.holder, permit.key, index.node(resource))

    # Whom it lets in

    def openings(self, told: Collection[str]) -> Iterator[tuple[Resource, str]]:
        """Yield how others are let in, each with the resource to change, as the end of a sentence.

        Of the resources in `told` another rule says that nothing else wires their sources to the function.
        """
        yield from unreadable(self._graph, self._function)
        for permit in self._permits:
            if permit.changes:
                who = ", ".join(dict.fromkeys(_words(*each) for each in principals(permit.statement)))
                yield permit.holder, f"lets {who} {', '.join(permit.changes)}"
            for kind, entry in principals(permit.statement) if permit.invokes else ():
                if not (isinstance(entry, str) and entry in self._callers):
                    for problem in self._invocations(permit, kind, entry, told):
                        yield permit.holder, problem

    def _invocations(self, permit: Permit, kind: str, entry: Any, told: Collection[str]) -> Iterator[str]:
        if kind == "Service" or (permit.sources and not isinstance(entry, str)):
            # Only services speak for a source.
            if not permit.sources:
                who = entry if isinstance(entry, str) else "a service that is not known at preview"
                yield f"names no source_arn, so that {who} may invoke it for whatever asks that service to"
            for source in permit.sources:
                yield from self._source(permit, source, told)
        elif not isinstance(entry, str):
            yield "lets a principal that is not known at preview invoke it"
        elif entry == "*" or self._lets_in(permit, kind, entry):
            yield f"lets {_words(kind, entry)} invoke it"

    def _lets_in(self, permit: Permit, kind: str, entry: str) -> bool:
        if kind == "AWS" and is_named(self._graph.index, entry, arns.ROLE, self._roles):
            return False
        arn = arns.parse_arn(entry) if kind == "AWS" else None
        name = entry if arn and not entry.endswith(":root") else ""
        caller, context = by_identity(arn.account if arn else entry, name)
        resource = self._named(permit, self._function)
        statements = [permit.statement, *(denial.statement for denial in self._denials)]
        requests = (Request(caller, action, resource, context) for action in INVOCATIONS)
        return any(allowed(statements, request) != NO for request in requests)

    def _source(self, permit: Permit, source: str | Missing, told: Collection[str]) -> Iterator[str]:
        if isinstance(source, str):
            if source in self._callers:
                return
            # The ARN of a log group may end in this.
            if has_wildcard(source.removesuffix(":*") if ":log-group:" in source else source):
                yield f"is open to many sources (source_arn {source})"
                return
        nodes = self._nodes(permit, source)
        if not nodes:
            yield "names a source_arn that is not known at preview and comes from nothing in this stack"
        for node in nodes:
            if node.key not in self._wired and permit.holder.urn not in told:
                name = node.resource.label if node.resource else str(source)
                yield f"lets {name} invoke it, which nothing in this stack wires to it"

    # Whom it does not let in

    def lacking(self, link: Link) -> str:
        """Return what permission a link that ends at it lacks, as a sentence; empty if it has one."""
        wanted = PRINCIPALS.get(link.kind)
        if wanted is None or link.target.key != self._function.urn:
            return ""
        elsewhere = ""
        for permit in (*self._by_source.get(link.source, ()), *self._by_source.get(ANY_SOURCE, ())):
            if not (permit.invokes and _is_for(permit, wanted)):
                continue
            if _qualifier(permit.qualifier) != _qualifier(link.target.qualifier):
                elsewhere = (
                    f" (there is one for {permit.qualifier or 'no alias'}, and the invocation names "
                    f"{link.target.qualifier or 'no alias'})"
                )
            elif not self._is_denied(wanted, link):
                return ""
        return (
            f"no permission lets {wanted} invoke healer {self._function.name} by way of {link.via.label}"
            f"{elsewhere}"
        )

    def _is_denied(self, wanted: str, link: Link) -> bool:
        source = self._graph.index.by_urn.get(link.source)
        for denial in self._denials:
            speaks_for = self._named(denial, source) if source else UNKNOWN
            caller, context = by_service(wanted, account_of(self._graph, self._function), speaks_for)
            request = Request(caller, INVOKE, self._named(denial, self._function), context)
            if denied([denial.statement], request) == YES:
                return True
        return False


def _words(kind: str, entry: Any) -> str:
    if entry == "*":
        return "anybody (principal *)"
    return f"{kind} {entry}".strip() if isinstance(entry, str) else "a principal that is not known at preview"


def _is_for(permit: Permit, service: str) -> bool:
    found = [entry for kind, entry in principals(permit.statement) if kind != "AWS" or entry == "*"]
    return any(not isinstance(entry, str) or entry.lower() in (service, "*") for entry in found)


def _qualifier(qualifier: str) -> str:
    return "" if qualifier == "$LATEST" else qualifier


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the links without a permission, and the permissions that are open to others."""
    senders, callers = senders_to(graph), frozenset(config["callers"])
    for healer in graph.healers:
        wake_links = graph.wake_links(healer)
        told = {link.via.urn for link in wake_links if link.kind == "permission"}
        for function in (healer, *graph.actuators_of(healer)):
            inward = senders.get(function.urn, [])
            judged = _Function(graph, function, inward, callers)
            problems = list(judged.openings(told))
            of = (
                f"healer {healer.name}"
                if function is healer
                else f"{function.name}, which {healer.name} starts,"
            )
            for holder, problem in problems:
                yield Finding(holder.urn, f"{holder.label} of {of} {problem}", healer.urn)
            if function is not healer or problems:
                # Which links lack a permission shows only once every permission is for one source.
                continue
            # Its schedule, and rules on alarms of other stacks, wake it as well.
            for link in (*wake_links, *(link for link in inward if link.kind == "event-target")):
                if problem := judged.lacking(link):
                    yield Finding(link.via.urn, problem, healer.urn)
    for each in callers_by_right(graph, callers):
        yield Finding(
            each.via.urn,
            f"{each.via.label} lets {each.actor.label} start healer {each.healer.name} "
            f"({graph.words([each.actor.urn, *each.way])}), and no alarm starts {each.actor.name}",
            each.healer.urn,
        )


RULE = StackRule(
    name="lambda-permission-scoped",
    level="mandatory",
    severity="critical",
    what=(
        "Each topic, alarm and event rule that wakes a healer may invoke it by a permission for exactly that "
        "source and the same alias, and no permission or resource policy lets others invoke or change it. No "
        "function or state machine that no alarm starts may invoke it, or write to what wakes it."
    ),
    why="Without it the healer is never woken; with one that is too wide, others wake it at will.",
    fix=(
        "Add a permission with the service as principal, the ARN of the topic, alarm or rule as source_arn, "
        "and the qualifier that the subscription or target names. Remove the others and take the right away "
        "from other programs, or name the principal, the source or the program in `callers`."
    ),
    schema={
        "callers": strings(
            "Principals, ARNs of sources, and logical names of functions and state machines, that may invoke "
            "healers beside what wakes them in the stack."
        ),
    },
    check=check,
)
