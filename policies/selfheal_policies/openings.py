"""What in the policy of a topic or queue lets others in than those whom it is for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from selfheal_policies import arns
from selfheal_policies.documents import Document, Statement
from selfheal_policies.doors import Sender, Speaker, by_identity, by_nobody, by_service, by_stranger
from selfheal_policies.evaluation import (
    ANY,
    NO,
    OTHER,
    OWN,
    YES,
    Caller,
    Request,
    Value,
    allowed,
    denied,
    plain_service,
)
from selfheal_policies.values import ABSENT, entries


@dataclass(frozen=True)
class Door:
    """A topic or queue that wakes a healer, and whom it is for."""

    resource: Value
    send: str
    """The action by which it wakes the healer."""
    actions: Sequence[str]
    """The actions that nobody else may take, `send` among them."""
    services: frozenset[str]
    """The services that may send, for what is in a known account."""
    account: str
    """Ours, or OWN if it is not known."""
    is_known: Callable[[str], bool]
    """Whether the ARN of a role or user is one of those that may send."""


def openings(door: Door, document: Document) -> Iterator[str]:
    """Yield how a policy lets others in, each as the end of a sentence."""
    denials = [statement for statement in document if not statement.allows]
    for statement in document.allowing:
        if any(statement.covers(action, if_unknown=True) for action in door.actions):
            for kind, entry in principals(statement):
                yield from _opening(door, [statement, *denials], kind, entry)


def is_closed(door: Door, document: Document) -> bool:
    """Return whether a policy denies sending to every person and program, whatever else allows it."""
    return denied(document, _request(door, by_identity(door.account))) == YES


def excepted(door: Door, document: Document) -> Iterator[str]:
    """Yield the persons and programs that a policy names so as not to deny them sending."""
    for name in dict.fromkeys(name for each in document if not each.allows for name in _names(each)):
        arn = arns.parse_arn(name)
        if arn and arn.account and not door.is_known(name):
            sender = by_identity(arn.account, name)
            if denied(document, _request(door, sender)) != YES:
                yield name


def shut_out(door: Door, document: Document, speakers: Iterable[Speaker]) -> Iterator[Speaker]:
    """Yield the first of each service's speakers that a policy does not let send."""
    told: set[str] = set()
    for each in speakers:
        request = _request(door, by_service(each.service, each.account, each.arn))
        if each.service not in told and allowed(document, request) == NO:
            told.add(each.service)
            yield each


def _request(door: Door, sender: Sender, action: str = "") -> Request:
    caller, context = sender
    return Request(caller, action or door.send, door.resource, context)


def _opening(door: Door, statements: Sequence[Statement], kind: str, entry: Any) -> Iterator[str]:
    for words, sender in _tests(door, kind, entry):
        requests = [_request(door, sender, action) for action in door.actions]
        if any(allowed(statements, request) != NO for request in requests):
            yield words
            return


def _tests(door: Door, kind: str, entry: Any) -> Iterator[tuple[str, Sender]]:
    """Yield who may come in by a principal of a statement, and what is said if they can."""
    if entry == "*":
        yield "is open to everybody (*)", by_nobody()
        yield "is open to everybody (*)", by_identity(OTHER)
        yield "is open to everybody in the account (*)", by_identity(door.account)
        for account in (OTHER, door.account):
            source = f"arn:{OWN}:{OTHER}:{ANY}:{account}:{ANY}"
            yield (
                "is open to every AWS service (*)",
                by_service(OTHER, account, source, OTHER if account == OTHER else OWN),
            )
        for service in sorted(door.services):
            yield _any_account(service), by_stranger(service)
    elif not isinstance(entry, str):
        yield "is open to a principal that is not known at preview", by_identity(OTHER)
        yield "is open to a principal that is not known at preview", by_identity(door.account)
    elif kind == "Service" and plain_service(entry) in door.services:
        yield _any_account(plain_service(entry)), by_stranger(entry)
    elif kind == "Service":
        ours = f"arn:{OWN}:{ANY}:{ANY}:{door.account}:{ANY}"
        yield f"is open to Service {entry}", by_service(entry, door.account, ours)
        yield f"is open to Service {entry}", by_stranger(entry)
    elif kind == "AWS" and not door.is_known(entry):
        arn = arns.parse_arn(entry)
        if entry == door.account or entry.endswith(f":iam::{door.account}:root"):
            return  # what is in an account needs a policy of its own, even if the account is let in
        named = entry if arn and not entry.endswith(":root") else ""
        yield f"is open to AWS {entry}", by_identity(arn.account if arn else entry, named)
    elif kind != "AWS":
        yield f"is open to {f'{kind} {entry}'.strip()}", (Caller(kind, entry), {})


def _any_account(service: str) -> str:
    return (
        f"names no account in a condition on aws:SourceAccount or aws:SourceArn, so {service} may send for "
        "any account"
    )


def principals(statement: Statement) -> Iterator[tuple[str, Any]]:
    """Yield the principals of a statement, each with its kind, as the document has it."""
    if statement.not_principal is not ABSENT:
        yield "everybody but its NotPrincipal", ""
    elif isinstance(statement.principal, dict):
        for kind, value in cast("dict[str, Any]", statement.principal).items():
            yield from ((kind, entry) for entry in entries(value))
    else:
        yield "", statement.principal


def _names(denial: Statement) -> Iterator[str]:
    """Yield the ARNs by which a denial may leave somebody out."""
    if isinstance(denial.not_principal, dict):
        for value in cast("dict[str, Any]", denial.not_principal).values():
            yield from (entry for entry in entries(value) if isinstance(entry, str))
    for _, key, values in denial.conditions:
        if key == "aws:principalarn":
            yield from (value for value in values if isinstance(value, str))
