"""What a role may do: its policies, inline and managed, its boundary, and the changes that they allow.

healers.py decides by it who is a healer, and the rules what a healer may do: one reading for both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.actions import CONTROL, DATA, WAKE, is_on_identities, meaning
from selfheal_policies.documents import Document, Statement, has_wildcard, is_mapping, parse
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, Missing, entries, get

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

HARMLESS_MANAGED = frozenset(
    {
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaSQSQueueExecutionRole",
        "AWSLambdaVPCAccessExecutionRole",
        "AWSXRayDaemonWriteAccess",
        "AWSXrayWriteOnlyAccess",
        "CloudWatchLambdaInsightsExecutionRolePolicy",
    }
)
"""AWS-managed policies that change nothing but logs, traces and network interfaces."""


@dataclass(frozen=True)
class Grant:
    """One policy document that is in force for a role."""

    resource: Resource
    """The resource that holds the document: the one to change."""
    where: str
    """The document, as the beginning of a sentence."""
    document: Document

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
    """One action on one resource that a statement allows, and that does more than read."""

    action: str
    resource: str | Missing
    """As in the statement: an ARN, possibly with wildcards, or UNKNOWN."""
    control: bool
    """Whether it changes infrastructure; otherwise it writes items of a table."""
    source: Resource
    """The resource that holds the document."""

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


@dataclass
class Access:
    """All that the role of a function or state machine allows, as far as it can be read."""

    writes: list[Write] = field(default_factory=list[Write])
    wakes: list[Write] = field(default_factory=list[Write])
    """What sends a message or an event, or invokes: it changes nothing itself."""
    invokes: list[Node] = field(default_factory=list[Node])
    """Functions and state machines of this stack that it may start, named without wildcard."""
    opaque: list[str] = field(default_factory=list[str])
    """Managed policies whose text is not in this stack: they are taken to change something."""
    unreadable: bool = False
    """Whether the role, or one of its documents, cannot be read."""

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return bool(self.writes or self.opaque)

    @property
    def controls(self) -> bool:
        """Whether it may change infrastructure."""
        return bool(self.opaque) or any(write.control for write in self.writes)


def roles_of(index: Index, actor: Resource) -> list[Node]:
    """Return the role of a function or state machine; more than one, or none, if it is not clear which."""
    return index.follow_quietly(actor, ROLE_OF[actor.type], (arns.ROLE,))


def grants_of(index: Index, role: Resource) -> Iterator[Grant]:
    """Yield the documents in force for a role that this stack holds. Its boundary grants nothing."""
    for position, inline in enumerate(entries(role.get("inlinePolicies")), 1):
        text = UNKNOWN if inline is UNKNOWN else get(inline, "policy")
        yield Grant(role, f"inline policy {position} of role {role.name}", parse(text))
    attached = [attachment.policy for attachment in attachments_of(index, role)]
    for policy in (*_of_role(index, types.ROLE_POLICY, "role", role), *attached):
        if policy:
            yield Grant(policy, f"policy {policy.name}", parse(policy.get("policy")))


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


def access_of(index: Index, actor: Resource) -> Access:
    """Return what the role of a function or state machine allows."""
    access = Access()
    roles = roles_of(index, actor)
    access.unreadable = not roles or any(role.resource is None for role in roles)
    for role in (node.resource for node in roles if node.resource):
        for grant in grants_of(index, role):
            access.unreadable |= bool(grant.document.problem)
            for statement in grant.document:
                if statement.allows:
                    _collect(index, statement, grant.resource, access)
        for attachment in attachments_of(index, role):
            if attachment.policy is None and isinstance(attachment.arn, str):
                access.opaque.append(arns.named(attachment.arn, arns.POLICY).name)
    access.opaque = [name for name in access.opaque if name not in HARMLESS_MANAGED]
    return access


def _collect(index: Index, statement: Statement, source: Resource, access: Access) -> None:
    functions, environments = statement.functions(), statement.environments()
    resources: list[str | Missing] = ["*" for _ in statement.not_resources]
    for resource in statement.resources:
        # Mappings that a condition limits to functions are a part of these functions.
        resources += functions if functions and is_mapping(resource) else [resource]
    if statement.not_actions:
        access.writes += [Write("*", resource, True, source) for resource in resources]
    for action in statement.actions:
        name = action if isinstance(action, str) else "*"
        kind = meaning(name)
        # The use of a key that a condition limits to the environments of functions is a part of these.
        of = environments if environments and name.lower().startswith("kms:") else resources
        found = [Write(name, resource, kind == CONTROL, source) for resource in of]
        if kind in (CONTROL, DATA):
            access.writes += found
        if kind == WAKE:
            access.wakes += found
            access.invokes += _invoked(index, found)


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
    # AWS's own policies have no account: one of this stack with the same name is another policy.
    return None if ":iam::aws:policy/" in arn else index.literal(arn, arns.POLICY).resource


def _of_role(index: Index, type_: str, key: str, role: Resource) -> list[Resource]:
    return [holder for holder, _ in index.referring(role.urn, type_, key, arns.ROLE)]
