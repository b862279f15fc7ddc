"""Incidents as text for people: the list, the details, the plan, and the commands that make sense next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from selfheal.cli.operator.checks import is_allowed, is_held
from selfheal.cli.operator.ledger import Incidents, Unreadable
from selfheal.functions.healer.answers import what_next
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Answered, Guard, Plan, Transition
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.reasons import MEANS
from selfheal.functions.healer.states import Verb
from selfheal.functions.shared.contract import Mode
from selfheal.functions.status.picture import printable
from selfheal.functions.status.picture import remedy_text as change

LABEL_WIDTH = 15
HASH_LENGTH = 12
"""Characters shown of a code or configuration hash."""


@dataclass(frozen=True)
class Step:
    """Something that a person can do next."""

    command: str
    meaning: str


def line(label: str, text: str) -> str:
    """Return one labelled line."""
    return f"  {label:<{LABEL_WIDTH}} {text}"


def row(incident: Incident | Unreadable, *, drift: bool = False) -> tuple[str, str, str, str, str, str]:
    """Return an incident's cells in the list: id, target, status, opened, remedy, reason."""
    cells = (incident.id, incident.target)
    if isinstance(incident, Unreadable):
        return (*cells, printable(incident.status), printable(incident.opened_at), "—", incident.problem)
    remedy = change(incident.plan) if incident.plan else "—"
    if drift:
        remedy = "; ".join(change(each.plan) for each in incident.standing)
    status = f"{incident.status}, drift stands" if drift else incident.status
    return (*cells, status, incident.opened_at, remedy, incident.reason)


def plan_lines(plan: Plan, target: str) -> list[str]:
    """Return everything that a person approves with a plan."""
    expiry = "stands until the baseline is restored or a person undoes it"
    if plan.expires_after is not None:
        expiry = f"reverted under watch {plan.expires_after} s after the act"
    return [
        line("target", target),
        line("remedy", plan.kind),
        line("setting", printable(plan.setting) if plan.setting else "of the function itself"),
        line("value", f"{printable(plan.before)} → {printable(plan.after)}"),
        line("code", plan.code_hash[:HASH_LENGTH] or "unknown"),
        line("configuration", plan.config_hash[:HASH_LENGTH] or "unknown"),
        line("expiry", expiry),
        line("plan", plan.digest(target)),
    ]


def incident_lines(incident: Incident, now: datetime) -> list[str]:
    """Return the details of an incident, without its plan and history."""
    return [line(label, text) for label, text in _details(incident, now) if text]


def _details(incident: Incident, now: datetime) -> Iterator[tuple[str, str]]:
    yield "target", incident.target
    yield "status", f"{incident.status} ({incident.reason})"
    yield "means", MEANS[incident.reason]
    yield "alarm", printable(incident.alarm)
    yield "mode", incident.mode
    yield "began", incident.began_at or ""
    yield "opened", incident.opened_at
    yield "acted", incident.acted_at or ""
    yield "escalated", incident.escalated_at or ""
    yield "closed", incident.closed_at or ""
    if incident.effect:
        yield "under way", f"{incident.effect}, lease until {incident.lease_until or '?'}"
    for each in incident.standing:
        yield "stands", f"{change(each.plan)} since {each.since}"
    yield "tried", ", ".join(printable(each) for each in incident.tried)
    if incident.guard:
        yield "guard", _guard(incident.guard)
    if hold := incident.hold:
        over = "" if is_held(incident, now) else " (over)"
        until = f"until {hold.until or 'it is released'}"
        yield "hold", f"{hold.reason}, since {hold.since}, {until}{over}"
    yield from _answers(incident)
    if approval := incident.approval:
        yield "approval", f"of {approval.plan} by {approval.by} at {approval.at}"
    if closure := incident.closure:
        yield "closed by", f"{closure.by}: {printable(closure.why)}"
        for each in closure.left:
            yield "left", f"{change(each.plan)} since {each.since}"
    if evidence := incident.evidence:
        probes = f", {evidence.probe_errors} of {evidence.probes} probes" if evidence.probes else ""
        counts = f"{evidence.errors} errors of {evidence.requests} requests{probes}"
        yield "evidence", f"{counts} since {evidence.since}: {evidence.verdict}"
        for each in evidence.counts:
            yield "", f"{each.namespace}: {each.errors} of {each.requests}, complete until {each.until}"


