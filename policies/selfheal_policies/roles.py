"""What a role may do: its policies, inline and managed, its boundary, and the changes that they allow.

healers.py decides by it who is a healer, and the rules what a healer may do: one reading for both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

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
from selfheal_policies.documents import HIDDEN, Document, Statement, has_wildcard, is_mapping, parse
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.managed import aws_name, invokes_functions, is_harmless
from selfheal_policies.resolving import arn_of, resolver
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, get

ATTACHMENTS = {
    types.ROLE_POLICY_ATTACHMENT: ("role", "policyArn"),
    types.POLICY_ATTACHMENT: ("roles", "policyArn"),
    types.ROLE_POLICY_ATTACHMENTS: ("roleName", "policyArns"),
}
"""Type to the properties that name the roles and the policies."""

ROLE_OF = {
    types.BUILD: "serviceRole",
    types.FUNCTION: "role",
    types.STATE_MACHINE: "roleArn",
    types.TASK_DEFINITION: "taskRoleArn",
}
"""Type of what runs under a role to the property that names the role."""


@dataclass(frozen=True)
class Grant:
    """One policy document that is in force for a role."""

    resource: Resource
    """The resource that holds the document: the one to change."""
    where: str
    """The document, as the beginning of a sentence."""
    document: Document
    key: str = "policy"
    """The property that holds it, by which its dependencies are known."""

    @property
    def urn(self) -> str:
        """Of the resource to change."""
        return self.resource.urn


@dataclass(frozen=True)
class Attachment:
    """One managed policy that is attached to a role."""

    resource: Resource
    """The resource that attaches it."""
    where: str
    """The role, as the beginning of a sentence that ends in the policy."""
    arn: str | Missing
    policy: Resource | None
    """The policy, if it is one of this stack."""


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
    guessed: bool = False
    """Whether the document cannot be read, and this is what its dependencies make likely."""

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


@dataclass(frozen=True)
class Unreadable:
    """Something that may grant rights and that cannot be read."""

    resource: Resource
    """The resource to change."""
    what: str
    """What it is and why, as the beginning of a sentence."""


@dataclass
class Access:
    """All that the role of a function or state machine allows, as far as it can be read."""

    writes: list[Write] = field(default_factory=list[Write])
    """Changes of infrastructure, and writes of data that may be anybody's."""
    records: list[Write] = field(default_factory=list[Write])
    """Writes of logs, items, objects and the like, in places that are named: records, unless they are levers."""
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
    guesses: list[Unreadable] = field(default_factory=list[Unreadable])
    """What cannot be read, and depends only on what records and messages go to."""

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


def roles_of(index: Index, actor: Resource) -> list[Node]:
    """Return the role of a function or state machine; more than one, or none, if it is not clear which."""
    return index.follow_quietly(actor, ROLE_OF[actor.type], (arns.ROLE,))


def grants_of(index: Index, role: Resource) -> Iterator[Grant]:
    """Yield the documents in force for a role that this stack holds. Its boundary grants nothing."""
    resolve = resolver(index, role, "inlinePolicies")
    for position, inline in enumerate(entries(role.get("inlinePolicies")), 1):
        text = UNKNOWN if inline is UNKNOWN else get(inline, "policy")
        where = f"inline policy {position} of role {role.name}"
        yield Grant(role, where, parse(text, resolve), "inlinePolicies")
    attached = [attachment.policy for attachment in attachments_of(index, role)]
    for policy in (*_of_role(index, types.ROLE_POLICY, "role", role), *attached):
        if policy:
            document = parse(policy.get("policy"), resolver(index, policy, "policy"))
            yield Grant(policy, f"policy {policy.name}", document)


def attachments_of(index: Index, role: Resource) -> Iterator[Attachment]:
    """Yield the managed policies of a role, however attached."""
    yield from _attachments(index, role, "managedPolicyArns", role)
    for type_, (roles, policies) in ATTACHMENTS.items():
        for holder in _of_role(index, type_, roles, role):
            yield from _attachments(index, holder, policies, role)


def boundary_of(index: Index, role: Resource) -> Resource | None:
    """Return the policy that bounds a role, if it is one of this stack."""
    value = role.get("permissionsBoundary")
    if isinstance(value, str):
        return _declared(index, value)
    if value is not UNKNOWN:
        return None
    origins = index.origins(role, "permissionsBoundary", (arns.POLICY,))
    return origins[0].resource if len(origins) == 1 else None


def access_of(index: Index, actor: Resource, adrift: Iterable[Unreadable] = ()) -> Access:
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
    for role in (node.resource for node in roles if node.resource):
        access.unreadable += adrift
        access.unreadable += _kept(index, role)
        for grant in grants_of(index, role):
            _read(index, grant, access)
        for attachment in attachments_of(index, role):
            if attachment.policy is None:
                _attach(attachment, access)
    return access


def _attach(attachment: Attachment, access: Access) -> None:
    """Add what a managed policy allows that is none of this stack."""
    arn = attachment.arn
    if isinstance(arn, Missing):
        what = f"{attachment.where} a policy that is not known at preview and is none of this stack"
        access.unreadable.append(Unreadable(attachment.resource, what))
        return
    access.managed.append(arn)
    if invokes_functions(arn):
        access.wakes.append(Write("lambda:InvokeFunction", "*", WAKE, attachment.resource))
    elif not is_harmless(arn):
        access.opaque.append(arn)


