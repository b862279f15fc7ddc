"""What the role of a function or state machine allows it to change."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from selfheal_policies import arns
from selfheal_policies.actions import CONTROL, DATA, WAKE, meaning
from selfheal_policies.conditions import functions_of, is_mapping
from selfheal_policies.documents import Document, Statement, parse
from selfheal_policies.index import Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.roles import FUNCTION, attachments_of, held_by, roles_of
from selfheal_policies.values import Missing

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
class Write:
    """One action on one resource that a statement allows, and that is no mere reading."""

    action: str
    resource: str | Missing
    """As in the statement: an ARN, possibly with wildcards, or UNKNOWN."""
    control: bool
    """Whether it changes infrastructure; otherwise it writes items of a table."""
    source: Resource
    """Whose document says so."""

    @property
    def acts_on_functions(self) -> bool:
        """Whether it is an action of Lambda's."""
        return self.action.lower().startswith("lambda:") or self.action == "*"


@dataclass
class Access:
    """All that a role allows, as far as it can be read."""

    writes: list[Write] = field(default_factory=list[Write])
    wakes: list[Write] = field(default_factory=list[Write])
    """What sends a message or an event, or invokes: it changes nothing itself."""
    invokes: list[Node] = field(default_factory=list[Node])
    """Functions and state machines of this stack that it may start, named without wildcard."""
    opaque: list[str] = field(default_factory=list[str])
    """Managed policies whose text is not in this stack: they are taken to change something."""
    problems: list[tuple[Resource, str]] = field(default_factory=list[tuple[Resource, str]])
    """What cannot be read, each with the resource to change and the end of a sentence."""

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return bool(self.writes or self.opaque)

    @property
    def controls(self) -> bool:
        """Whether it may change infrastructure."""
        return bool(self.opaque) or any(write.control for write in self.writes)


def access_of(index: Index, actor: Resource) -> Access:
    """Return what the role of a function or state machine allows."""
    access = Access()
    roles = roles_of(index, actor)
    if not roles:
        key = "role" if actor.type == FUNCTION else "roleArn"
        access.problems.append((actor, f"its `{key}` cannot be resolved to a role"))
    for role in roles:
        if role.resource is None:
            access.problems.append((actor, f"its role {role.label} is not part of this stack"))
            continue
        for held in held_by(index, role.resource):
            document = parse(held.text)
            if document.problem:
                access.problems.append((held.resource, f"its policy {document.problem}"))
            _collect(index, document, held.resource, access)
        access.opaque += _opaque(index, role.resource)
    return access


def _opaque(index: Index, role: Resource) -> Iterator[str]:
    """Yield the managed policies of a role whose text is not in this stack, but for harmless ones."""
    for attachment in attachments_of(index, role):
        if attachment.policy is None and isinstance(attachment.arn, str):
            name = arns.named(attachment.arn, arns.POLICY).name
            if name not in HARMLESS_MANAGED:
                yield name


def _collect(index: Index, document: Document, source: Resource, access: Access) -> None:
    for statement in document:
        if not statement.allows:
            continue
        resources = _changed(statement) or tuple("*" for _ in statement.not_resources)
        if statement.not_actions:
            access.writes += [Write("*", resource, True, source) for resource in resources]
        for action in statement.actions:
            name = action if isinstance(action, str) else "*"
            kind = meaning(name)
            found = [Write(name, resource, kind == CONTROL, source) for resource in resources]
            if kind in (CONTROL, DATA):
                access.writes += found
            if kind == WAKE:
                access.wakes += found
                access.invokes += _invoked(index, name, statement)


def _changed(statement: Statement) -> tuple[str | Missing, ...]:
    """Return the resources of a statement; mappings that it limits to functions are a part of these."""
    functions = tuple(functions_of(statement))
    found = [functions if functions and is_mapping(each) else (each,) for each in statement.resources]
    return tuple(each for part in found for each in part)


def _invoked(index: Index, action: str, statement: Statement) -> Iterator[Node]:
    if not action.lower().startswith(("lambda:invoke", "states:start")):
        return
    for resource in statement.resources:
        if isinstance(resource, str):
            arn = arns.parse_arn(resource)
            if arn and arn.kind in (arns.FUNCTION, arns.MACHINE) and "*" not in arn.name:
                node = index.literal(resource, arn.kind)
                if node.resource:
                    yield node
