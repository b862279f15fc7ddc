"""Carry out a decision: a conditional write of the intent, the change itself, and a write of the outcome."""

import time
from collections.abc import Callable
from datetime import datetime

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.probe import probe
from selfheal.functions.healer.publication import publication
from selfheal.functions.healer.states import Effect, Reason
from selfheal.functions.shared.errors import OwnError
from selfheal.functions.shared.log import log

PROBES = 20
"""Maximum per run. At one run a minute, the 152 probes without an error that show health take 8 minutes."""

PROBE_SECONDS = 5.0
"""No probe starts later than this in a run, for all targets together: a run must end well within its 30 s."""


def execute(
    seen: Observation,
    decision: Decision,
    aws: Aws,
    clock: Callable[[], datetime],
    *,
    probe_seconds: float = PROBE_SECONDS,
) -> Incident | None:
    """Take the decided step and return the resulting incident.

    Args:
        seen: The observation that the decision is based on.
        decision: The step to take.
        aws: The clients.
        clock: Returns the time. It is read again after a change: that is when evidence begins.
        probe_seconds: For how long this run may still start probes.

    Raises:
        LostRaceError: when another run or a person wrote first. Nothing was done.
        OwnError: when a remedy would be applied although not all could be read. Nothing was done.
        botocore.exceptions.ClientError: when the change fails. A later run resumes the recorded intent.

    """
    intent = decision.incident
    if intent is None:
        return seen.incident
    # The run tells what is damaged of the item, once and not for each target.
    problems = (*(["the fleet's item is damaged"] if seen.fleet.problem else []), *seen.problems)
    if intent.effect is Effect.APPLY and problems:
        raise OwnError(f"no remedy is applied while this is so: {'; '.join(problems)}")
    aws.ledger.write(seen, seen.incident, intent, counts=decision.counts, listed=decision.listed)
    # An outcome may require a notice. That is an intent of its own, which is carried out at once.
    while (outcome := _perform(seen, intent, aws, clock, probe_seconds)) is not None:
        aws.ledger.write(None, intent, outcome)
        intent = outcome
        if outcome.effect is not Effect.NOTIFY:
            break
    return intent


def _perform(
    seen: Observation, intent: Incident, aws: Aws, clock: Callable[[], datetime], probe_seconds: float
) -> Incident | None:
    match intent.effect:
        case None:
            return None
        case Effect.NOTIFY:
            aws.sns.publish(TopicArn=aws.escalation_topic, **publication(intent, aws.table))
            return intent.notified()
        case Effect.PROBE:
            payload = seen.target.probe or "{}"
            counts = probe(
                aws.prober,
                seen.target.invoked,
                payload,
                PROBES,
                probe_seconds,
                time.monotonic,
                limited=seen.is_limited,
            )
            return intent.probed(*counts)
        case Effect.APPLY | Effect.REVERT:
            refused = _change(seen, intent, aws)
    if refused is not None and refused in remedies.REFUSED:
        return _refused(seen, intent, clock(), refused)
    if refused is not None:
        log("warning", "act deferred", target=intent.target, incident=intent.id, code=refused)
        return intent.deferred()
    return intent.applied(clock()) if intent.effect is Effect.APPLY else intent.reverted(clock())


def _refused(seen: Observation, intent: Incident, now: datetime, code: str) -> Incident:
    """Return the outcome of what AWS refuses for good, with the answer to whoever asked for it."""
    key = str(intent.planned.key)
    log("error", "act refused", target=intent.target, incident=intent.id, plan=key, code=code)
    last = seen.target.next_remedy((*intent.tried, key)) is None
    undoing = intent.purpose in (Reason.ROLLED_BACK, Reason.RESTORING)
    asked = [
        each.answered(now, Reason.CHANGE_REFUSED, done=False)
        for each in (seen.approval, seen.command)
        if each is not None and (undoing or each.id in intent.answered)
    ]
    return intent.refused(now, code, last=last).answering(*asked)


def _change(seen: Observation, intent: Incident, aws: Aws) -> str | None:
    plan, live = intent.plan, seen.live
    if plan is None or live is None or not seen.is_about(plan.key):
        raise OwnError(f"{intent.id}: an act needs a plan and the setting that it was made for")
    if seen.target.remedy_of(plan.key) is None:
        # Write access to the ledger must not be enough to choose what is changed.
        raise OwnError(f"{intent.id}: {plan.key} is no remedy of target {seen.target.name}")
    value = plan.after if intent.effect is Effect.APPLY else plan.before
    return remedies.write(aws, seen.target, plan.key, live, value)
