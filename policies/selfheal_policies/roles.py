"""What a role may do: the changes, records, reads and messages that its policies allow.

healers.py decides by it who is a healer, and the rules what a healer may do: one reading for both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from selfheal_policies import arns, types
from selfheal_policies.actions import (
    CONTROL,
    DATA,
    READ,
    RECORD,
    WAKE,
    is_on_identities,
    meaning,
    reads_data,
)
from selfheal_policies.documents import Statement, has_wildcard, is_mapping, is_pattern, resource_matches
from selfheal_policies.grants import Attachment, Grant, attachments_of, grants_of, roles_of
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.managed import invokes_functions, is_harmless
from selfheal_policies.resources import Resource
from selfheal_policies.unreadable import Adrift, Unreadable, kept
from selfheal_policies.values import UNKNOWN, Missing, text


@dataclass(frozen=True)
class Write:
    """One action on one resource that a statement allows."""

    action: str
    resource: str | Missing
    """As in the statement: an ARN, possibly with wildcards, or UNKNOWN."""
    kind: str
    """What the action does there: one of the words of `actions`."""
    source: Resource
    """The resource that holds the document."""

    @property
    def control(self) -> bool:
        """Whether it changes infrastructure."""
        return self.kind == CONTROL

    @property
    def place(self) -> str:
        """The resource, as people say it."""
        return self.resource if isinstance(self.resource, str) else "a resource that is not known at preview"

    @property
    def is_in_place(self) -> bool:
        """Whether it is on a table or bucket that is named, if only by the beginning of its name."""
        arn = arns.parse_arn(self.resource) if isinstance(self.resource, str) else None
        return arn is not None and arn.kind in (arns.TABLE, arns.BUCKET) and bool(arn.name.strip("*?"))

    @property
    def acts_on_functions(self) -> bool:
        """Whether it is an action of Lambda's."""
        return self.action.lower().startswith("lambda:") or self.action == "*"

    @property
    def acts_on_identities(self) -> bool:
        """Whether it is an action on identities."""
        return is_on_identities(self.action)

    def named(self, index: Index) -> Node | None:
        """Return what it is allowed on; None if that is not known, or is more than one resource."""
        arn = arns.parse_arn(self.resource) if isinstance(self.resource, str) else None
        if arn is None or has_wildcard(arn.region + arn.account + arn.name):
            return None
        return index.literal(str(self.resource), arn.kind)

    def may_be_on(self, index: Index, resource: Resource) -> bool:
        """Return whether it is allowed on a resource of this stack, by its name or by a pattern."""
        node = self.named(index)
        if node or not isinstance(self.resource, str):
            return node is not None and node.key == resource.urn
        arn, (kind, key) = arns.parse_arn(self.resource), NAMED[resource.type]
        if arn is None or arn.kind != kind:
            return self.resource == "*"
        name = text(resource.get(key))
        return not isinstance(name, str) or resource_matches(arn.name, name)


@dataclass
class Access:
    """All that the role of a function or state machine allows, as far as it can be read."""

    writes: list[Write] = field(default_factory=list[Write])
    """Changes of infrastructure, and writes of data that may be anybody's."""
    records: list[Write] = field(default_factory=list[Write])
    """Writes of logs, items, objects and the like, in named places: records, unless they are levers."""
    reads: list[Write] = field(default_factory=list[Write])
    """Reads of items and objects."""
    wakes: list[Write] = field(default_factory=list[Write])
    """What sends a message or an event, or invokes: it changes nothing itself."""
    invokes: list[Node] = field(default_factory=list[Node])
    """Functions and state machines of this stack that it may start, named without wildcard."""
    opaque: list[str] = field(default_factory=list[str])
    """Managed policies whose text is not in this stack: they are taken to change something."""
    managed: list[str] = field(default_factory=list[str])
    """ARNs of all managed policies that are none of this stack."""
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    """What of it cannot be read."""

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return bool(self.writes or self.opaque)

    @property
    def controls(self) -> bool:
        """Whether it may change infrastructure."""
        return bool(self.opaque) or any(write.control for write in self.writes)

    @property
    def deed(self) -> str:
        """The first change that it allows, as the end of a sentence; empty if it allows none."""
        found = sorted(self.writes, key=lambda write: (not write.control, has_wildcard(write.action)))
        if found:
            write = found[0]
            return f"may {write.action} on {write.place}"
        return f"has the managed policy {self.opaque[0]}" if self.opaque else ""


