"""Ring an alarm that has no reason to ring, and see that the healer wakes and does nothing."""

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.cli.doctor.deployment import describe
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.cli.operator.ledger import Incidents, read_incidents
from selfheal.functions.healer.states import Reason

WOKEN_SECONDS = 90
"""How long the healer may take until its decision is in its log: a cold start, and the delivery of logs."""

BACK_SECONDS = 150
"""How long the alarm may take until it is evaluated again: two of its minutes, and some."""

EVERY_SECONDS = 1.0

LATELY = timedelta(minutes=10)
"""How far back the healer's log is read."""

RIGHTLY = frozenset({Reason.ALARM_NOT_CORROBORATED, Reason.ALARM_NOT_FRESH, Reason.HEALTHY})
"""What the healer decides about an alarm that its metrics do not confirm, or that is OK again."""

WHAT = "an alarm that rings for nothing"


@dataclass
class Patience:
    """How long the ring waits for what; tests wait less."""

    woken: float = WOKEN_SECONDS
    back: float = BACK_SECONDS
    every: float = EVERY_SECONDS


def check_ring(
    clients: ClientSource, table: str, deployed: Deployed, patience: Patience | None = None
) -> Iterator[Check]:
    """Set an alarm to ALARM, and watch the healer, the ledger and the alarm.

    The alarm is one that has just been OK, of a target without an open incident. Nothing is done if there is
    none, or while anything is open.
    """
    patience = patience or Patience()
    dynamodb = clients.get("dynamodb")
    before = read_incidents(dynamodb, table)
    chosen = _choose(clients, deployed, before)
    if isinstance(chosen, str):
        yield Check("ring.woken", WHAT, State.UNKNOWN, f"not rung: {chosen}", "Ring when all is well.")
        return
    target, alarm = chosen
    caller, earlier = (
        clients.get("sts").get_caller_identity()["Arn"],
        [*_decisions(clients, deployed, target)],
    )
    reason = f"selfheal doctor --ring, by {caller}: nothing is wrong"
    clients.get("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason=reason)
    decision = _awaited(clients, deployed, target, earlier, patience)
    yield _woken(alarm, target, decision)
    after = read_incidents(dynamodb, table)
    unchanged = {each.id: each for each in before.found} == {each.id: each for each in after.found}
    yield Check(
        "ring.ledger",
        "ledger after the ring",
        State.OK if unchanged else State.FAIL,
        "unchanged: no incident, nothing done"
        if unchanged
        else "an incident was opened or changed meanwhile",
        ""
        if unchanged
        else "`selfheal incidents` says which and why: a real failure may have come meanwhile.",
    )
    yield _back(clients, alarm, patience)


def _choose(clients: ClientSource, deployed: Deployed, before: Incidents) -> tuple[str, str] | str:
    """Return a target and its alarm; or why none may be rung."""
    busy = [each.id for each in before.found if each.is_open]
    if busy:
        return f"{', '.join(busy)} is open"
    names = [name for of in deployed.alarms.values() for name in of]
    found = describe(clients, names)
    unwell = [name for name in names if name not in found or found[name]["StateValue"] != "OK"]
    if unwell:
        return f"{', '.join(unwell)} is not OK"
    first = next(((target, of[0]) for target, of in deployed.alarms.items() if of), None)
    return first or "the ledger names no alarm"


def _awaited(
    clients: ClientSource,
    deployed: Deployed,
    target: str,
    earlier: Collection[Mapping[str, Any]],
    patience: Patience,
) -> Mapping[str, Any] | None:
    """Return what the healer decided since the ring; None if it did not in time."""
    deadline = time.monotonic() + patience.woken
    while True:
        for decision in _decisions(clients, deployed, target):
            if decision not in earlier:
                return decision
        if time.monotonic() > deadline:
            return None
        time.sleep(patience.every)


def _decisions(clients: ClientSource, deployed: Deployed, target: str) -> Iterator[Mapping[str, Any]]:
    """Yield what the healer lately logged about a target when its topic woke it."""
    group = deployed.function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{deployed.healer}"
    # This machine's clock and those of the logs may differ, so what is new is told by comparison.
    since = int((datetime.now(UTC) - LATELY).timestamp() * 1000)
    pages = (
        clients.get("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    )
    for event in (event for page in pages for event in page["events"]):
        line = _parsed(str(event["message"]))
        if (line.get("message"), line.get("wake"), line.get("target")) == ("decision", "topic", target):
            yield line


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _woken(alarm: str, target: str, decision: Mapping[str, Any] | None) -> Check:
    if decision is None:
        do = (
            "See whether the topic's policy lets CloudWatch publish, the healer's subscription is there, and "
            "its log group takes logs. `pulumi refresh` and `pulumi up` put back what was changed. A key of "
            "yours must let CloudWatch use it: docs/configuration.md."
        )
        found = f"{alarm} was set to ALARM, and no run of the healer by its topic is in its log"
        return Check("ring.woken", WHAT, State.FAIL, found, do)
    reason = str(decision.get("reason"))
    at = decision.get("time")
    found = f"{alarm} was set to ALARM; the healer woke at {at} and decided {reason} for {target}"
    if reason in RIGHTLY:
        return Check("ring.woken", WHAT, State.OK, found)
    return Check("ring.woken", WHAT, State.WARN, found, "`selfheal incidents` says what that means.")


def _back(clients: ClientSource, alarm: str, patience: Patience) -> Check:
    deadline = time.monotonic() + patience.back
    while True:
        state = str(describe(clients, [alarm]).get(alarm, {}).get("StateValue", "gone"))
        if state != "ALARM":
            return Check("ring.back", "alarm after the ring", State.OK, f"{alarm} is {state} again")
        if time.monotonic() > deadline:
            do = f"Look at its metrics: `aws cloudwatch describe-alarms --alarm-names {alarm}`."
            return Check("ring.back", "alarm after the ring", State.WARN, f"{alarm} is still in ALARM", do)
        time.sleep(patience.every)
