"""A canned run of the demonstration: healed as it should be, to be bent by tests that want another ending."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from selfheal.cli.demo.model import AlarmChange, BaselineRestore, Rates, Recording, Sample
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Counted, Evidence, Plan, Transition
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import Mode

BEGAN = datetime(2026, 11, 21, 9, 40, 0, tzinfo=UTC)


def iso(seconds: float) -> str:
    """A time of the run as the ledger writes it."""
    whole = datetime.fromtimestamp(BEGAN.timestamp() + seconds, UTC)
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def samples(act: float = 21.0, restore: float = 45.0, end: float = 52.0) -> tuple[Sample, ...]:
    """Ten requests a second, three of ten failing unless healed."""
    dice = random.Random(7)
    made: list[Sample] = []
    for number in range(int(end * 10)):
        sent = number / 10
        failing = not act + 0.5 <= sent < restore + 2 and dice.random() < 0.3
        made.append(Sample(sent, round(sent + (0.45 if failing else 0.02), 4), 502 if failing else 200))
    return tuple(sorted(made, key=lambda sample: sample.done))


def incident(**changes: Any) -> Incident:
    """A recovered incident; keyword arguments replace fields."""
    made = Incident(
        version=4,
        id="fragile-20261121T094020Z",
        target="fragile",
        status=Status.RECOVERED,
        mode=Mode.ACT,
        alarm="fragile-fast",
        opened_at=iso(20.4),
        acted_at=iso(21.0),
        closed_at=iso(40.2),
        reason=Reason.RECOVERED,
        plan=Plan("environment", "FAILURE_RATE", "0.3", "0", "c" * 44, "d" * 64),
        evidence=Evidence(iso(31.0), 158, 0, "healthy", counts=(Counted("AWS/Lambda", 150, 0, iso(40.0)),)),
        acts=1,
        attempts=1,
        history=(
            Transition(iso(20.4), "OPEN", "ACTING", "alarm-confirmed-by-metrics"),
            Transition(iso(21.0), "ACTING", "VERIFYING", "applied"),
            Transition(iso(40.2), "VERIFYING", "RECOVERED", "recovered-by-evidence"),
        ),
    )
    return replace(made, **changes)


def recording(**changes: Any) -> Recording:
    """A run that was healed, proven and put back; keyword arguments replace fields."""
    fields: dict[str, Any] = {
        "stack": "dev",
        "began": BEGAN,
        "deployed": -0.2,
        "deploy_seconds": 7.4,
        "samples": samples(),
        "skipped": 0,
        "alarm_changes": (
            AlarmChange("fragile-fast", "ALARM", 20.0, "30 errors"),
            AlarmChange("fragile-fast", "OK", 40.0, "no errors"),
        ),
        "incident": incident(),
        "rates": Rates(baseline="0.3", deployed="0.3", healed="0", restored="0.3"),
        "restore": BaselineRestore(45.0, 48.5, {"update": 1, "same": 27}),
        "versions": {"pulumi": "3.272.0", "python": "3.11.8"},
        "setting": {"endpoint": "own emulator"},
    } | changes
    return Recording(**fields)
