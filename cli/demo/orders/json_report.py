"""The report for scripts, out/demo-orders/report.json. Pure."""

from typing import Any

from selfheal.cli.demo.json_report import iam_note, ran_note
from selfheal.cli.demo.orders.model import MomentKey, OrdersRecording
from selfheal.cli.demo.orders.timeline import (
    REFUSED,
    SERVED,
    Backlog,
    calls_between,
    per_slot,
    timeline,
    times,
)
from selfheal.cli.demo.orders.verdict import claims, failures, open_calls, usual_calls
from selfheal.cli.operator.ledger import incident_json
from selfheal.functions.healer.clock import iso

SCHEMA = 1
"""Raised when a reader of an older document would misread this one."""


def notes(recording: OrdersRecording) -> list[str]:
    """Return what must not be concluded from a run."""
    injected = (
        "Both failures are injected: a version with a mistake, deployed by hand past Pulumi, and a "
        "downstream that is told to refuse. The healer rolls back because the stack says so; not every "
        "failure has such a remedy."
    )
    judged = (
        "The downstream is a function of this project, which writes down each call and each effect. Claims "
        "on calls and effects are judged by that log."
    )
    first = len(recording.fates) - len(recording.stored)
    warm = (
        f"{first} more orders were placed before traffic began, to start the functions. Their effects and "
        "calls are in the same log, and are counted in the claims about it."
    )
    return [
        *ran_note(recording.setting),
        iam_note(recording.iam_enforced),
        injected,
        judged,
        *([warm] if first > 0 else ()),
        *(f"Left out: {each}" for each in recording.left_out),
    ]


def figures(recording: OrdersRecording) -> dict[str, float | int | None]:
    """Return the figures of a run, by name; None for what was not seen. Names end with the unit."""
    at, outage = times(recording), recording.outage
    refused = 0
    if outage:
        met = calls_between(recording, outage.began, outage.ended or recording.ended)
        refused = sum(call.outcome in REFUSED for call in met)

    def span(start: MomentKey, end: MomentKey) -> float | None:
        return round(at[end] - at[start], 1) if {start, end} <= at.keys() else None

    usual, while_open = usual_calls(recording), open_calls(recording)
    return {
        "orders_stored": len(recording.stored),
        "orders_fulfilled": recording.fulfilled,
        "most_waiting": Backlog.of(recording).most,
        "bad_version_to_rollback_seconds": span(MomentKey.BAD_VERSION, MomentKey.ACT),
        "act_to_recovery_seconds": span(MomentKey.ACT, MomentKey.RECOVERED),
        "outage_seconds": span(MomentKey.OUTAGE, MomentKey.MENDED),
        "outage_to_open_seconds": span(MomentKey.OUTAGE, MomentKey.OPENED),
        "calls_refused_in_outage": refused,
        "usual_calls_per_second": None if usual is None else round(usual, 2),
        "calls_per_second_while_open": None if while_open is None else round(while_open, 2),
        "mended_to_drained_seconds": span(MomentKey.MENDED, MomentKey.DRAINED),
    }


def json_report(recording: OrdersRecording) -> dict[str, Any]:
    """Return everything about a run as plain JSON."""
    end, backlog = recording.ended, Backlog.of(recording)
    served = [recording.called_at(call) for call in recording.calls if call.outcome in SERVED]
    refused = [recording.called_at(call) for call in recording.calls if call.outcome in REFUSED]
    columns = {
        "stored": per_slot((sample.done for sample in recording.stored), 1.0, end),
        "fulfilled": per_slot(
            (fate.fulfilled for fate in recording.fates if fate.fulfilled is not None), 1.0, end
        ),
        "calls_served": per_slot(served, 1.0, end),
        "calls_refused": per_slot(refused, 1.0, end),
    }
    reasons = failures(recording)
    return {
        "schema": SCHEMA,
        "ok": not reasons,
        "failures": reasons,
        "claims": [vars(claim) for claim in claims(recording)],
        "figures": figures(recording),
        "note": notes(recording),
        "left_out": list(recording.left_out),
        "iam_enforced": recording.iam_enforced,
        "stack": recording.stack,
        "traffic_began_at": iso(recording.began),
        "timeline": [
            vars(moment) | {"key": moment.key.value, "title": moment.title} for moment in timeline(recording)
        ],
        "bad_version": vars(recording.bad) if recording.bad else None,
        "outage": vars(recording.outage) if recording.outage else None,
        "circuit": [vars(change) | {"state": change.state.value} for change in recording.circuit],
        "alarms": [vars(change) for change in recording.alarm_changes],
        "incidents": [incident_json(incident) for incident in recording.incidents],
        "dead_letters": recording.letters,
        "orders_not_sent": recording.skipped,
        "per_second": [
            {"second": second, "waiting": backlog.at(second + 1.0)}
            | {name: column[second] for name, column in columns.items()}
            for second in range(len(columns["stored"]))
        ],
        "setting": recording.setting,
        "versions": recording.versions,
    }
