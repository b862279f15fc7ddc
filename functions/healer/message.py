"""What people are told, once for each transition that needs them: seen, done, and how to undo it."""

from functions.healer.model import Incident, Status

_SUBJECT_LIMIT = 100
"""SNS: a subject is ASCII and at most 100 characters."""


def subject(incident: Incident) -> str:
    """Return the message's subject."""
    return f"[selfheal] {incident.status.value}: {incident.target} ({incident.reason.value})"[:_SUBJECT_LIMIT]


def body(incident: Incident) -> str:
    """Return the message's text."""
    lines = [
        f"Incident {incident.id} of target {incident.target} is {incident.status.value}.",
        f"Reason: {incident.reason.value}. Mode: {incident.mode.value}. Opened at {incident.opened_at}.",
        f"Seen: alarm {incident.alarm} in ALARM, borne out by its metrics.",
        _done(incident),
    ]
    if incident.evidence is not None:
        seen = incident.evidence
        lines.append(
            f"Evidence: {seen.errors} errors in {seen.requests} requests since {seen.since}: {seen.verdict}."
        )
    lines.append(_next(incident))
    return "\n".join(lines)


def _done(incident: Incident) -> str:
    plan = incident.plan
    if plan is None:
        return "Done: nothing."
    change = f"{plan.variable} from {plan.before!r} to {plan.after!r}"
    return f"Done: {change}." if incident.acts else f"Done: nothing. Proposed: {change}."


def _next(incident: Incident) -> str:
    if incident.status is Status.RECOVERED and incident.acts:
        return "Next: mend the cause. `pulumi up` restores the baseline from stack configuration."
    if incident.status is Status.RECOVERED:
        return "Next: nothing; it recovered without an act."
    if incident.status is Status.PROPOSED:
        return "Next: apply the proposal yourself, or allow the healer to act (configuration key mode: act)."
    if incident.override_stands:
        return (
            "Next: a person must look; the healer does nothing more here until the service is well. "
            "The value stands. To undo it: `pulumi config set restoreBaseline true`, then `pulumi up`."
        )
    return "Next: a person must look; the healer does nothing more here until the service is well."
