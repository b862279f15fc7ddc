"""What an ARN is that a document holds and that is not known at preview: what the document depends on.

A document is known but for the ARNs in it where a program gives it as data. Dependencies are known of the
document as a whole: if it depends on two tables, an unknown resource of DynamoDB may be either.
"""

from collections.abc import Callable, Mapping

from selfheal_policies import arns
from selfheal_policies.index import NAMED, Index, Node
from selfheal_policies.resources import Resource
from selfheal_policies.values import text

Resolve = Callable[[str], list[str]]
"""Service in an action, such as "dynamodb", to the ARNs that it may be allowed on."""

_FORMS: Mapping[str, tuple[str, str]] = {
    arns.ALARM: ("cloudwatch", "alarm:"),
    arns.BUCKET: ("s3", ""),
    arns.BUS: ("events", "event-bus/"),
    arns.FUNCTION: ("lambda", "function:"),
    arns.LOG_GROUP: ("logs", "log-group:"),
    arns.MACHINE: ("states", "stateMachine:"),
    arns.POLICY: ("iam", "policy/"),
    arns.QUEUE: ("sqs", ""),
    arns.ROLE: ("iam", "role/"),
    arns.RULE: ("events", "rule/"),
    arns.STREAM: ("kinesis", "stream/"),
    arns.TABLE: ("dynamodb", "table/"),
    arns.TOPIC: ("sns", ""),
}
"""Kind to the service and what precedes the name in its ARN."""


def arn_of(node: Node) -> str:
    """Return the ARN of a resource without region and account; empty if its name is not known."""
    service, prefix = _FORMS.get(node.kind, ("", ""))
    if not service or node.resource is None:
        return ""
    name = text(node.resource.get(NAMED[node.resource.type][1]))
    return f"arn:aws:{service}:::{prefix}{name}" if isinstance(name, str) else ""


def resolver(index: Index, holder: Resource, key: str) -> Resolve:
    """Return what finds the ARNs that a document in a property may hold, by what that depends on."""
    held: dict[str, list[str]] = {}

    def resolve(service: str) -> list[str]:
        if service not in held:
            kinds = [kind for kind, (of, _) in _FORMS.items() if of == service]
            found = (arn_of(node) for node in index.origins(holder, key, kinds))
            held[service] = [arn for arn in found if arn]
        return held[service]

    return resolve
