"""Each source that wakes a healer has a Lambda permission of its own, and nobody else has one."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns
from selfheal_policies.documents import Statement, has_wildcard
from selfheal_policies.doors import (
    account_of,
    by_identity,
    by_service,
    is_named,
    named_by,
    roles_at,
    senders_to,
)
from selfheal_policies.evaluation import ANY, NO, OWN, YES, Request, Value, allowed, denied
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.invocations import INVOKE, Permit, permits, unreadable
from selfheal_policies.openings import principals
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import Missing
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


@dataclass(frozen=True)
class _Judged:
    """A function that nobody but what is wired to it may invoke."""

    graph: Graph
    function: Resource
    links: Sequence[Link]
    """The links that end at it."""
    told: Collection[str]
    """URNs of permissions that another rule is about: only they wire their sources to the function."""
    callers: Collection[str]
    denials: Sequence[Statement]

    def openings(self, permit: Permit) -> Iterator[str]:
        """Yield whom else a statement lets in, each as the end of a sentence."""
        if permit.changes:
            who = ", ".join(
                dict.fromkeys(_named(kind, entry) for kind, entry in principals(permit.statement))
            )
            yield f"lets {who} {', '.join(permit.changes)}"
        if permit.invokes:
            for kind, entry in principals(permit.statement):
                yield from self._invocations(permit, kind, entry)

    def _invocations(self, permit: Permit, kind: str, entry: Any) -> Iterator[str]:
        if isinstance(entry, str) and entry in self.callers:
            return
        if kind == "Service" or (permit.sources and not isinstance(entry, str)):
            # Only services speak for a source.
            yield from self._sources(permit)
        elif not isinstance(entry, str):
            yield "lets a principal that is not known at preview invoke it"
        elif entry == "*" or self._lets_in(permit, kind, entry):
            yield f"lets {_named(kind, entry)} invoke it"

    def _lets_in(self, permit: Permit, kind: str, entry: str) -> bool:
        if kind == "AWS" and is_named(self.graph.index, entry, arns.ROLE, roles_at(self.graph, self.links)):
            return False
        arn = arns.parse_arn(entry) if kind == "AWS" else None
        name = entry if arn and not entry.endswith(":root") else ""
        caller, context = by_identity(arn.account if arn else entry, name)
        resource = named_by(self.graph.index, permit.holder, permit.key, self.graph.index.node(self.function))
        return any(
            allowed([permit.statement, *self.denials], Request(caller, action, resource, context)) != NO
            for action in INVOCATIONS
        )

    def _sources(self, permit: Permit) -> Iterator[str]:
        if not permit.sources:
            yield "names no source_arn, so that any account's topic or rule may invoke it"
        for source in permit.sources:
            if not (isinstance(source, str) and source in self.callers):
                yield from self._source(permit, source)

    def _source(self, permit: Permit, source: str | Missing) -> Iterator[str]:
        index = self.graph.index
        if not isinstance(source, str):
            nodes = index.origins(permit.holder, permit.key, SOURCES)
            if not nodes:
                yield "names a source_arn that is not known at preview and comes from nothing in this stack"
        elif has_wildcard(source.removesuffix(":*") if ":log-group:" in source else source):
            nodes: list[Node] = []
            yield f"is open to many sources (source_arn {source})"
        else:
            nodes = [index.literal(source, arns.TOPIC, permit.holder)]
        wired = {link.source for link in self.links if link.kind != "permission"}
        for node in nodes:
            if node.key not in wired and permit.holder.urn not in self.told:
                name = node.resource.label if node.resource else str(source)
                yield f"lets {name} invoke it, which nothing in this stack wires to it"


def _named(kind: str, entry: Any) -> str:
    if entry == "*":
        return "anybody (principal *)"
    return f"{kind} {entry}".strip() if isinstance(entry, str) else "a principal that is not known at preview"


def lacking(graph: Graph, healer: Resource, link: Link) -> str:
    """Return what permission a link into a healer lacks, as a sentence; empty if it has one."""
    wanted = PRINCIPALS.get(link.kind)
    if wanted is None or link.target.key != healer.urn:
        return ""
    elsewhere = ""
    found = list(permits(graph, healer))
    for permit in found:
        if not _is_for(graph, permit, wanted, link):
            continue
        if _qualifier(permit.qualifier) == _qualifier(link.target.qualifier):
            if not _denied(graph, healer, found, wanted, link):
                return ""
            continue
        elsewhere = (
            f" (there is one for {permit.qualifier or 'no alias'}, and the invocation names "
            f"{link.target.qualifier or 'no alias'})"
        )
    return f"no permission lets {wanted} invoke healer {healer.name} by way of {link.via.label}{elsewhere}"


def _is_for(graph: Graph, permit: Permit, wanted: str, link: Link) -> bool:
    """Return whether a statement lets a service invoke for the source of a link, or for any source."""
    if not permit.statement.allows or not permit.invokes:
        return False
    services = [entry for kind, entry in principals(permit.statement) if kind == "Service" or entry == "*"]
    unknown = [entry for _, entry in principals(permit.statement) if not isinstance(entry, str)]
    if not unknown and not {each.lower() for each in services} & {wanted, "*"}:
        return False
    # A source that is missing is another finding.
    return not permit.sources or any(
        link.source == node.key
        for source in permit.sources
        for node in (
            [graph.index.literal(source, arns.TOPIC, permit.holder)]
            if isinstance(source, str)
            else graph.index.origins(permit.holder, permit.key, SOURCES)
        )
    )


def _denied(graph: Graph, healer: Resource, found: list[Permit], wanted: str, link: Link) -> bool:
    index = graph.index
    source = index.by_urn.get(link.source)
    for permit in found:
        named = named_by(index, permit.holder, permit.key, index.node(healer))
        speaks_for: Value = (
            named_by(index, permit.holder, permit.key, index.node(source)) if source else f"arn:{OWN}:{ANY}"
        )
        caller, context = by_service(wanted, account_of(graph, healer), speaks_for)
        if denied([permit.statement], Request(caller, INVOKE, named, context)) == YES:
            return True
    return False


def _qualifier(qualifier: str) -> str:
    return "" if qualifier == "$LATEST" else qualifier


def _links(graph: Graph, healer: Resource) -> Iterator[Link]:
    yield from graph.wake_links(healer)
    # Its schedule, and rules on alarms of other stacks, wake it as well.
    yield from (
        link for link in graph.wiring.links() if link.kind == "event-target" and link.target.key == healer.urn
    )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the links without a permission, and the permissions that are open to others."""
    senders, callers = senders_to(graph), frozenset(config["callers"])
    for healer in graph.healers:
        told = {link.via.urn for link in graph.wake_links(healer) if link.kind == "permission"}
        for function in (healer, *graph.actuators_of(healer)):
            what = (
                f"healer {healer.name}"
                if function is healer
                else f"{function.name}, what {healer.name} starts,"
            )
            found = list(permits(graph, function))
            judged = _Judged(
                graph,
                function,
                senders.get(function.urn, []),
                told,
                callers,
                [permit.statement for permit in found if not permit.statement.allows],
            )
            problems = [(holder, problem) for holder, problem in unreadable(graph, function)]
            for permit in found:
                if permit.statement.allows:
                    problems += [(permit.holder, problem) for problem in judged.openings(permit)]
            for holder, problem in problems:
                yield Finding(holder.urn, f"{holder.label} of {what} {problem}", healer.urn)
            # Which links lack a permission shows only once every permission is for one source.
            for link in _links(graph, healer) if function is healer and not problems else ():
                if problem := lacking(graph, healer, link):
                    yield Finding(link.via.urn, problem, healer.urn)


RULE = StackRule(
    name="lambda-permission-scoped",
    level="mandatory",
    severity="critical",
    what=(
        "Each topic, alarm and event rule that wakes a healer may invoke it by a permission for exactly that "
        "source and the same alias, and no permission or resource policy lets others invoke or change it."
    ),
    why="Without it the healer is never woken; with one that is too wide, others wake it at will.",
    fix=(
        "Add a permission with the service as principal, the ARN of the topic, alarm or rule as source_arn, "
        "and the qualifier that the subscription or target names. Remove the others, or name the principal "
        "or the source in `callers`."
    ),
    schema={
        "callers": strings(
            "Principals, and ARNs of sources, that may invoke healers beside what wakes them in the stack."
        ),
    },
    check=check,
)
