"""A healer is not broken on purpose, not started by a wrapper, and changed by no other program."""

from collections.abc import Iterable, Iterator

from selfheal_policies import types
from selfheal_policies.documents import action_matches
from selfheal_policies.experiments import functions_of, templates
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.roles import Write
from selfheal_policies.rule import Config, Finding, StackRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""Variable that names a script which Lambda runs in place of the runtime."""


CHANGES = (
    *("lambda:AddPermission", "lambda:DeleteFunction", "lambda:DeleteFunctionConcurrency"),
    *("lambda:DeleteFunctionEventInvokeConfig", "lambda:PutFunctionConcurrency"),
    *("lambda:PutFunctionEventInvokeConfig", "lambda:RemovePermission", "lambda:UpdateAlias"),
    *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
)
"""Actions that replace a function, switch it off, or let others invoke it."""

ESCAPES = (
    *("iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
    *("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
)
"""Actions that give a role more rights, or let others assume it."""


def _meddlers(graph: Graph, accepted: list[str]) -> Iterator[tuple[Resource, Write, Resource]]:
    """Yield the functions and state machines that may change a healer, and are none, nor started by one."""
    judged = {each.urn for healer in graph.healers for each in (healer, *graph.actuators_of(healer))}
    for actor in graph.index.of(*types.ACTORS):
        if actor.urn in judged or actor.name in accepted:
            continue
        writes = [each for each in graph.access(actor).writes if each.control and _counts(each.action)]
        for healer in graph.healer_functions if writes else ():
            if write := next((each for each in writes if _may_be_on(graph, each, healer)), None):
                yield actor, write, healer


def _counts(action: str) -> bool:
    return any(action_matches(action, each) for each in (*CHANGES, *ESCAPES))


def _may_be_on(graph: Graph, write: Write, healer: Resource) -> bool:
    """Return whether a change of functions is on a healer, or one of roles on its role."""
    of_functions = any(action_matches(write.action, each) for each in CHANGES)
    of_roles = any(action_matches(write.action, each) for each in ESCAPES)
    return (of_functions and write.may_be_on(graph.index, healer)) or (
        of_roles and any(write.may_be_on(graph.index, role) for role in graph.roles_of(healer))
    )


def check(graph: Graph, config: Config) -> Iterable[Finding]:
    """Yield the experiments on healers, and the healers that something starts in place of Lambda."""
    healers = {healer.urn: healer for healer in graph.healer_functions}
    for template in templates(graph.index):
        for urn in dict.fromkeys(node.key for node in functions_of(graph.index, template)):
            if urn in healers:
                yield Finding(template.urn, f"{template.label} breaks the healer {healers[urn].name}")
    for healer in healers.values():
        value = healer.variable(WRAPPER)
        if value is ABSENT or value == "" or value in config["wrappers"]:
            continue
        what = "is not known at preview" if value is UNKNOWN else f"is {value}"
        yield Finding(healer.urn, f"{WRAPPER} of healer {healer.name} {what}")
    for actor, write, healer in _meddlers(graph, config["accepted"]):
        yield Finding(
            actor.urn,
            f"{actor.label} may {write.action} on {write.place}, and so change healer {healer.name}",
            healer.urn,
        )


RULE = StackRule(
    name="lambda-healer-untouched",
    level="mandatory",
    severity="critical",
    what=(
        "No experiment of AWS FIS has a healer as target, no healer starts through a wrapper script, and no "
        "other function or state machine of the stack may change its code, configuration, callers or role."
    ),
    why=(
        "A healer that fails on command does so while it is needed; a wrapper, or what another program puts "
        "in its place, is code that nobody judged."
    ),
    fix=(
        "Take the healer out of the targets, AWS_LAMBDA_EXEC_WRAPPER and its layer off the healer, and the "
        "right to change it away from other programs."
    ),
    schema={
        "wrappers": strings("Paths of wrapper scripts that are trusted."),
        "accepted": strings("Logical names of functions and state machines that deploy healers."),
    },
    check=check,
)
