"""What restrains a healer is written by people: by no function, no program and no policy that is open."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, Statement, is_pattern, parse, resource_matches
from selfheal_policies.grants import Grant, attachments_of, boundary_of, grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.index import Node
from selfheal_policies.ledger import TABLE_CHANGES, Ledger, denies, items_of, ledgers, seeded, writes_in
from selfheal_policies.resolving import resolver
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, listed, string, strings
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, get, parsed, text

WIDE = ("AdministratorAccess", "AmazonDynamoDBFullAccess", "AmazonDynamoDBFullAccess_v2", "PowerUserAccess")
"""AWS-managed policies that write items of every table. Source: AWS managed policy reference."""

PEOPLE = ("AWS", "Federated")
"""Kinds of principals that people have. Programs may have them as well; AWS's services do not."""

Machines = Mapping[str, Sequence[str]]
"""URN of a role to what runs under it, as findings call that."""


@dataclass(frozen=True)
class _Read:
    """What is read once for all ledgers."""

    machines: Machines
    roles: Sequence[tuple[Resource, Sequence[Grant]]]
    """The roles of programs, each with the documents in force for it."""
    documents: Sequence[tuple[Resource, Document]]
    """What people may have."""


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield what but people may write the items of a ledger that restrain its healer."""
    found = ledgers(graph, config["ledgerVariable"])
    if not found:
        return
    read = _read(graph, set(config["accepted"]))
    for ledger in found:
        for finding in _all(graph, ledger, config, read):
            yield Finding(finding.urn, finding.message, about=ledger.healer.urn)


def _read(graph: Graph, accepted: set[str]) -> _Read:
    machines = _machines(graph)
    healers = {role.urn for healer in graph.healer_functions for role in graph.roles_of(healer)}
    # The role of a healer is judged by dynamodb-ledger-approvals.
    roles = [
        (role, list(grants_of(graph.index, role)))
        for role in graph.index.of(types.ROLE)
        if role.urn not in healers and role.name not in accepted and not _is_for_people(role, machines)
    ]
    documents = [each for each in _documents(graph, machines) if each[0].name not in accepted]
    return _Read(machines, roles, documents)


def _all(graph: Graph, ledger: Ledger, config: Config, read: _Read) -> Iterator[Finding]:
    protected: list[str] = config["protected"]
    yield from _items(graph, ledger, [*protected, *config["protectedItems"]])
    yield from _tables_policies(graph, ledger, protected, read.machines)
    for role, grants in read.roles:
        yield from _roles_grants(graph, ledger, role, grants, protected, read.machines)
    yield from _peoples(graph, ledger, protected, read.documents)


def _items(graph: Graph, ledger: Ledger, protected: list[str]) -> Iterator[Finding]:
    """Yield the items that the program itself puts there."""
    for item, table in seeded(graph):
        if table.key != ledger.node.key:
            continue
        key = _partition(item)
        if key is UNKNOWN:
            yield Finding(
                item.urn, f"which item {item.name} puts into the {_said(ledger)} is not known at preview"
            )
        elif isinstance(key, str) and any(resource_matches(each, key) for each in protected):
            yield Finding(item.urn, f"{item.name} puts the item {key} into the {_said(ledger)}")


def _partition(item: Resource) -> str | Missing:
    """Return the partition key of an item."""
    content = parsed(item.get("item"))
    name = text(item.get("hashKey"))
    if not isinstance(content, dict) or not isinstance(name, str):
        return UNKNOWN
    return text(get(content, name, "S"))


def _tables_policies(
    graph: Graph, ledger: Ledger, protected: list[str], machines: Machines
) -> Iterator[Finding]:
    """Yield what the table's own policy opens."""
    attached = graph.index.referring(ledger.node.key, types.TABLE_RESOURCE_POLICY, "resourceArn", arns.TABLE)
    for holder, _ in attached:
        document = parse(holder.get("policy"), resolver(graph.index, holder, "policy"))
        if document.problem:
            yield Finding(holder.urn, f"policy {holder.name} of the {_said(ledger)} {document.problem}")
        for statement in document.allowing:
            for action, _ in writes_in(graph, statement, ledger):
                if _is_open(graph, statement, machines) or _beyond(statement, protected):
                    yield Finding(
                        holder.urn,
                        f"policy {holder.name} of the {_said(ledger)} allows {action} to "
                        f"{listed(statement.strangers(()))}",
                    )


def _is_open(graph: Graph, statement: Statement, machines: Machines) -> bool:
    """Return whether a statement is for others than single roles or users that are no function's."""
    if statement.not_principal is not ABSENT or not isinstance(statement.principal, dict):
        return True
    if set(statement.principal) - {"AWS"}:
        return True
    for each in statement.principals("AWS"):
        if not isinstance(each, str) or is_pattern(each) or ":root" in each or ":" not in each:
            return True
        if graph.index.literal(each, arns.ROLE).key in machines:
            return True
    return False


