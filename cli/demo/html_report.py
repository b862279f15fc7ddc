"""The report for people, out/demo/incident.html: one self-contained file, well-formed XML as well. Pure."""

from collections.abc import Mapping, Sequence

from selfheal.cli.demo.chart import chart
from selfheal.cli.demo.json_report import notes
from selfheal.cli.demo.model import MomentKey, Recording
from selfheal.cli.demo.page import (
    WIDTHS,
    bullets,
    cell,
    facts,
    figures,
    header,
    page,
    row_head,
    section,
    table,
)
from selfheal.cli.demo.timeline import (
    SETTLING_SECONDS,
    Moment,
    counts,
    evidence_rows,
    evidence_text,
    remedy,
    timeline,
)
from selfheal.cli.demo.verdict import failures


def html_report(recording: Recording) -> str:
    """Return the report as HTML: no script, no external reference, every text from outside escaped."""
    reasons, moments = failures(recording), timeline(recording)
    at = {moment.key: moment.seconds for moment in moments}
    title = "Healing was not shown"
    if not reasons and {MomentKey.FIRST_ERROR, MomentKey.RECOVERED} <= at.keys():
        took = at[MomentKey.RECOVERED] - at[MomentKey.FIRST_ERROR]
        title = f"Healed, by evidence, {took:.0f} seconds after the first error"
    charts = [chart(moments, recording.samples, width=width, name=name) for name, width in WIDTHS.items()]
    body = [
        _head(recording, reasons, title),
        section("Why it does not count", bullets(reasons)) if reasons else "",
        _figures(recording, at),
        f"<section>{''.join(charts)}</section>",
        section("Timeline", _timeline(moments)),
        section("Requests and errors", _counts(recording)),
        section("Incident and evidence", _incident(recording)),
        section("What this is not", bullets(notes(recording))),
        section("Seen with", facts(recording.setting | recording.versions)),
    ]
    return page(title, body)


def _head(recording: Recording, reasons: Sequence[str], title: str) -> str:
    incident = recording.incident
    then = ", then the baseline restored by a second up" if recording.restore else ""
    lead = (
        f"Stack {recording.stack}, traffic since {recording.began:%Y-%m-%d %H:%M:%S} UTC. "
        f"Target {incident.target if incident else '—'}, remedy {remedy(incident)}{then}."
    )
    return header(title, lead, shown=not reasons)


def _figures(recording: Recording, at: Mapping[MomentKey, float]) -> str:
    counted = counts(recording)
    return figures(
        {
            "first error to alarm": _span(at, MomentKey.FIRST_ERROR, MomentKey.ALARM),
            "alarm to act": _span(at, MomentKey.ALARM, MomentKey.ACT),
            "act to last error": _span(at, MomentKey.ACT, MomentKey.LAST_ERROR),
            "act to recovery by evidence": _span(at, MomentKey.ACT, MomentKey.RECOVERED),
            "errors before the act": f"{counted.before_act.rate:.0%}",
            "errors after the act": f"{counted.after_act.rate:.0%}" if counted.after_act.requests else "—",
        }
    )


def _span(at: Mapping[MomentKey, float], start: MomentKey, end: MomentKey) -> str:
    if start not in at or end not in at:
        return "—"
    span = at[end] - at[start]
    return f"{span:.1f} s" if span > 0 else "none later"


def _timeline(moments: Sequence[Moment]) -> str:
    rows = (
        row_head(moment.title, f'<span class="dot {moment.key.value}">{number}</span>')
        + cell("n", f"{moment.seconds:.1f}".replace("-", "−"))  # noqa: RUF001 - a minus sign
        + cell("n utc", moment.at[11:23])
        + cell("text", moment.detail)
        for number, moment in enumerate(moments, 1)
    )
    caption = "Numbers as in the chart; seconds since traffic began. An alarm's history has whole seconds."
    heads = {"moment": "", "seconds": "n", "UTC": "n utc", "what was seen": ""}
    return table(caption, heads, rows)


def _counts(recording: Recording) -> str:
    counted = counts(recording)
    phases = {
        "before the act": counted.before_act,
        f"{SETTLING_SECONDS:g} s from the act, while the change settles": counted.settling,
        "after the act, until the second up": counted.after_act,
        "since the second up began": counted.after_restore,
        "all": counted.total,
    }
    rows = (
        row_head(name)
        + cell("n", str(phase.requests))
        + cell("n", str(phase.errors))
        + cell("n", f"{phase.rate:.1%}" if phase.requests else "—")
        for name, phase in phases.items()
    )
    caption = f"{recording.skipped} requests were due and not sent, because too many were unanswered."
    heads = {"phase, by when a request was sent": "", "requests": "n", "errors": "n", "error rate": "n"}
    return table(caption, heads, rows)


def _incident(recording: Recording) -> str:
    incident = recording.incident
    if incident is None:
        return "<p>The ledger holds no incident.</p>"
    rates, plan = recording.rates, incident.plan
    read = ((rates.deployed, "the first up"), (rates.healed, "recovery"), (rates.restored, "the second up"))
    times = (incident.opened_at, incident.acted_at, incident.closed_at)
    told = {
        "id": incident.id,
        "target": incident.target,
        "status": incident.status,
        "alarm": incident.alarm,
        "remedy": f"{plan.kind if plan else '—'}: {remedy(incident)}",
        "evidence": evidence_text(incident) or "none",
        "opened, acted, closed": " · ".join(time or "—" for time in times),
        "failure rate read live": ", ".join(f"{rate} after {what}" for rate, what in read if rate),
    }
    if incident.evidence:
        told["evidence as recorded"] = evidence_rows(incident.evidence)
    if plan:
        told |= {"code hash": plan.code_hash, "configuration hash": plan.config_hash}
    rows = (
        cell("time", each.at[11:23]) + row_head(f"{each.source} → {each.to}") + cell("text", each.reason)
        for each in incident.history
    )
    heads = {"UTC": "", "step": "", "the healer's reason": ""}
    return f"{facts(told)}<br />{table('From the ledger.', heads, rows)}"