def _guard(guard: Guard) -> str:
    counts = (("limit", guard.limit), ("found", guard.found), ("total", guard.total), ("until", guard.until))
    return ", ".join([guard.reason, *(f"{name} {value}" for name, value in counts if value is not None)])


def _answers(incident: Incident) -> Iterator[tuple[str, str]]:
    for each in incident.requests:
        yield "answered", _answered(each)
    if incident.requests and not incident.requests[-1].done:
        yield "then", what_next(incident.requests[-1], incident.id)


def _answered(one: Answered) -> str:
    why = f" ({printable(one.why)})" if one.why else ""
    outcome = "accepted" if one.done else "refused"
    asked = f"{one.verb} by {printable(one.by)} at {printable(one.at)}{why}"
    return f"{asked}: {outcome} at {one.answered_at}, {one.answer}"


def request_line(request: Request) -> str:
    """Return a request that the healer has not answered yet."""
    why = f": {printable(request.why)}" if request.why else ""
    return line("asked", f"{request.verb} by {request.by} at {request.at}, until {request.until}{why}")


def history_lines(transitions: Sequence[Transition]) -> list[str]:
    """Return transitions, one line each."""
    return [f"  {each.at}  {f'{each.source} → {each.to}':<27} {each.reason}" for each in transitions]


def next_steps(
    incident: Incident, incidents: Incidents, mode: Mode, now: datetime, options: str = ""
) -> list[Step]:
    """Return the commands that make sense for an incident now.

    Args:
        incident: The incident.
        incidents: Every incident of its ledger.
        mode: The mode in effect.
        now: The current time.
        options: What each command must repeat to find the same ledger, with a space before it.

    """
    about, target = incident.id, incident.target
    digest = incident.plan.digest(target) if incident.plan else ""
    offers = (
        (Verb.APPROVE, f"{about} --plan {digest}", "let the healer execute exactly this plan"),
        (Verb.ROLLBACK, f"{about} --why TEXT", "undo what stands, and hold the target"),
        (Verb.RELEASE, f"{about} --why TEXT", "end the hold: the healer may act again"),
        (Verb.RESTORE, f"{target} --why TEXT", "undo what stands, under watch"),
        (Verb.ACCEPT, f"{target} --why TEXT", "make what stands the new baseline"),
        (Verb.CLOSE, f"{about} --why TEXT", "its target was removed: what stands is yours from then on"),
    )
    steps = [
        (f"{verb} {arguments}", meaning)
        for verb, arguments, meaning in offers
        if is_allowed(verb, incident, incidents, mode, now)
    ]
    if incident.is_open:
        steps.append((f"incidents follow {about}", "watch it"))
        if mode is not Mode.OBSERVE:
            steps.append(("mode observe --why TEXT", "stop all acting from the next run on"))
    return [Step(f"selfheal {command}{options}", meaning) for command, meaning in steps]


def step_lines(steps: Sequence[Step]) -> list[str]:
    """Return next steps, one command a line."""
    width = max((len(step.command) for step in steps), default=0)
    return [f"  {step.command:<{width}}  {step.meaning}" for step in steps]


def destroy_lines(incidents: Incidents, options: str = "") -> list[str]:
    """Return what to know before the stack is destroyed: records that go with it, and changes that stay.

    Args:
        incidents: Every incident of the ledger.
        options: As for `next_steps`.

    """
    lines = [
        f"  What stands on {each.target} is not known: {each.id} {each.problem}"
        for each in incidents.found
        if isinstance(each, Unreadable) and each.is_open
    ]
    drifting = incidents.drifting
    concerned = [each for each in incidents.readable if each.is_open or each in drifting]
    for incident in concerned:
        undo = f"restore {incident.target}"
        if incident.is_open:
            undo = f"rollback {incident.id}"
            lines.append(f"  The record of {incident.id} is deleted with the ledger.")
        how = f"Undo it first: selfheal {undo} --why TEXT{options}"
        if incidents.is_removed(incident):
            how = "Undo it by hand: a deployment removed the target."
        lines += [f"  On {incident.target} stands {change(each.plan)}. {how}" for each in incident.standing]
    if any(incident.standing for incident in concerned):
        lines.append("  A change on a function that is not part of the stack would stay.")
    return lines
