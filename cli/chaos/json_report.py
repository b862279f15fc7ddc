"""The report of a run for scripts, report.json, and the words that both reports share. Pure."""

from dataclasses import asdict
from typing import Any

from selfheal.cli.chaos.judge import Answer, Finding, Verdict, judge
from selfheal.cli.chaos.measures import take
from selfheal.cli.chaos.recording import Recording
from selfheal.cli.chaos.rules import fault_text
from selfheal.cli.chaos.timeline import backlog, timeline
from selfheal.functions.healer.clock import iso
from selfheal.scenarios.measures import MEASURES

SCHEMA = 1
"""Raised when a reader of an older document would misread this one."""


def json_report(recording: Recording) -> dict[str, Any]:
    """Return everything about a run as plain JSON. No order's content, and no token."""
    verdict, findings = judge(recording)
    return {
        "schema": SCHEMA,
        "verdict": verdict.value,
        "why": why(recording, verdict, findings),
        "scenario": asdict(recording.scenario),
        "fault": fault_text(recording.scenario.fault),
        "how": recording.how,
        "stack": recording.stack,
        "by": recording.by,
        "began_at": iso(recording.began),
        "fault_began": recording.fault_began,
        "fault_ended": recording.fault_ended,
        "ended": round(recording.ended, 1),
        "hypothesis": [
            {
                "bound": str(each.bound),
                "why": each.bound.why,
                "seen": each.reading.value,
                "at_least_that": each.reading.least,
                "note": each.reading.note,
                "answer": each.answer.value,
            }
            for each in findings
        ],
        "measures": {name: take(recording, name).value for name in MEASURES},
        "timeline": [
            {"seconds": round(each.seconds, 1), "moment": each.title, "detail": each.detail}
            for each in timeline(recording)
        ],
        "orders": {
            "sent": len(recording.puts),
            "accepted": len(recording.accepted),
            "skipped": recording.skipped,
            "waiting_per_second": [count for _, count in backlog(recording)],
        },
        "notes": list(recording.notes),
        "setting": dict(recording.setting),
    }


def why(recording: Recording, verdict: Verdict, findings: list[Finding]) -> str:
    """Return in a sentence why the verdict is what it is."""
    match verdict:
        case Verdict.NOT_STARTED:
            return f"Nothing was broken: {recording.not_started}."
        case Verdict.STOPPED:
            return f"Ended early: {recording.stopped}."
        case Verdict.FAILS:
            return f"Seen otherwise: {_seen(findings, Answer.FAILS)}."
        case Verdict.INCONCLUSIVE:
            return f"Not known: {_seen(findings, Answer.UNKNOWN)}."
        case Verdict.HOLDS:
            return f"All {len(findings)} expectations of the hypothesis hold."


def _seen(findings: list[Finding], answer: Answer) -> str:
    return "; ".join(f"{each.bound}, seen {seen_text(each)}" for each in findings if each.answer is answer)


def seen_text(finding: Finding) -> str:
    """Return what was seen, for people."""
    reading = finding.reading
    value = (
        "nothing" if reading.value is None else f"{reading.value:.4g}{' or more' if reading.least else ''}"
    )
    return f"{value} ({reading.note})" if reading.note else value
