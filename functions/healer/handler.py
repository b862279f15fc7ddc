"""The Lambda handler: check the wake-up, take one step for every target, and log what was decided.

If a target fails, the others are still handled. The run then raises, and the alarm on the healer's errors
notifies people.
"""

import json
import os
import time
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, cast

from selfheal.functions.healer.aws import connect
from selfheal.functions.healer.clock import Clock
from selfheal.functions.healer.decide import decide, retire
from selfheal.functions.healer.execute import PROBE_SECONDS, execute
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.measure import measures
from selfheal.functions.healer.observation import Fleet, Observation
from selfheal.functions.healer.observe import Setup, observe, read_alarms
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.target import Target, parse_targets
from selfheal.functions.shared.contract import OPERATOR_EVENT, SCHEDULE_EVENT, Limits, Mode
from selfheal.functions.shared.emf import emf_line
from selfheal.functions.shared.log import log

# Read once, in the init phase: a missing or invalid variable fails before anything is done.
MODE = Mode(os.environ["MODE"])
TARGETS = parse_targets(os.environ["TARGETS"])
LIMITS = Limits(budget=int(os.environ["BUDGET"]), **json.loads(os.environ.get("GUARDS", "{}")))
TOPIC_ARN = os.environ["TOPIC_ARN"]
AWS = connect(os.environ["LEDGER_TABLE"], os.environ["ESCALATION_TOPIC_ARN"])

REQUESTS: tuple[Literal["approval"], Literal["command"]] = ("approval", "command")

BEGIN_WITHIN = 15.0
"""Seconds into a run after which no further target is started: the timeout could interrupt it."""


class RunFailedError(Exception):
    """At least one target could not be handled. The alarm on the healer's errors notifies people."""


def handle(event: Any, _context: Any) -> dict[str, Any]:
    """Take one step for every target."""
    wake = wake_of(event, TOPIC_ARN)
    if wake is None:
        log("warning", "event dropped", allowed="own topic, schedule, operator")
        return {"wake": None, "decisions": {}}
    began, clock = time.monotonic(), AWS.ledger.read_clock()
    if clock.ahead:
        log("warning", "this machine's clock is wrong", seconds_ahead=clock.ahead.total_seconds())
    setup = Setup(MODE, AWS.ledger.read_mode(), LIMITS, len(TARGETS))
    decisions: dict[str, str] = {}
    failures: list[str] = []
    for target in _in_turn(clock):
        if time.monotonic() - began > BEGIN_WITHIN:
            failures.append(f"{target.name}: OutOfTime")
            continue
        try:
            left = PROBE_SECONDS - (time.monotonic() - began)
            decisions[target.name] = _step(target, setup, clock, wake, left)
        except LostRaceError:
            decisions[target.name] = Reason.BUSY
        except Exception as error:  # noqa: BLE001 - the other targets must be handled; raised below
            # Only the type: the text of an AWS error may quote the request, which may contain secrets.
            failures.append(f"{target.name}: {type(error).__name__}")
            log("error", "target failed", target=target.name, error=_describe(error))
    failures += _retire_removed(clock)
    if failures:
        raise RunFailedError(f"{len(failures)} of {len(TARGETS)} targets failed: {'; '.join(failures)}")
    return {"wake": wake, "decisions": decisions}


def _in_turn(clock: Clock) -> tuple[Target, ...]:
    """Return the targets, a different one first each minute, so that a slow target starves no other."""
    first = int(clock.now().timestamp() // 60) % max(1, len(TARGETS))
    return (*TARGETS[first:], *TARGETS[:first])


def _step(target: Target, setup: Setup, clock: Clock, wake: str, probe_seconds: float) -> str:
    alarms = read_alarms(AWS.cloudwatch, (rule.name for rule in target.alarms))
    now = clock.now()
    seen = observe(target, setup, alarms, AWS, now, asked=wake == OPERATOR_EVENT["wake"])
    decision = decide(seen)
    incident = execute(seen, decision, AWS, clock.now, probe_seconds=probe_seconds)
    facts = {"incident": incident.id, "status": incident.status} if incident else {}
    measured = measures(seen.incident, incident) if incident and decision.incident else {}
    if measured:
        print(
            emf_line(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "healer"), measured, int(time.time() * 1000))
        )
    log("info", "decision", wake=wake, target=target.name, reason=decision.reason, **facts)
    return decision.reason


def _retire_removed(clock: Clock) -> list[str]:
    """Take one step for each target that a deployment removed in an incident; return those that failed."""
    fleet = AWS.ledger.read_fleet()
    known = fleet.acting | fleet.blocking | fleet.standing | fleet.unfinished
    failures: list[str] = []
    for name in sorted(known - {target.name for target in TARGETS}):
        try:
            seen = _removed(name, fleet, clock.now())
            decision = retire(seen)
            execute(seen, decision, AWS, clock.now)
            if decision.incident is not None:  # it may be known for days, until a person closes it
                log("warning", "target removed from configuration", target=name, reason=decision.reason)
        except LostRaceError:
            log("info", "another run retires what was removed", target=name)
        except Exception as error:  # noqa: BLE001 - the others must be handled; raised by the caller
            failures.append(f"{name}: {type(error).__name__}")
            log("error", "removed target failed", target=name, error=_describe(error))
    return failures


def _removed(name: str, fleet: Fleet, now: datetime) -> Observation:
    """Return what the ledger says of a target that is not configured; nothing else of it may be read."""
    incident, target = AWS.ledger.read(name), Target(name, "", 0, (), ())
    seen = Observation(target, now, MODE, {}, incident, fleet=fleet)
    if incident is None:
        return seen
    approval, command = (AWS.ledger.read_request(kind, incident) for kind in REQUESTS)
    return replace(seen, approval=approval, command=command)


def _describe(error: Exception) -> str:
    """Describe an error by its type, code and operation. Its text may quote the request."""
    response: dict[str, Any] = getattr(error, "response", {})
    code = response.get("Error", {}).get("Code", "")
    operation = getattr(error, "operation_name", "")
    return " ".join(part for part in (type(error).__name__, code, operation) if part)


def wake_of(event: Any, topic_arn: str) -> str | None:
    """Return what woke the healer, or None for an event that must be dropped.

    Accepted are `{"wake": "schedule"}` and `{"wake": "operator"}`, which require permission to invoke the
    function, and notifications of the healer's own topic. All other events are dropped.

    Args:
        event: Any JSON value.
        topic_arn: The healer's own topic.

    """
    if not isinstance(event, dict):
        return None
    fields = cast("dict[str, Any]", event)
    if fields in (SCHEDULE_EVENT, OPERATOR_EVENT):
        return fields["wake"]
    records = fields.get("Records")
    if not isinstance(records, list) or not records:
        return None
    own = all(_is_from(record, topic_arn) for record in cast("list[Any]", records))
    return "topic" if own else None


def _is_from(record: Any, topic_arn: str) -> bool:
    if not isinstance(record, dict):
        return False
    fields = cast("dict[str, Any]", record)
    notification = fields.get("Sns")
    return (
        fields.get("EventSource") == "aws:sns"
        and isinstance(notification, dict)
        and cast("dict[str, Any]", notification).get("TopicArn") == topic_arn
    )
