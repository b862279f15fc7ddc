"""Carry out a decision: one conditional write before the act, the act, one write after."""

from datetime import datetime
from typing import Any

from functions.healer import message, remedy_environment, transitions
from functions.healer.aws import Aws
from functions.healer.model import Decision, Effect, Incident, Observation
from functions.shared.log import log


def execute(seen: Observation, decision: Decision, aws: Aws, now: datetime) -> Incident | None:
    """Take the step that was decided and return the incident as it then stands.

    Raises:
        LostRaceError: before anything was done, when another run wrote first.
        botocore.exceptions.ClientError: when an act fails. Its intent stays recorded; a later run resumes it.

    """
    intent = decision.incident
    if intent is None:
        return seen.incident
    aws.ledger.write(seen.incident, intent)
    outcome = _perform(seen, intent, aws, now)
    if outcome is not None:
        aws.ledger.write(intent, outcome)
    return outcome or intent


def _perform(seen: Observation, intent: Incident, aws: Aws, now: datetime) -> Incident | None:
    if intent.effect is Effect.NOTIFY:
        text, title = message.body(intent), message.subject(intent)
        aws.sns.publish(TopicArn=aws.escalation_topic, Subject=title, Message=text)
        return transitions.notified(intent)
    if intent.effect is None:
        return None
    refused = _change(seen, intent, aws.lambda_)
    if refused is not None:
        log("warning", "act deferred", target=intent.target, incident=intent.id, code=refused)
        return transitions.deferred(intent)
    move = transitions.applied if intent.effect is Effect.APPLY else transitions.reverted
    return move(intent, now)


def _change(seen: Observation, intent: Incident, client: Any) -> str | None:
    plan, live = intent.plan, seen.live
    if plan is None or live is None:
        raise ValueError(f"{intent.id}: an act needs a plan and the configuration it was made for")
    value = plan.after if intent.effect is Effect.APPLY else plan.before
    return remedy_environment.write(client, seen.target.function, live, plan.variable, value)
