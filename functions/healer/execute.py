"""Carry out a decision: one conditional write before the act, the act, one write after."""

import time
from collections.abc import Callable
from datetime import datetime

from selfheal.functions.healer import message, remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.probe import probe
from selfheal.functions.healer.states import Effect
from selfheal.functions.shared.log import log

PROBES = 20
"""Most probes of one run: at one run a minute 152 without an error, which show health, take 8 minutes."""

PROBE_SECONDS = 5.0
"""No probe is begun later in a run, whatever the number of targets: it must stay well within its 30 s."""


def execute(
    seen: Observation,
    decision: Decision,
    aws: Aws,
    clock: Callable[[], datetime],
    *,
    probe_seconds: float = PROBE_SECONDS,
) -> Incident | None:
    """Take the step that was decided and return the incident as it then stands.

    Args:
        seen: What the decision rests on.
        decision: The step.
        aws: What to talk to.
        clock: The time. It is asked after an act, which may take a while: evidence begins when it was done.
        probe_seconds: How long this run may still begin probes.

    Raises:
        LostRaceError: before anything was done, when another run or a person wrote first.
        botocore.exceptions.ClientError: when an act fails. Its intent stays recorded; a later run resumes it.

    """
    intent = decision.incident
    if intent is None:
        return seen.incident
    aws.ledger.write(seen, seen.incident, intent, counts=decision.counts)
    # An outcome may call people: that is an intent of its own, carried out at once.
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
            text, title = message.body(intent, aws.table), message.subject(intent)
            aws.sns.publish(TopicArn=aws.escalation_topic, Subject=title, Message=text)
            return intent.notified()
        case Effect.PROBE:
            payload = seen.target.probe or "{}"
            counts = probe(aws.prober, seen.target.invoked, payload, PROBES, probe_seconds, time.monotonic)
            return intent.probed(*counts)
        case Effect.APPLY | Effect.REVERT:
            refused = _change(seen, intent, aws)
    if refused is not None:
        log("warning", "act deferred", target=intent.target, incident=intent.id, code=refused)
        return intent.deferred()
    return intent.applied(clock()) if intent.effect is Effect.APPLY else intent.reverted(clock())


def _change(seen: Observation, intent: Incident, aws: Aws) -> str | None:
    plan, live = intent.plan, seen.live
    if plan is None or live is None or not seen.is_about(plan.key):
        raise ValueError(f"{intent.id}: an act needs a plan and the setting that it was made for")
    if seen.target.remedy_of(plan.key) is None:
        # Whoever can write the ledger must not thereby choose what is changed.
        raise ValueError(f"{intent.id}: {plan.key} is no remedy of target {seen.target.name}")
    value = plan.after if intent.effect is Effect.APPLY else plan.before
    return remedies.write(aws, seen.target, plan.key, live, value)
