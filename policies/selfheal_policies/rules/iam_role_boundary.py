"""A healer's role has a permissions boundary."""

from collections.abc import Iterable

from selfheal_policies.documents import Document, Statement, parse
from selfheal_policies.grants import boundary_of, grants_of
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN, Missing

ESCALATIONS = (
    "iam:AttachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "sts:AssumeRole",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:DeletePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DetachRolePolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
)
"""With one of these a role can become another one, or loosen what bounds it. A boundary has to keep them out.

Source: the IAM guide on permissions boundaries, "Delegating responsibility to others using permissions
boundaries", https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""


def problems(
    role: Resource, policy: Resource | None, granted: Iterable[Document], accepted: Iterable[str]
) -> Iterable[Finding]:
    """Yield why a role is not bounded.

    Args:
        role: The role.
        policy: The policy of this stack that is its boundary, if it is one of this stack.
        granted: The documents in force for the role.
        accepted: ARNs of boundaries that this stack does not declare and that are trusted.

    """
    value = role.get("permissionsBoundary")
    if value in (ABSENT, ""):
        yield Finding(role.urn, f"role {role.name} has no permissions boundary")
    elif policy is not None:
        for reason in unbounded(parse(policy.get("policy")), granted):
            yield Finding(policy.urn, f"policy {policy.name}, the boundary of role {role.name}, {reason}")
    elif value is UNKNOWN:
        yield Finding(
            role.urn,
            f"the permissions boundary of role {role.name} is not known at preview and comes from no policy "
            "of this stack",
        )
    elif value not in accepted:
        yield Finding(
            role.urn,
            f"the permissions boundary of role {role.name} is {value}, which neither this stack declares nor "
            "the configuration trusts, so what it bounds cannot be seen",
        )


def unbounded(document: Document, granted: Iterable[Document]) -> Iterable[str]:
    """Yield why a document bounds nothing, as ends of sentences.

    A boundary allows nothing by itself, so it may be wide where a role's policy may not; but it must not be
    everything, and must keep the role from becoming another one. A statement that the role's own policies
    repeat is judged there.
    """
    if document.problem:
        yield document.problem
        return
    repeated = [statement for each in granted for statement in each]
    own = [statement for statement in document.allowing if statement not in repeated]
    for statement in own:
        if any(_is_everything(action) for action in statement.actions):
            yield "allows every action, so it bounds nothing"
            return
    for action in ESCALATIONS:
        covered = any(statement.covers(action, if_unknown=True) for statement in own)
        if covered and not any(_forbids(statement, action) for statement in document):
            yield f"allows {action}, with which the role can leave its bounds"
            return


def _is_everything(action: str | Missing) -> bool:
    return isinstance(action, Missing) or not action.strip("*?:")


def _forbids(statement: Statement, action: str) -> bool:
    """Return whether a statement denies an action in every case."""
    always = statement.condition is ABSENT and "*" in statement.resources
    return not statement.allows and always and statement.covers(action, if_unknown=False)


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the roles of healers that nothing bounds."""
    for role in graph.roles:
        granted = [grant.document for grant in grants_of(graph.index, role)]
        yield from problems(role, boundary_of(graph.index, role), granted, config["accepted"])


RULE = StackRule(
    name="iam-role-boundary",
    level="mandatory",
    severity="high",
    what="The role of a healer has a permissions boundary that leaves something out: identities at least.",
    why="Without one, whatever anybody attaches to the role later is in force at once.",
    fix=(
        "Set permissions_boundary to a policy that allows what the healer needs and no more; or add the ARN "
        "of a boundary that another team keeps to `accepted` of this policy."
    ),
    schema={
        "accepted": strings("ARNs of boundaries that are declared elsewhere and trusted."),
    },
    check=check,
)
