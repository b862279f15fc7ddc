"""An incident in words: what is planned, what stands, what happened, and what can be done next. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selfheal.cli.operator.checks import allowed, held
from selfheal.cli.operator.ledger import change, is_open, planned, shown, standing_of
from selfheal.functions.healer.incident import Plan
from selfheal.functions.healer.observation import Request
from selfheal.functions.healer.words import Verb
from selfheal.functions.shared.contract import Mode

LABEL = 15
"""Width of the labels."""

HASH = 12
"""Characters shown of a code or configuration hash."""


@dataclass(frozen=True)
class Step:
    """Something that a person can do next."""

    command: str
    meaning: str


def line(label: str, text: str) -> str:
    """Return one line of a description."""
    return f"  {label:<{LABEL}} {text}"


def plan_lines(plan: Plan, target: str) -> list[str]:
    """Return all that a person approves with a plan."""
    ends = "stands until the baseline is restored or a person undoes it"
    if plan.expires_after is not None:
        ends = f"reverted under watch {plan.expires_after} s after the act"
    return [
        line("target", target),
        line("remedy", plan.kind),
        line("setting", shown(plan.setting) if plan.setting else "of the function itself"),
        line("value", f"{shown(plan.before)} → {shown(plan.after)}"),
        line("code", plan.code_hash[:HASH] or "unknown"),
        line("configuration", plan.config_hash[:HASH] or "unknown"),
        line("expiry", ends),
        line("plan", plan.digest(target)),
    ]


def incident_lines(incident: Mapping[str, Any], now: datetime) -> list[str]:
    """Return what is known of an incident, without its history."""
    return [line(label, text) for label, text in _facts(incident, now) if text]


def _facts(incident: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    yield "target", str(incident["target"])
    yield "status", f"{incident.get('status')} ({incident.get('reason')})"
    yield "alarm", _text(incident, "alarm")
    yield "mode", _text(incident, "mode")
    for label in ("began_at", "opened_at", "acted_at", "escalated_at", "closed_at"):
        yield label.removesuffix("_at"), _text(incident, label)
    if incident.get("effect"):
        yield "under way", f"{incident['effect']}, lease until {incident.get('lease_until', '?')}"
    for each in standing_of(incident):
        yield "stands", f"{change(each.plan)} since {each.since}"
    yield "tried", ", ".join(shown(str(each)) for each in incident.get("tried", ()))
    yield "guard", _guard(incident.get("guard"))
    yield "hold", _hold(incident, now)
    yield "approval", _approval(incident.get("approval"))
    yield "evidence", _evidence(incident.get("evidence"))


def _text(incident: Mapping[str, Any], key: str) -> str:
    return shown(str(incident[key])) if incident.get(key) else ""


def _guard(guard: Any) -> str:
    if not isinstance(guard, Mapping):
        return ""
    counts = (f"{name} {guard[name]}" for name in ("limit", "found", "total") if guard.get(name) is not None)
    until = (f"until {guard['until']}",) if guard.get("until") else ()
    return ", ".join([str(guard.get("reason")), *counts, *until])


def _hold(incident: Mapping[str, Any], now: datetime) -> str:
    hold = incident.get("hold")
    if not isinstance(hold, Mapping):
        return ""
    until = f"until {hold['until']}" if hold.get("until") else "until it is released"
    over = "" if held(incident, now) else " (over)"
    return f"{hold.get('reason')}, since {hold.get('since')}, {until}{over}"


def _approval(approval: Any) -> str:
    if not isinstance(approval, Mapping):
        return ""
    return f"of {approval.get('plan')} by {approval.get('by')} at {approval.get('at')}"


def _evidence(evidence: Any) -> str:
    if not isinstance(evidence, Mapping):
        return ""
    probes = f", {evidence['probe_errors']} of {evidence['probes']} probes" if evidence.get("probes") else ""
    return (
        f"{evidence.get('errors')} errors of {evidence.get('requests')} requests{probes} since "
        f"{evidence.get('since')}: {evidence.get('verdict')}"
    )


def waiting_line(request: Request) -> str:
    """Return what is still to be answered."""
    why = f": {shown(request.why)}" if request.why else ""
    return line("asked", f"{request.verb} by {request.by} at {request.at}, until {request.until}{why}")


def history_lines(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return transitions as a timeline, one line each."""
    told: list[str] = []
    for each in lines:
        way = f"{each.get('source')} → {each.get('to')}"
        told.append(f"  {each.get('at')}  {way:<27} {each.get('reason')}")
    return told


def next_steps(
    incident: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    mode: Mode,
    now: datetime,
    options: str = "",
) -> list[Step]:
    """Return what a person can do about an incident now, as commands.

    Args:
        incident: What it is about.
        found: Every incident of the ledger.
        mode: The one in effect.
        now: The moment.
        options: What every command must repeat to reach the same place, with a space before it.

    """
    about, target = str(incident["id"]), str(incident["target"])
    steps: list[Step] = []

    def offer(verb: Verb, command: str, meaning: str) -> None:
        if allowed(verb, incident, found, mode, now):
            steps.append(Step(f"selfheal {command}{options}", meaning))

    plan = planned(incident)
    digest = plan.digest(target) if plan else ""
    offer(Verb.APPROVE, f"approve {about} --plan {digest}", "let the healer do exactly this plan")
    offer(Verb.ROLLBACK, f"rollback {about} --why TEXT", "undo what stands, and hold the target")
    offer(Verb.RELEASE, f"release {about} --why TEXT", "end the hold: the healer may act again")
    offer(Verb.RESTORE, f"restore {target} --why TEXT", "undo what stands, under watch")
    offer(Verb.ACCEPT, f"accept {target} --why TEXT", "take what stands for the baseline from now on")
    if is_open(incident):
        steps.append(Step(f"selfheal incidents follow {about}{options}", "watch it"))
        if mode is not Mode.OBSERVE:
            steps.append(
                Step(f"selfheal mode observe --why TEXT{options}", "stop all acting from the next run on")
            )
    return steps


def step_lines(steps: Sequence[Step]) -> list[str]:
    """Return what can be done next, one command a line."""
    width = max((len(step.command) for step in steps), default=0)
    return [f"  {step.command:<{width}}  {step.meaning}" for step in steps]


def mode_lines(baseline: Mode | None, baseline_from: str, override: str, in_effect: str) -> list[str]:
    """Return what the mode consists of."""
    return [
        line("baseline", f"{baseline or 'not known'} ({baseline_from})"),
        line("override", override),
        line("in effect", f"{in_effect}, the more restrictive of the two"),
    ]


def farewell_lines(
    found: Sequence[Mapping[str, Any]], drifting: Sequence[Mapping[str, Any]], options: str = ""
) -> list[str]:
    """Return what should be known before a stack is deleted: what is open, and what stands on functions.

    Args:
        found: Every incident of the ledger.
        drifting: Those that are over and left a change.
        options: What every command must repeat to reach the same place, with a space before it.

    """
    told: list[str] = []
    for incident in found:
        about, target = incident["id"], incident["target"]
        if is_open(incident):
            told.append(f"  The record of {about} is deleted with the ledger.")
        if is_open(incident) or incident in drifting:
            undo = f"selfheal rollback {about}" if is_open(incident) else f"selfheal restore {target}"
            told += [
                f"  On {target} stands {change(each.plan)}. Undo it first: {undo} --why TEXT{options}"
                for each in standing_of(incident)
            ]
    if any(standing_of(incident) for incident in found if is_open(incident) or incident in drifting):
        told.append("  What was changed on a function that is not part of the stack would stay changed.")
    return told
