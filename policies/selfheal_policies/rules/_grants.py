"""What is granted to the roles of healers, and by which resource."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_policies import roles as walk
from selfheal_policies.documents import Document, Statement, parse
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Attachment
from selfheal_policies.rules._facts import subjects


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


def roles(graph: Graph) -> list[Resource]:
    """Return the roles of this stack that healers have, each once."""
    found = {role.urn: role for actor in subjects(graph) for role in roles_of(graph, actor)}
    return list(found.values())


def roles_of(graph: Graph, actor: Resource) -> list[Resource]:
    """Return the role of a function or state machine, if it is one of this stack."""
    return [node.resource for node in walk.roles_of(graph.index, actor) if node.resource]


def grants(graph: Graph) -> list[Grant]:
    """Return the documents in force for the roles of healers. Those of boundaries grant nothing."""
    found = [grant for role in roles(graph) for grant in grants_of(graph, role)]
    # Two roles may share a policy, and a policy may be attached twice.
    return list({(grant.urn, grant.where): grant for grant in found}.values())


def grants_of(graph: Graph, role: Resource) -> Iterator[Grant]:
    """Yield the documents in force for one role."""
    for held in walk.held_by(graph.index, role):
        yield Grant(held.resource, held.where, parse(held.text))


def attachments(graph: Graph) -> Iterator[Attachment]:
    """Yield the managed policies of the roles of healers."""
    for role in roles(graph):
        yield from walk.attachments_of(graph.index, role)


def boundary(graph: Graph, role: Resource) -> Resource | None:
    """Return the policy of this stack that bounds a role, if it is one of this stack."""
    return walk.boundary_of(graph.index, role)


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