def _roles_grants(  # noqa: PLR0917 - all of it is read once for all ledgers
    graph: Graph,
    ledger: Ledger,
    role: Resource,
    grants: Sequence[Grant],
    protected: list[str],
    machines: Machines,
) -> Iterator[Finding]:
    """Yield what the role of a program may write of what only people may write."""
    who = listed(machines[role.urn]) if role.urn in machines else f"role {role.name}"
    denials = [each for grant in grants for each in grant.document if not each.allows]
    for grant in grants:
        for statement in grant.document.allowing:
            for action, _ in writes_in(graph, statement, ledger):
                items = [
                    item
                    for item in items_of(statement, protected)
                    if not denies(denials, graph, ledger, item)
                ]
                if items:
                    yield Finding(
                        grant.urn,
                        f"{grant.where} allows {who} {action} on {', '.join(items)} of the {_said(ledger)}",
                    )
            written = {action for action, _ in writes_in(graph, statement, ledger)}
            for action, _ in writes_in(graph, statement, ledger, TABLE_CHANGES):
                if action not in written:
                    yield Finding(grant.urn, f"{grant.where} allows {who} {action} on the {_said(ledger)}")
    for attachment in attachments_of(graph.index, role):
        arn = attachment.arn
        name = arns.named(arn, arns.POLICY).name if isinstance(arn, str) and attachment.policy is None else ""
        if name in WIDE and not all(denies(denials, graph, ledger, item) for item in protected):
            yield Finding(
                attachment.resource.urn,
                f"{attachment.where} {name}, which allows {who} every write of the {_said(ledger)}",
            )


def _machines(graph: Graph) -> Machines:
    found: dict[str, list[str]] = {}
    for actor in graph.index.of(*types.ACTORS):
        for role in graph.roles_of(actor):
            found.setdefault(role.urn, []).append(actor.label)
    return found


def _is_for_people(role: Resource, machines: Machines) -> bool:
    if role.urn in machines:
        return False
    trust = parse(role.get("assumeRolePolicy"))
    kinds = {
        kind
        for statement in trust.allowing
        for kind in (statement.principal if isinstance(statement.principal, dict) else {"*": "*"})
    }
    return not trust.problem and bool(kinds) and kinds <= set(PEOPLE)


def _peoples(
    graph: Graph, ledger: Ledger, protected: list[str], documents: Sequence[tuple[Resource, Document]]
) -> Iterator[Finding]:
    """Yield the policies of people that let them write more than what people write."""
    for holder, document in documents:
        for statement in document.allowing:
            # What names no table at all is for administrators, who may do everything.
            named = [each for each in statement.resources if isinstance(each, str) and each.strip("*?") != ""]
            if not any(_is_named(each) and ledger.may_be(graph, each) for each in named):
                continue
            for action, _ in writes_in(graph, statement, ledger):
                # What concerns nothing of theirs is no policy for people.
                if items_of(statement, protected) and _beyond(statement, protected):
                    yield Finding(
                        holder.urn,
                        f"policy {holder.name} allows whoever has it {action} on more of the {_said(ledger)} "
                        f"than {', '.join(protected)}",
                    )


def _is_named(resource: str) -> bool:
    arn = arns.parse_arn(resource)
    return arn is not None and arn.kind == arns.TABLE and arn.name.strip("*?") != ""


def _documents(graph: Graph, machines: Machines) -> Iterator[tuple[Resource, Document]]:
    """Yield the documents that people may have: what no role of a program has, nor any as its boundary."""
    index = graph.index
    roles = [role for role in index.of(types.ROLE) if not _is_for_people(role, machines)]
    theirs = {grant.urn for role in roles for grant in grants_of(index, role)}
    theirs |= {bound.urn for role in index.of(types.ROLE) if (bound := boundary_of(index, role))}
    for holder in index.of(types.POLICY, types.ROLE_POLICY, types.USER_POLICY, types.GROUP_POLICY):
        if holder.urn not in theirs:
            yield holder, parse(holder.get("policy"), resolver(index, holder, "policy"))


def _beyond(statement: Statement, protected: list[str]) -> bool:
    """Return whether a statement is not limited to items that people write."""
    partitions: list[Any] = statement.partitions
    return not partitions or not all(
        isinstance(each, str) and any(resource_matches(item, each) for item in protected)
        for each in partitions
    )


def _said(ledger: Ledger) -> str:
    node: Node = ledger.node
    return f"ledger {node.name} of healer {ledger.healer.name}"


RULE = StackRule(
    name="dynamodb-ledger-guarded",
    level="mandatory",
    severity="critical",
    what=(
        "Only people write the items of a ledger that restrain its healer: mode, approvals and commands; and "
        "people write nothing else there."
    ),
    why="What can approve a plan or set the mode restrains or unleashes a healer, and nobody has decided it.",
    fix=(
        "Take the write away, or limit it by ForAllValues:StringLike on dynamodb:LeadingKeys: for people to "
        "the items in `protected`, for programs to others. Modes, approvals and overrides are made by people "
        "at run time (the command selfheal), and not by the program."
    ),
    schema={
        "ledgerVariable": string(
            "Variable of a healer's environment that names its ledger; without it, the tables it writes.",
            "LEDGER_TABLE",
        ),
        "protected": strings(
            "Partition keys of items that only people may write; * is a wildcard.",
            ["approval#*", "command#*", "mode"],
        ),
        "protectedItems": strings(
            "Partition keys of further items that the program itself must not put there.", ["override#*"]
        ),
        "accepted": strings("Logical names of roles and policies that are accepted, as of a migration."),
    },
    check=check,
)
