"""The Lambda handler: check the wake-up, take one step for every target, and log what was decided.

If a target fails, the others are still handled. The run then raises, and the alarm on the healer's errors
notifies people.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from selfheal.functions.healer import forgotten, trouble
from selfheal.functions.healer.aws import connect
from selfheal.functions.healer.clock import Clock
from selfheal.functions.healer.decide import decide, give_up, retire
from selfheal.functions.healer.execute import PROBE_SECONDS, execute
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.items import UnreadableItemError
from selfheal.functions.healer.ledger import Glance, LostRaceError
from selfheal.functions.healer.measure import measures
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.observe import (
    Setup,
    existing_alarms,
    observe,
    quiet,
    read_alarms,
    read_requests,
)
from selfheal.functions.healer.readings import AlarmState, Fleet, ModeOverride
from selfheal.functions.healer.reconcile import differs, mend
from selfheal.functions.healer.rehearsal import rehearse
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.target import Target, parse_targets
from selfheal.functions.shared.contract import OPERATOR_EVENT, REHEARSE_EVENT, SCHEDULE_EVENT, Limits, Mode
from selfheal.functions.shared.emf import emf_line
from selfheal.functions.shared.errors import words
from selfheal.functions.shared.log import log

# Read once, in the init phase: a missing or invalid variable fails before anything is done.
MODE = Mode(os.environ["MODE"])
TARGETS = parse_targets(os.environ["TARGETS"])
LIMITS = Limits(budget=int(os.environ["BUDGET"]), **json.loads(os.environ.get("GUARDS", "{}")))
TOPIC_ARN = os.environ["TOPIC_ARN"]
AWS = connect(os.environ["LEDGER_TABLE"], os.environ["ESCALATION_TOPIC_ARN"])

THE_FLEET, THE_MODE = "the fleet", "the mode"
"""Under these names the shared item, and the override of the mode, are told of as targets are."""

UNKNOWN_VERSION = -1
"""Version of an override that cannot be read. No change can be conditional on it, so none is made."""

BEGIN_WITHIN = 15.0
"""Seconds into a run after which no further target is started: the timeout could interrupt it."""


class RunFailedError(Exception):
    """Something could not be handled; its text says what and why. The alarm on the healer's errors rings."""


def handle(event: Any, _context: Any) -> dict[str, Any]:
    """Take one step for every target."""
    wake = wake_of(event, TOPIC_ARN)
    if wake is None:
        log("warning", "event dropped", allowed="own topic, schedule, operator, rehearse")
        return {"wake": None, "decisions": {}}
    if wake == REHEARSE_EVENT["wake"]:
        return rehearse(AWS, TARGETS, MODE, tell=event.get("tell", False))
    began, asked = time.monotonic(), wake == OPERATOR_EVENT["wake"]
    glance = AWS.ledger.glance((target.name for target in TARGETS), requests=asked)
    clock, fleet, failures = glance.clock, glance.fleet, dict[str, str]()
    if clock.ahead:
        log("warning", "this machine's clock is wrong", seconds_ahead=clock.ahead.total_seconds())
    if fleet.problem is not None:
        failures[THE_FLEET] = fleet.problem
    setup = Setup(MODE, _read_mode(glance, failures), LIMITS, len(TARGETS))
    alarms = _alarms()
    decisions: dict[str, str] = {}
    for target in _in_turn(clock):
        if time.monotonic() - began > BEGIN_WITHIN:
            failures[target.name] = f"OutOfTime: not begun within {BEGIN_WITHIN:.0f} s of the run"
            continue
        try:
            left = PROBE_SECONDS - (time.monotonic() - began)
            seen = quiet(target, setup, alarms, glance, clock.now(), asked=asked)
            seen = seen or _observe(target, setup, clock, asked=asked)
            decisions[target.name] = _step(seen, clock, wake, left, fleet, failures)
        except LostRaceError:
            decisions[target.name] = Reason.BUSY
        except Exception as error:  # noqa: BLE001 - the other targets must be handled; raised below
            failures[target.name] = words(error)
            log("error", "target failed", target=target.name, error=words(error))
            _give_up(target.name, fleet, clock)
    _retire_removed(clock, fleet, failures)
    _remind_of_mode(setup, fleet, failures, clock)
    _report(fleet, failures, clock)
    if failures:
        told = "; ".join(f"{name}: {why}" for name, why in failures.items())
        failed = len(failures.keys() - {THE_FLEET, THE_MODE})
        raise RunFailedError(f"{failed} of {len(TARGETS)} targets failed: {told}" if failed else told)
    return {"wake": wake, "decisions": decisions}


def _names() -> set[str]:
    return {target.name for target in TARGETS}


def _alarms() -> dict[str, AlarmState]:
    """Return the states of all targets' alarms. If they cannot be read at once, each target reads its own."""
    try:
        return existing_alarms(AWS.cloudwatch, (rule.name for target in TARGETS for rule in target.alarms))
    except Exception as error:  # noqa: BLE001 - told by the target that cannot read its own
        log("warning", "alarms not read at once", error=words(error))
        return {}


def _read_mode(glance: Glance, failures: dict[str, str]) -> ModeOverride:
    """Return the override of the mode. One that cannot be read is taken for the most restrictive."""
    try:
        return glance.mode()
    except UnreadableItemError as error:
        failures[THE_MODE] = f"{error}. Until it is written again, the healer only observes"
        log("error", "mode failed", error=str(error))
        return ModeOverride(UNKNOWN_VERSION, Mode.OBSERVE)


def _remind_of_mode(setup: Setup, fleet: Fleet, failures: dict[str, str], clock: Clock) -> None:
    """Remind people of an override that they may have forgotten."""
    try:
        forgotten.remind(AWS, fleet, setup, clock.now())
    except Exception as error:  # noqa: BLE001 - the run fails; the next one reminds
        failures[THE_MODE] = f"its override could not be told of: {words(error)}"
        log("error", "override not told of", error=words(error))