def _read(index: Index, grant: Grant, access: Access) -> None:
    """Add what a document allows, or that it cannot be read."""
    for statement in grant.document:
        if statement.allows:
            _collect(index, statement, grant.resource, access)
    if not grant.document.problem:
        return
    hidden = Unreadable(grant.resource, f"{grant.where} {grant.document.problem}")
    guessed = _guessed(index, grant) if grant.document.problem == HIDDEN else None
    if guessed is not None:
        access.guesses.append(hidden)
        access.records += [write for write in guessed if write.kind == DATA]
        access.wakes += [write for write in guessed if write.kind == WAKE]
    else:
        access.unreadable.append(hidden)


_LIKELY = {
    arns.BUCKET: ("s3:PutObject", DATA),
    arns.BUS: ("events:PutEvents", WAKE),
    arns.QUEUE: ("sqs:SendMessage", WAKE),
    arns.STREAM: ("kinesis:PutRecord", WAKE),
    arns.TABLE: ("dynamodb:PutItem", DATA),
    arns.TOPIC: ("sns:Publish", WAKE),
}
"""Kind of what records and messages go to, to what a document that depends on it is taken to allow."""

_INERT = frozenset({types.KEY, types.KEY_ALIAS, types.LOG_GROUP, *types.STORES})
"""Types of what is only read, or used on the way."""


def _guessed(index: Index, grant: Grant) -> list[Write] | None:
    """Return the records and messages that a document of which nothing is known allows, by what it depends on.

    None if it depends on nothing, or on anything else that can be changed: then it may be that change.
    """
    urns = grant.resource.references.get(grant.key, ())
    found = [resource for urn in urns if (resource := index.by_urn.get(urn)) and resource.type != types.ROLE]
    writes: list[Write] = []
    for resource in found:
        kind = NAMED[resource.type][0] if resource.type in NAMED else ""
        if kind in _LIKELY:
            action, does = _LIKELY[kind]
            writes.append(Write(action, arn_of(index.node(resource)) or UNKNOWN, does, grant.resource, True))
        elif resource.type not in _INERT:
            return None
    return writes if found else None


def _kept(index: Index, role: Resource) -> Iterator[Unreadable]:
    """Yield the inline policies that stay in force by name, and that this stack does not declare."""
    for holder in _of_role(index, types.ROLE_POLICIES, "roleName", role):
        declared = _of_role(index, types.ROLE_POLICY, "role", role)
        names = {policy.get("name") for policy in declared}
        names |= {get(inline, "name") for inline in entries(role.get("inlinePolicies"))}
        for name in entries(holder.get("policyNames")):
            known = name in names or bool(UNKNOWN in names and declared)
            if name is UNKNOWN:
                known = any(policy.urn in holder.references.get("policyNames", ()) for policy in declared)
            if not known:
                said = name if isinstance(name, str) else "that is not known at preview"
                what = f"{holder.name} keeps an inline policy {said} of role {role.name}, not of this stack"
                yield Unreadable(holder, what)


def adrift(index: Index) -> list[Unreadable]:
    """Return what is granted to a role that is not known and depends on nothing: it may be any role's."""
    found: list[Unreadable] = []
    for type_, key in (
        (types.ROLE_POLICY, "role"),
        *((type_, roles) for type_, (roles, _) in ATTACHMENTS.items()),
    ):
        for holder in index.of(type_):
            if UNKNOWN in entries(holder.get(key)) and not holder.references.get(key):
                what = f"the role to which {holder.name} grants rights is not known at preview"
                found.append(Unreadable(holder, what))
    return found


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
            write = Write(name, resource, meaning(name, resource), source)
            if write.kind == CONTROL or (write.kind == DATA and not write.is_in_place):
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


def _attachments(index: Index, holder: Resource, key: str, role: Resource) -> Iterator[Attachment]:
    where = f"{holder.name} attaches to role {role.name}" if holder is not role else f"role {role.name} has"
    value: Any = holder.get(key)
    hidden = sum(entry is UNKNOWN for entry in entries(value))
    for entry in entries(value):
        if isinstance(entry, str) and entry:
            yield Attachment(holder, where, entry, _declared(index, entry))
    if hidden:
        origins = [node.resource for node in index.origins(holder, key, (arns.POLICY,)) if node.resource]
        for policy in origins:
            yield Attachment(holder, where, UNKNOWN, policy)
        if not origins or (value is not UNKNOWN and hidden > len(origins)):
            yield Attachment(holder, where, UNKNOWN, None)


def _declared(index: Index, arn: str) -> Resource | None:
    """Return the policy of this stack that an ARN names. ARNs are compared whole: name, path and account."""
    # AWS's own policies have no account: one of this stack with the same name is another policy.
    policy = None if aws_name(arn) else index.literal(arn, arns.POLICY).resource
    path = policy.get("path") if policy else ABSENT
    written = "/" + arn.partition(":policy/")[2].rpartition("/")[0]
    wanted = path if isinstance(path, str) else "/"
    return policy if path is UNKNOWN or written.strip("/") == wanted.strip("/") else None


def _of_role(index: Index, type_: str, key: str, role: Resource) -> list[Resource]:
    return [holder for holder, _ in index.referring(role.urn, type_, key, arns.ROLE)]
