"""The notices that people receive: what was seen, done and proposed, and how to undo it."""

from collections.abc import Mapping
from dataclasses import dataclass

from selfheal.functions.healer.answers import what_next
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Answered, Guard, Plan
from selfheal.functions.healer.states import Reason, Status

_SUBJECT_LIMIT = 99
"""SNS, API reference of Publish: ASCII, and less than 100 characters."""

_WORDS_LIMIT = 300
"""Characters of a value, or of what a person wrote, that are told. The ledger has it all."""

_TEXT_LIMIT = 15_000
"""Characters of the text: in each form and with every escape, a message stays below SNS's 256 KB."""

_TITLES: Mapping[str, str] = {
    "stands": "Done, and stands",
    "drift": "Done, and stands as drift",
    "left": "Done, or perhaps done, and left as it is",
    "gone": "Done, and no longer in place as it was left",
    "proposed": "Proposed",
}

_LASTING = {Reason.RECORD_LOST}
"""Reasons that are explained for as long as their incident is open."""

_EXPLAINED: Mapping[Reason, str] = {
    Reason.CHANGE_FAILED: (
        "AWS accepted the change and then failed to make it: the function runs as it did before. It is not "
        "known whether the remedy would have helped."
    ),
    Reason.CHANGE_REFUSED: "AWS refused the change and would refuse it again. It was not made.",
    Reason.NO_EARLIER_VERSION: (
        "No earlier published version can run, other than those that were rolled back from before. `selfheal "
        "release` lets those be tried again."
    ),
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


def headline(incident: Incident) -> Reason:
    """Return what a notice is about: the incident's reason, or why a request was refused."""
    asked = [each.answer for each in incident.requests if each.id == incident.about]
    return asked[-1] if asked else incident.reason


def subject(incident: Incident) -> str:
    """Return the message's subject."""
    again = "reminder: " if incident.reminding else ""
    title = f"[selfheal] {again}{incident.status.value}: {incident.target} ({headline(incident).value})"
    return title.encode("ascii", "replace").decode()[:_SUBJECT_LIMIT]


def body(incident: Incident, ledger: str) -> str:
    """Return the message's text.

    Args:
        incident: The incident to report.
        ledger: The table's name, which commands need to find the incident.

    """
    return clipped("\n".join([*facts(incident), *next_steps(incident, ledger)]), _TEXT_LIMIT)


def facts(incident: Incident) -> list[str]:
    """Return the lines that say what was seen, done and asked."""
    lines = [
        f"Incident {incident.id} of target {incident.target} is {incident.status.value}.",
        f"Reason: {incident.reason.value}. Mode: {incident.mode.value}. Opened at {incident.opened_at}.",
        f"Seen: alarm {incident.alarm} in ALARM, {_borne_out(incident.guard)}.",
        *_done(incident),
        *_again(incident),
    ]
    if incident.requests:
        lines.append(_asked(incident.requests[-1], incident.id))
    if incident.guard is not None:
        lines.append(_kept_back(incident.guard))
    if incident.evidence is not None:
        seen = incident.evidence
        lines.append(
            f"Evidence: {seen.errors} errors in {seen.requests} requests since {seen.since}: {seen.verdict}."
        )
    if incident.failures:
        lines.append(f"AWS refused or failed: {'; '.join(incident.failures)}.")
    told = (incident.reason, *(_LASTING & {*incident.reasons}))
    explained = [_EXPLAINED[each] for each in told if each in _EXPLAINED]
    lines += dict.fromkeys(explained)
    if incident.reason is Reason.REMEDY_INEFFECTIVE:
        lines.append("After the act an alarm rang and was borne out, or the evidence said broken.")
    return lines


def next_steps(incident: Incident, ledger: str) -> list[str]:
    """Return the lines that say what to do next."""
    steps = _next(incident)
    if any("`selfheal " in step for step in steps):
        steps.append(f"On AWS add to each command: `--aws --ledger {ledger}`.")
    return steps


def clipped(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters, which says so where something was left out."""
    if len(text) <= limit:
        return text
    left_out = f"... ({len(text)} characters)"
    return text[: limit - len(left_out)] + left_out


def printed(text: str) -> str:
    """Return what somebody wrote as one line of at most 300 characters, without control characters."""
    line = "".join(each if each.isprintable() else " " for each in text)
    return clipped(" ".join(line.split()), _WORDS_LIMIT)


def _asked(last: Answered, about: str) -> str:
    words = f" ({printed(last.why)})" if last.why else ""
    asked = f"Asked: {last.verb.value} by {printed(last.by)} at {printed(last.at)}{words}"
    if last.done:
        return f"{asked}. Accepted: {last.answer.value}."
    return f"{asked}. Refused: {last.answer.value}. {what_next(last, about)}"


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


@dataclass(frozen=True)
class Change:
    """A change that a notice tells of."""

    what: str
    """stands, drift, left (a person's from now on), gone (no longer as the healer left it) or proposed."""
    plan: Plan
    since: str | None = None


def changes(incident: Incident) -> list[Change]:
    """Return the changes that a notice tells of. No other value of a setting leaves the ledger."""
    if incident.status is Status.CLOSED and incident.closure is not None:
        return [Change("left", each.plan, each.since) for each in incident.closure.left]
    plan, what = incident.plan, "drift" if incident.status is Status.RECOVERED else "stands"
    if incident.reason is Reason.TARGET_REMOVED:
        what = "left"
    found = [Change(what, each.plan, each.since) for each in incident.standing]
    if plan is None or (found and (what == "left" or any(each.plan == plan for each in found))):
        return found
    pending = incident.status in (Status.OPEN, Status.PROPOSED)
    if found:
        return [*found, Change("proposed", plan)] if pending else found
    done = incident.acts and not pending and incident.reason is not Reason.BUDGET_SPENT
    return [Change("gone" if done else "proposed", plan)]


def _done(incident: Incident) -> list[str]:
    told = changes(incident)
    lines = [
        f"{title}: {'; '.join(each)}."
        for what, title in _TITLES.items()
        if (each := [_change(change) for change in told if change.what == what])
    ]
    if incident.status is Status.CLOSED and not told:
        return ["Done, or perhaps done, and left as it is: nothing."]
    if {change.what for change in told} <= {"proposed"}:
        return ["Done, and taken back: an earlier remedy." if incident.acts else "Done: nothing.", *lines]
    return lines


def _change(change: Change) -> str:
    plan, since = change.plan, f" since {change.since}" if change.since else ""
    return f"{plan.key} from {_value(plan.before)} to {_value(plan.after)}{since}"


def _value(value: str | None) -> str:
    return "unset" if value is None else repr(clipped(value, _WORDS_LIMIT))


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
        said = f"Closed by {printed(closure.by)}: {printed(closure.why)}"
        return [said, "Next: nothing; the target is not configured."]
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
