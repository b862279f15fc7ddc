"""The report for scripts, out/demo/incident.json. Pure."""

from collections.abc import Mapping
from typing import Any

from selfheal.cli.demo.model import Recording
from selfheal.cli.demo.timeline import (
    SETTLING_SECONDS,
    Count,
    alarm_ok,
    buckets,
    counts,
    evidence_recorded,
    evidence_text,
    opening_alarm,
    timeline,
)
from selfheal.cli.demo.verdict import failures
from selfheal.cli.operator.ledger import incident_json
from selfheal.functions.healer.clock import iso

SCHEMA = 1
"""Raised when a reader of an older document would misread this one."""


def notes(recording: Recording) -> list[str]:
    """Return what must not be concluded from a run."""
    injected = (
        "The failure is injected: the service fails by chance at a configured rate, and the remedy is to set "
        "that rate to zero. It shows that the loop works, not that every failure has such a remedy."
    )
    return [
        *ran_note(recording.setting),
        iam_note(recording.iam_enforced),
        injected,
        *(f"Left out: {each}" for each in recording.left_out),
    ]


def ran_note(setting: Mapping[str, str]) -> list[str]:
    """Return where a run was, and where it was not."""
    by = setting.get("deployed by", "an unknown engine")
    ran = (
        "This ran in the project's sandbox: the unmodified Pulumi program and the real functions, deployed "
        f"by {by} into an AWS emulator, through the sandbox's own provider and alarm evaluator."
    )
    return [
        ran,
        "It was not on AWS. Notification, cold start and metric delay were the emulator's; AWS has others.",
    ]


def iam_note(enforced: bool) -> str:
    """Return what a run shows about permissions."""
    if enforced:
        return (
            "IAM was enforced: each function could do only what its role allows. Topic policies and invoke "
            "permissions were not enforced."
        )
    return "IAM was not enforced: neither roles nor topic policies nor invoke permissions."


def json_report(recording: Recording) -> dict[str, Any]:
    """Return everything about a run as plain JSON."""
    reasons = failures(recording)
    incident = recording.incident
    opened, closed = opening_alarm(recording), alarm_ok(recording)
    counted = counts(recording)
    last = max((sample.sent for sample in recording.samples), default=0.0)
    return {
        "schema": SCHEMA,
        "ok": not reasons,
        "failures": reasons,
        "note": notes(recording),
        "left_out": list(recording.left_out),
        "iam_enforced": recording.iam_enforced,
        "stack": recording.stack,
        "traffic_began_at": iso(recording.began),
        "timeline": [
            vars(moment) | {"key": moment.key.value, "title": moment.title} for moment in timeline(recording)
        ],
        "counts": {
            "before_act": _count(counted.before_act),
            "settling": _count(counted.settling) | {"seconds": SETTLING_SECONDS},
            "after_act": _count(counted.after_act),
            "after_restore": _count(counted.after_restore),
            "total": _count(counted.total),
            "skipped": recording.skipped,
        },
        "alarm": {
            "name": opened.name if opened else None,
            "alarm_at": opened.at if opened else None,
            "ok_at": closed.at if closed else None,
            "changes": [vars(change) for change in recording.alarm_changes],
        },
        "incident": incident_json(incident) if incident else None,
        "evidence": evidence_recorded(incident.evidence) if incident and incident.evidence else None,
        "evidence_in_words": evidence_text(incident) if incident else None,
        "failure_rate": vars(recording.rates),
        "second_up": vars(recording.restore) if recording.restore else None,
        "per_second": [
            {"second": second, "requests": count.requests, "errors": count.errors}
            for second, count in enumerate(buckets(recording.samples, 1.0, last))
        ],
        "setting": recording.setting,
        "versions": recording.versions,
    }


def _count(count: Count) -> dict[str, Any]:
    return {"requests": count.requests, "errors": count.errors, "error_rate": round(count.rate, 4)}
