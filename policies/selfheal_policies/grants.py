"""The policies in force for a role, inline and managed, however attached, and its boundary."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, is_pattern, parse
from selfheal_policies.index import Index, Node
from selfheal_policies.managed import aws_name
from selfheal_policies.resolving import resolver
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


def roles_of(index: Index, actor: Resource) -> list[Node]:
    """Return the role of a function or state machine; more than one, or none, if it is not clear which."""
    return index.follow_quietly(actor, ROLE_OF[actor.type], (arns.ROLE,))


def grants_of(index: Index, role: Resource) -> Iterator[Grant]:
    """Yield the documents in force for a role that this stack holds. Its boundary grants nothing."""
    resolve = resolver(index, role, "inlinePolicies")
    for position, inline in enumerate(entries(role.get("inlinePolicies")), 1):
        text = UNKNOWN if inline is UNKNOWN else get(inline, "policy")
        where = f"inline policy {position} of role {role.name}"
        yield Grant(role, where, parse(text, resolve))
    attached = [attachment.policy for attachment in attachments_of(index, role)]
    for policy in (*of_role(index, types.ROLE_POLICY, "role", role), *attached):
        if policy:
            document = parse(policy.get("policy"), resolver(index, policy, "policy"))
            yield Grant(policy, f"policy {policy.name}", document)


def attachments_of(index: Index, role: Resource) -> Iterator[Attachment]:
    """Yield the managed policies of a role, however attached."""
    yield from _attachments(index, role, "managedPolicyArns", role)
    for type_, (roles, policies) in ATTACHMENTS.items():
        for holder in of_role(index, type_, roles, role):
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


def of_role(index: Index, type_: str, key: str, role: Resource) -> list[Resource]:
    """Return the resources of a type whose property names a role."""
    return [holder for holder, _ in index.referring(role.urn, type_, key, arns.ROLE)]


def queues_read_by(index: Index, actor: Resource) -> Iterator[tuple[Node, Resource]]:
    """Yield the queues from which an actor's role names that it may receive, each with what grants it."""
    for role in roles_of(index, actor):
        for grant in grants_of(index, role.resource) if role.resource else ():
            for statement in grant.document.allowing:
                if not statement.covers("sqs:ReceiveMessage", if_unknown=False):
                    continue
                for resource in statement.resources:
                    if resource is UNKNOWN and grant.resource.type != types.ROLE:
                        yield from (
                            (n, grant.resource)
                            for n in index.origins(grant.resource, "policy", (arns.QUEUE,))
                        )
                    elif isinstance(resource, str) and not is_pattern(resource):
                        node = index.literal(resource, arns.QUEUE)
                        if node.kind == arns.QUEUE:
                            yield node, grant.resource
