"""The notices that people receive: what was seen, done and proposed, and how to undo it."""

from collections.abc import Mapping

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Guard, Plan
from selfheal.functions.healer.states import Reason, Status

_SUBJECT_LIMIT = 100
"""SNS: a subject is ASCII and at most 100 characters."""

_LASTING = {Reason.RECORD_LOST}
"""Reasons that are explained for as long as their incident is open."""

_EXPLAINED: Mapping[Reason, str] = {
    Reason.BREAKER_OWNS: (
        "A circuit breaker pauses and resumes this mapping. Declare the remedy force_breaker in place of "
        "pause_consumer; by hand: `selfheal breaker open`."
    ),
    Reason.CIRCUIT_FORCED: (
        "A person, or the incident of another target, has forced the circuit, and it was left so. Who and "
        "why: `selfheal breaker show`; to end it: `selfheal breaker release`."
    ),
    Reason.RECORD_LOST: (
        "The ledger's item of this target's incident is gone, although a change or unfinished work of the "
        "target is listed in the item of the fleet. It is listed no longer, and `up` is not refused because "
        "of it. What the healer had changed is not known any more: compare the target with its configuration."
    ),
    Reason.TARGET_UNREADABLE: (
        "Since it was changed, the target could not be read; the healer's log says why. Whether the change "
        "helped is not known, and it counts as in place."
    ),
}


def subject(incident: Incident) -> str:
    """Return the message's subject."""
    again = "reminder: " if incident.reminding else ""
    state = f"{again}{incident.status.value}: {incident.target} ({incident.reason.value})"
    return f"[selfheal] {state}"[:_SUBJECT_LIMIT]


def body(incident: Incident, ledger: str) -> str:
    """Return the message's text.

    Args:
        incident: The incident to report.
        ledger: The table's name, which commands need to find the incident.

    """
    lines = [
        f"Incident {incident.id} of target {incident.target} is {incident.status.value}.",
        f"Reason: {incident.reason.value}. Mode: {incident.mode.value}. Opened at {incident.opened_at}.",
        f"Seen: alarm {incident.alarm} in ALARM, {_borne_out(incident.guard)}.",
        *_done(incident),
        *_again(incident),
    ]
    if incident.guard is not None:
        lines.append(_kept_back(incident.guard))
    if incident.evidence is not None:
        seen = incident.evidence
        lines.append(
            f"Evidence: {seen.errors} errors in {seen.requests} requests since {seen.since}: {seen.verdict}."
        )
    told = (incident.reason, *(_LASTING & {*incident.reasons}))
    explained = [_EXPLAINED[each] for each in told if each in _EXPLAINED]
    lines += dict.fromkeys(explained)
    if incident.reason is Reason.REMEDY_INEFFECTIVE:
        lines.append("After the act an alarm rang and was borne out, or the evidence said broken.")
    steps = _next(incident)
    if any("`selfheal " in step for step in steps):
        steps.append(f"On AWS add to each command: `--aws --ledger {ledger}`.")
    return "\n".join([*lines, *steps])


def _again(incident: Incident) -> list[str]:
    """Say that it is a reminder, and sum up the incidents that nobody was told of."""
    lines = ["A reminder: this is unresolved, and you were told before."] if incident.reminding else []
    if incident.quiet:
        lines.append(f"Besides, {incident.quiet} incidents of this target of which no notice was sent.")
    if incident.quiet_since is not None:
        lines.append("More of them are summed up in the next reminder, until somebody releases the target.")
    return lines


def _borne_out(guard: Guard | None) -> str:
    doubts = (Reason.ALARM_NOT_FRESH, Reason.ALARM_NOT_CORROBORATED)
    return "not borne out by its metrics" if guard and guard.reason in doubts else "borne out by its metrics"