def access_of(index: Index, actor: Resource, adrift: Iterable[Adrift] = ()) -> Access:
    """Return what the role of a function or state machine allows.

    Args:
        index: The stack.
        actor: The function or state machine.
        adrift: Grants to roles that are not known, which may be its own.

    """
    access = Access()
    roles = roles_of(index, actor)
    if not roles or any(role.resource is None for role in roles):
        access.unreadable.append(Unreadable(actor, f"the role of {actor.name} is not one of this stack"))
    todo, seen = [node.resource for node in roles if node.resource], set[str]()
    while todo:
        role = todo.pop()
        if role.urn in seen:
            continue
        seen.add(role.urn)
        access.unreadable += [each.grant for each in adrift if each.may_be_of(role)]
        access.unreadable += kept(index, role)
        for grant in grants_of(index, role):
            _read(index, grant, access)
        for attachment in attachments_of(index, role):
            if attachment.policy is None:
                _attach(actor, attachment, access)
        todo += _assumed(index, access)
    return access


def _assumed(index: Index, access: Access) -> list[Resource]:
    """Take the roles that it may become from the changes: what those of this stack may do counts instead."""
    assumes = [write for write in access.writes if write.action.lower() == "sts:assumerole"]
    nodes = {write: write.named(index) or _of_any_account(index, write) for write in assumes}
    access.writes = [write for write in access.writes if nodes.get(write) is None]
    for write, node in nodes.items():
        if node and (node.resource is None or has_wildcard(write.place)):
            what = f"{write.source.name} lets it become {write.place}, which is no role of this stack"
            access.unreadable.append(Unreadable(write.source, what, judged_elsewhere=True))
    return [node.resource for node in nodes.values() if node and node.resource]


def _of_any_account(index: Index, write: Write) -> Node | None:
    """Return the role that somebody may become by its name, in every account that has it."""
    arn = arns.parse_arn(write.resource) if isinstance(write.resource, str) else None
    if arn is None or arn.account != "*" or is_pattern(arn.name):
        return None
    return index.literal(str(write.resource), arns.ROLE)


def _attach(actor: Resource, attachment: Attachment, access: Access) -> None:
    """Add what a managed policy allows that is none of this stack."""
    arn = attachment.arn
    if isinstance(arn, Missing):
        what = f"{attachment.where} a policy that is not known at preview and is none of this stack"
        access.unreadable.append(Unreadable(attachment.resource, what, judged_elsewhere=True))
        return
    access.managed.append(arn)
    # What a workflow invokes, its definition says; of a function nobody knows what it invokes.
    if invokes_functions(arn) and actor.type == types.STATE_MACHINE:
        access.wakes.append(Write("lambda:InvokeFunction", "*", WAKE, attachment.resource))
    elif not is_harmless(arn):
        access.opaque.append(arn)


def _read(index: Index, grant: Grant, access: Access) -> None:
    """Add what a document allows, or that it cannot be read."""
    for statement in grant.document:
        if statement.allows:
            _collect(index, statement, grant.resource, access)
    if grant.document.problem:
        access.unreadable.append(Unreadable(grant.resource, f"{grant.where} {grant.document.problem}"))


def _collect(index: Index, statement: Statement, source: Resource, access: Access) -> None:
    functions, environments = statement.functions(), statement.environments()
    resources: list[str | Missing] = ["*" for _ in statement.not_resources]
    for resource in statement.resources:
        # Mappings that a condition limits to functions are a part of these functions.
        resources += functions if functions and is_mapping(resource) else [resource]
    if statement.not_actions:
        access.writes += [Write("*", resource, CONTROL, source) for resource in resources]
        access.reads += [Write("*", resource, READ, source) for resource in resources]
    for action in statement.actions:
        name = action if isinstance(action, str) else "*"
        if name.lower() == "sns:publish" and statement.is_to_phones:
            continue
        # The use of a key that a condition limits to the environments of functions is a part of these.
        of = environments if environments and name.lower().startswith("kms:") else resources
        if reads_data(name):
            access.reads += [Write(name, resource, READ, source) for resource in of]
        for resource in of:
            _sort(index, Write(name, resource, meaning(name, resource), source), access)


def _sort(index: Index, write: Write, access: Access) -> None:
    """Add what an action does to that which is of its kind."""
    if write.kind == DATA and write.resource is UNKNOWN:
        what = f"{write.source.name} allows {write.action} on what is not known at preview"
        what += " and is none of this stack"
        access.unreadable.append(Unreadable(write.source, what, judged_elsewhere=True))
    elif write.kind == CONTROL or (write.kind == DATA and not write.is_in_place):
        access.writes.append(write)
    elif write.kind in (DATA, RECORD):
        access.records.append(write)
    elif write.kind == WAKE:
        access.wakes.append(write)
        access.invokes += _invoked(index, [write])


def _invoked(index: Index, wakes: list[Write]) -> Iterator[Node]:
    for wake in wakes:
        node = wake.named(index)
        starts = wake.action.lower().startswith(("lambda:invoke", "states:start"))
        if starts and node and node.resource and node.kind in (arns.FUNCTION, arns.MACHINE):
            yield node
