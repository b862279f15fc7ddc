"""What is granted to the roles of healers, and by which resource."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import arns
from selfheal_policies.access import ATTACHMENTS, FUNCTION, ROLE_POLICY
from selfheal_policies.documents import Document, Statement, parse
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rules._facts import given, subjects
from selfheal_policies.values import UNKNOWN, Missing, entries, get

EXCLUSIVE = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"


@dataclass(frozen=True)
class Grant:
    """One policy document that is in force for the role of a healer."""

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
    """One managed policy that is attached to the role of a healer."""

    resource: Resource
    """The resource that attaches it."""
    where: str
    """The role, as the beginning of a sentence that ends in the policy."""
    arn: str | Missing
    policy: Resource | None
    """The policy, if it is one of this stack."""


def roles(graph: Graph) -> list[Resource]:
    """Return the roles of this stack that healers have, each once."""
    found = {role.urn: role for actor in subjects(graph) for role in roles_of(graph, actor)}
    return list(found.values())


def roles_of(graph: Graph, actor: Resource) -> list[Resource]:
    """Return the role of a function or state machine, if it is one of this stack."""
    key = "role" if actor.type == FUNCTION else "roleArn"
    nodes = graph.index.follow_quietly(actor, key, (arns.ROLE,))
    return [node.resource for node in nodes if node.resource]


def grants(graph: Graph) -> list[Grant]:
    """Return the documents in force for the roles of healers. Those of boundaries grant nothing."""
    found = [grant for role in roles(graph) for grant in grants_of(graph, role)]
    # Two roles may share a policy, and a policy may be attached twice.
    return list({(grant.urn, grant.where): grant for grant in found}.values())


def grants_of(graph: Graph, role: Resource) -> Iterator[Grant]:
    """Yield the documents in force for one role."""
    for position, inline in enumerate(entries(given(role, "inlinePolicies")), 1):
        value = UNKNOWN if inline is UNKNOWN else get(inline, "policy")
        yield Grant(role, f"inline policy {position} of role {role.name}", parse(value))
    for policy in _of_role(graph, ROLE_POLICY, "role", role):
        yield Grant(policy, f"policy {policy.name}", parse(policy.get("policy")))
    for attachment in attachments_of(graph, role):
        if attachment.policy:
            policy = attachment.policy
            yield Grant(policy, f"policy {policy.name}", parse(policy.get("policy")))


def attachments(graph: Graph) -> Iterator[Attachment]:
    """Yield the managed policies of the roles of healers."""
    for role in roles(graph):
        yield from attachments_of(graph, role)


def attachments_of(graph: Graph, role: Resource) -> Iterator[Attachment]:
    """Yield the managed policies of one role, however attached."""
    yield from _attachments(graph, role, "managedPolicyArns", role)
    for type_, key in ATTACHMENTS.items():
        for holder in _of_role(graph, type_, key, role):
            yield from _attachments(graph, holder, "policyArn", role)
    for holder in _of_role(graph, EXCLUSIVE, "roleName", role):
        yield from _attachments(graph, holder, "policyArns", role)


def _attachments(graph: Graph, holder: Resource, key: str, role: Resource) -> Iterator[Attachment]:
    where = f"{holder.name} attaches to role {role.name}" if holder is not role else f"role {role.name} has"
    value = given(holder, key)
    hidden = sum(entry is UNKNOWN for entry in entries(value))
    for entry in entries(value):
        if isinstance(entry, str) and entry:
            yield Attachment(holder, where, entry, _declared(graph, entry))
    if hidden:
        origins = [
            node.resource for node in graph.index.origins(holder, key, (arns.POLICY,)) if node.resource
        ]
        for policy in origins:
            yield Attachment(holder, where, UNKNOWN, policy)
        if not origins or (value is not UNKNOWN and hidden > len(origins)):
            yield Attachment(holder, where, UNKNOWN, None)


def boundary(graph: Graph, role: Resource) -> Resource | None:
    """Return the policy of this stack that bounds a role, if it is one of this stack."""
    value = role.get("permissionsBoundary")
    if isinstance(value, str):
        return _declared(graph, value)
    if value is not UNKNOWN:
        return None
    origins = graph.index.origins(role, "permissionsBoundary", (arns.POLICY,))
    return origins[0].resource if len(origins) == 1 else None


def _declared(graph: Graph, arn: str) -> Resource | None:
    # AWS's own policies have no account: one of this stack that has the same name is another one.
    return None if ":iam::aws:policy/" in arn else graph.index.literal(arn, arns.POLICY).resource


def _of_role(graph: Graph, type_: str, key: str, role: Resource) -> list[Resource]:
    return [
        holder
        for holder in graph.of(type_)
        if any(node.key == role.urn for node in graph.index.follow_quietly(holder, key, (arns.ROLE,)))
    ]


def has_wildcard(text: str) -> bool:
    """Return whether an action or a resource stands for more than one."""
    return "*" in text or "?" in text


def is_privilege(action: str) -> bool:
    """Return whether an action is on identities: with one of them a role can get every other permission."""
    service, _, name = action.lower().partition(":")
    return service in ("iam", "sts") or name == "passrole"


def literals(statement: Statement) -> list[str]:
    """Return the actions of a statement that are known and stand for one action each."""
    return [action for action in statement.actions if isinstance(action, str) and not has_wildcard(action)]