def _done(incident: Incident) -> list[str]:
    if incident.standing:
        stands = [f"{_change(each.plan)} since {each.since}" for each in incident.standing]
        if incident.reason is Reason.TARGET_REMOVED:
            return [f"Done, or perhaps done, and left as it is: {'; '.join(stands)}."]
        title = "Done, and stands as drift" if incident.status is Status.RECOVERED else "Done, and stands"
        done = [f"{title}: {'; '.join(stands)}."]
        known = any(each.plan == incident.plan for each in incident.standing)
        proposed = incident.status in (Status.PROPOSED, Status.OPEN) and not known
        return [*done, f"Proposed: {_change(incident.plan)}."] if proposed and incident.plan else done
    if incident.status is Status.CLOSED and incident.closure is not None:
        left = [f"{_change(each.plan)} since {each.since}" for each in incident.closure.left]
        return [f"Done, or perhaps done, and left as it is: {'; '.join(left) or 'nothing'}."]
    pending = incident.status in (Status.OPEN, Status.PROPOSED) or incident.reason is Reason.BUDGET_SPENT
    if incident.acts and incident.plan is not None and not pending:
        return [f"Done, and no longer in place as it was left: {_change(incident.plan)}."]
    proposed = [f"Proposed: {_change(incident.plan)}."] if incident.plan else []
    done = "Done, and taken back: an earlier remedy." if incident.acts else "Done: nothing."
    return [done, *proposed]


def _change(plan: Plan) -> str:
    return f"{plan.key} from {_value(plan.before)} to {_value(plan.after)}"


def _value(value: str | None) -> str:
    return "unset" if value is None else repr(value)


def _kept_back(guard: Guard) -> str:
    numbers = [
        f"{name} {number}"
        for name, number in (("limit", guard.limit), ("found", guard.found), ("of", guard.total))
        if number is not None
    ]
    until = [f"until {guard.until}"] if guard.until else []
    return f"Guard: {guard.reason.value} {', '.join(numbers + until)}".rstrip() + "."


def _next(incident: Incident) -> list[str]:
    if incident.status is Status.CLOSED and incident.closure is not None:
        closure = incident.closure
        return [f"Closed by {closure.by}: {closure.why}", "Next: nothing; the target is not configured."]
    if incident.reason is Reason.TARGET_REMOVED:
        next_ = "Next: the healer no longer looks at this target. Put back by hand what must not stand."
        close = f"Then `selfheal close {incident.id}` closes the incident."
        return [next_, close] if incident.is_open or incident.drifts else [next_]
    if incident.status is Status.RECOVERED:
        return _after_recovery(incident)
    if incident.status is Status.PROPOSED and incident.plan is not None:
        digest = incident.plan.digest(incident.target)
        return [f"Next: `selfheal approve {incident.id} --plan {digest}` has exactly this plan executed."]
    lines = ["Next: a person must look."]
    if incident.hold is not None:
        until = f"{incident.hold.until} or " if incident.hold.until else ""
        why = incident.hold.reason.value
        lines.append(f"The healer is held ({why}) until {until}`selfheal release {incident.id}`.")
    if incident.standing:
        undo = f"`selfheal rollback {incident.id}`, once no alarm rings; before that by hand"
        lines.append(f"To undo what stands: {undo}.")
    return lines


def _after_recovery(incident: Incident) -> list[str]:
    hold = incident.hold
    held = [f"Still held ({hold.reason.value}): `selfheal release {incident.target}`."] if hold else []
    if not incident.standing:
        unaided = "Next: nothing; it recovered without an act."
        return ["Next: nothing is left in place." if incident.acts else unaided, *held]
    reminder = "It is still so: " if incident.reason is Reason.DRIFT_STANDS else ""
    return [
        f"Next: {reminder}mend the cause. `pulumi up` restores the baseline of what Pulumi owns.",
        f"`selfheal restore {incident.target}` takes it back under watch.",
        f"`selfheal accept {incident.target}` accepts it. You are reminded daily until then.",
        *held,
    ]
