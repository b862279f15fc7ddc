"""What may grant rights and cannot be read: policies kept by name, and grants to roles that are not known."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import arns, types
from selfheal_policies.grants import ATTACHMENTS, ROLE_OF, of_role, roles_of
from selfheal_policies.index import Index
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN, entries, get


@dataclass(frozen=True)
class Unreadable:
    """Something that may grant rights and that cannot be read."""

    resource: Resource
    """The resource to change."""
    what: str
    """What it is and why, as the beginning of a sentence."""
    judged_elsewhere: bool = False
    """Whether another rule refuses it in the role of a healer."""


@dataclass(frozen=True)
class Adrift:
    """A grant to a role that is not known."""

    grant: Unreadable
    roles: frozenset[str]
    """URNs of the roles that it may be; none if it may be any."""

    def may_be_of(self, role: Resource) -> bool:
        """Return whether a role may be the one that is meant."""
        return not self.roles or role.urn in self.roles


def kept(index: Index, role: Resource) -> Iterator[Unreadable]:
    """Yield the inline policies that stay in force by name, and that this stack does not declare."""
    for holder in of_role(index, types.ROLE_POLICIES, "roleName", role):
        declared = of_role(index, types.ROLE_POLICY, "role", role)
        names = {policy.get("name") for policy in declared}
        names |= {get(inline, "name") for inline in entries(role.get("inlinePolicies"))}
        kept = entries(holder.get("policyNames"))
        references = holder.references.get("policyNames", ())
        unsaid = [each for each in declared if each.urn in references and each.get("name") not in kept]
        strange = [name for name in kept if name is not UNKNOWN and name not in names]
        if strange and UNKNOWN not in names:
            what = f"{holder.name} keeps inline policy {strange[0]} of role {role.name}, not of this stack"
            yield Unreadable(holder, what)
        if kept.count(UNKNOWN) > len(unsaid):
            what = f"{holder.name} keeps inline policies of role {role.name} that are not known at preview"
            yield Unreadable(holder, what)


def adrift(index: Index) -> list[Adrift]:
    """Return the grants to roles that are not known and are no outputs of a role, or of another stack."""
    found: list[Adrift] = []
    for type_, key in ((types.ROLE_POLICY, "role"), *((type_, of) for type_, (of, _) in ATTACHMENTS.items())):
        for holder in index.of(type_):
            hidden = UNKNOWN in entries(holder.get(key)) and not index.origins(holder, key, (arns.ROLE,))
            origins = [index.by_urn[urn] for urn in holder.references.get(key, ()) if urn in index.by_urn]
            if hidden and not (origins and all(each.type == types.STACK_REFERENCE for each in origins)):
                roles = (
                    node.key for each in origins if each.type in ROLE_OF for node in roles_of(index, each)
                )
                what = f"the role to which {holder.name} grants rights is not known at preview"
                found.append(Adrift(Unreadable(holder, what), frozenset(roles)))
    return found
