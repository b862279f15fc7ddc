"""The walk from a role to what is in force for it: policies inside it, managed policies, its boundary.

There is one: who is a healer, and what a healer may do, are read from the same documents.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from selfheal_policies import arns
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, Missing, entries, get

FUNCTION = "aws:lambda/function:Function"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENTS = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("role", "policyArn"),
    "aws:iam/policyAttachment:PolicyAttachment": ("roles", "policyArn"),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": ("roleName", "policyArns"),
}
"""Type to the properties that name the roles and the policies."""


@dataclass(frozen=True)
class Held:
    """One policy document that is in force for a role."""

    resource: Resource
    """The resource that holds the document: the one to change."""
    where: str
    """The document, as the beginning of a sentence."""
    text: Any
    """A JSON text, UNKNOWN, or ABSENT."""


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
    return index.follow_quietly(actor, "role" if actor.type == FUNCTION else "roleArn", (arns.ROLE,))


def held_by(index: Index, role: Resource) -> Iterator[Held]:
    """Yield the documents in force for a role that this stack holds. That of its boundary grants nothing."""
    for position, inline in enumerate(entries(role.given("inlinePolicies")), 1):
        text = UNKNOWN if inline is UNKNOWN else get(inline, "policy")
        yield Held(role, f"inline policy {position} of role {role.name}", text)
    for policy in _of_role(index, ROLE_POLICY, "role", role):
        yield Held(policy, f"policy {policy.name}", policy.get("policy"))
    for attachment in attachments_of(index, role):
        if attachment.policy:
            policy = attachment.policy
            yield Held(policy, f"policy {policy.name}", policy.get("policy"))


def attachments_of(index: Index, role: Resource) -> Iterator[Attachment]:
    """Yield the managed policies of a role, however attached."""
    yield from _attachments(index, role, "managedPolicyArns", role)
    for type_, (roles, policies) in ATTACHMENTS.items():
        for holder in _of_role(index, type_, roles, role):
            yield from _attachments(index, holder, policies, role)


def boundary_of(index: Index, role: Resource) -> Resource | None:
    """Return the policy of this stack that bounds a role, if it is one of this stack."""
    value = role.get("permissionsBoundary")
    if isinstance(value, str):
        return _declared(index, value)
    if value is not UNKNOWN:
        return None
    origins = index.origins(role, "permissionsBoundary", (arns.POLICY,))
    return origins[0].resource if len(origins) == 1 else None


def _attachments(index: Index, holder: Resource, key: str, role: Resource) -> Iterator[Attachment]:
    where = f"{holder.name} attaches to role {role.name}" if holder is not role else f"role {role.name} has"
    value = holder.given(key)
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
    # AWS's own policies have no account: one of this stack that has the same name is another one.
    return None if ":iam::aws:policy/" in arn else index.literal(arn, arns.POLICY).resource


def _of_role(index: Index, type_: str, key: str, role: Resource) -> list[Resource]:
    return [holder for holder, _ in index.referring(role.urn, type_, key, arns.ROLE)]