def _report(fleet: Fleet, failures: Mapping[str, str], clock: Clock) -> None:
    """Have people told of what lasts. The run has failed anyway, so that an error here hides no other."""
    if not failures and not fleet.trouble:
        return
    try:
        trouble.report(AWS, fleet, failures, clock.now(), timedelta(seconds=LIMITS.remind_seconds))
    except Exception as error:  # noqa: BLE001 - told by the run, which has failed, or with the next failure
        log("error", "trouble not told", error=words(error))


def _give_up(name: str, fleet: Fleet, clock: Clock) -> None:
    """Leave a change to people whose target could not be read for too long: others must not wait for it."""
    try:
        now, incident = clock.now(), AWS.ledger.read(name)
        if incident is None or not incident.is_acting or incident.is_leased(now):
            return
        if trouble.lasts(fleet, name, now):
            seen = Observation(Target(name, "", 0, (), ()), now, MODE, {}, incident, fleet=fleet)
            execute(seen, give_up(seen, incident), AWS, clock.now)
    except Exception as error:  # noqa: BLE001 - the target's failure is told
        log("error", "target not given up", target=name, error=words(error))


def _in_turn(clock: Clock) -> tuple[Target, ...]:
    """Return the targets, a different one first each minute, so that a slow target starves no other."""
    first = int(clock.now().timestamp() // 60) % max(1, len(TARGETS))
    return (*TARGETS[first:], *TARGETS[:first])


def _observe(target: Target, setup: Setup, clock: Clock, *, asked: bool) -> Observation:
    alarms = read_alarms(AWS.cloudwatch, (rule.name for rule in target.alarms))
    return observe(target, setup, alarms, AWS, clock.now(), asked=asked)


def _step(  # noqa: PLR0917 - all that one step depends on
    seen: Observation,
    clock: Clock,
    wake: str,
    probe_seconds: float,
    fleet: Fleet,
    failures: dict[str, str],
) -> str:
    target = seen.target
    decision = _mended(seen, fleet) or decide(seen)
    incident = execute(seen, decision, AWS, clock.now, probe_seconds=probe_seconds)
    facts = {"incident": incident.id, "status": incident.status} if incident else {}
    measured = measures(seen.incident, incident) if incident and decision.incident else {}
    if measured:
        print(
            emf_line(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "healer"), measured, int(time.time() * 1000))
        )
    log("info", "decision", wake=wake, target=target.name, reason=decision.reason, **facts)
    _note_problems(target.name, seen, incident, failures)
    return decision.reason


def _mended(seen: Observation, fleet: Fleet) -> Decision | None:
    """Have the shared item say what the incident says; return what follows from that, if anything."""
    if not differs(seen, fleet):
        return None
    log("warning", "the fleet's item differs from the incident", target=seen.target.name)
    decision = mend(seen, AWS.ledger)
    if decision is None and seen.incident is not None:
        # Its version is another one now: the next run goes on with it.
        return Decision(Reason.BUSY)
    return decision


def _note_problems(name: str, seen: Observation, incident: Incident | None, failures: dict[str, str]) -> None:
    """Have the run fail where a part could not be read, or people could not be told."""
    problems = [*seen.problems]
    if incident is not None and incident.owed_at is not None:
        problems.append(f"a notice of {incident.id} could not be sent, last tried at {incident.owed_at}")
    if problems:
        failures[name] = "; ".join(problems)
        log("error", "not all could be done", target=name, problems=problems)


def _retire_removed(clock: Clock, fleet: Fleet, failures: dict[str, str]) -> None:
    """Take one step for each target that a deployment removed in an incident."""
    for name in sorted(fleet.known - _names()):
        try:
            seen = _removed(name, fleet, clock.now())
            decision = _mended(seen, fleet) or retire(seen)
            incident = execute(seen, decision, AWS, clock.now)
            if decision.incident is not None:  # it may be known for days, until a person closes it
                log("warning", "target removed from configuration", target=name, reason=decision.reason)
            _note_problems(name, seen, incident, failures)
        except LostRaceError:
            log("info", "another run retires what was removed", target=name)
        except Exception as error:  # noqa: BLE001 - the others must be handled; raised by the caller
            failures[name] = words(error)
            log("error", "removed target failed", target=name, error=words(error))


def _removed(name: str, fleet: Fleet, now: datetime) -> Observation:
    """Return what the ledger says of a target that is not configured; nothing else of it may be read."""
    incident, target = AWS.ledger.read(name), Target(name, "", 0, (), ())
    seen = Observation(target, now, MODE, {}, incident, fleet=fleet, limits=LIMITS)
    command, approval, problems = read_requests(AWS.ledger, incident)
    return replace(seen, approval=approval, command=command, problems=tuple(problems))


def wake_of(event: Any, topic_arn: str) -> str | None:
    """Return what woke the healer, or None for an event that must be dropped.

    Accepted are `{"wake": "schedule"}`, `{"wake": "operator"}` and `{"wake": "rehearse"}`, this one perhaps
    with `"tell": true`, which require permission to invoke the function, and notifications of the healer's
    own topic. All other events are dropped.

    Args:
        event: Any JSON value.
        topic_arn: The healer's own topic.

    """
    if not isinstance(event, dict):
        return None
    fields = cast("dict[str, Any]", event)
    if fields in (SCHEDULE_EVENT, OPERATOR_EVENT):
        return fields["wake"]
    if fields in (REHEARSE_EVENT, {**REHEARSE_EVENT, "tell": True}):
        return REHEARSE_EVENT["wake"]
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
