"""The report for people, out/demo/incident.html: one self-contained file, well-formed XML as well. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from html import escape

from selfheal.cli.demo.chart import chart
from selfheal.cli.demo.json_report import notes
from selfheal.cli.demo.model import MomentKey, Recording
from selfheal.cli.demo.style import CSS
from selfheal.cli.demo.timeline import (
    SETTLING_SECONDS,
    Moment,
    counts,
    evidence_text,
    remedy,
    timeline,
)
from selfheal.cli.demo.verdict import failures

WIDTHS = {"wide": 960.0, "narrow": 380.0}
"""Widths of the two drawings in pixels; the style sheet shows the one that fits the screen."""


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
        _section("Why it does not count", _list(reasons)) if reasons else "",
        _figures(recording, at),
        f"<section>{''.join(charts)}</section>",
        _section("Timeline", _timeline(moments)),
        _section("Requests and errors", _counts(recording)),
        _section("Incident and evidence", _incident(recording)),
        _section("What this is not", _list(notes(recording))),
        _section("Seen with", _facts(recording.setting | recording.versions)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8" />'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />'
        f"<title>selfheal: {escape(title)}</title><style>{CSS}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(recording: Recording, reasons: Sequence[str], title: str) -> str:
    kind, mark = ("bad", "✗ not shown") if reasons else ("good", "✓ shown")
    incident = recording.incident
    then = ", then the baseline restored by a second up" if recording.restore else ""
    lead = (
        f"Stack {recording.stack}, traffic since {recording.began:%Y-%m-%d %H:%M:%S} UTC. "
        f"Target {incident.target if incident else '—'}, remedy {remedy(incident)}{then}."
    )
    return (
        f'<header><span class="badge {kind}">{mark}</span><h1>{escape(title)}</h1>'
        f'<p class="lead">{escape(lead)}</p></header>'
    )


def _figures(recording: Recording, at: Mapping[MomentKey, float]) -> str:
    counted = counts(recording)
    figures = [
        ("first error to alarm", _span(at, MomentKey.FIRST_ERROR, MomentKey.ALARM)),
        ("alarm to act", _span(at, MomentKey.ALARM, MomentKey.ACT)),
        ("act to last error", _span(at, MomentKey.ACT, MomentKey.LAST_ERROR)),
        ("act to recovery by evidence", _span(at, MomentKey.ACT, MomentKey.RECOVERED)),
        ("errors before the act", f"{counted.before_act.rate:.0%}"),
        ("errors after the act", f"{counted.after_act.rate:.0%}" if counted.after_act.requests else "—"),
    ]
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures)
    return f'<dl class="figures">{rows}</dl>'


def _span(at: Mapping[MomentKey, float], start: MomentKey, end: MomentKey) -> str:
    if start not in at or end not in at:
        return "—"
    span = at[end] - at[start]
    return f"{span:.1f} s" if span > 0 else "none later"


def _timeline(moments: Sequence[Moment]) -> str:
    rows = (
        _row_head(moment.title, f'<span class="dot {moment.key.value}">{number}</span>')
        + _cell("n", f"{moment.seconds:.1f}".replace("-", "−"))  # noqa: RUF001 - a minus sign
        + _cell("n utc", moment.at[11:23])
        + _cell("text", moment.detail)
        for number, moment in enumerate(moments, 1)
    )
    caption = "Numbers as in the chart; seconds since traffic began. An alarm's history has whole seconds."
    heads = {"moment": "", "seconds": "n", "UTC": "n utc", "what was seen": ""}
    return _table(caption, heads, rows)


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
        _row_head(name)
        + _cell("n", str(phase.requests))
        + _cell("n", str(phase.errors))
        + _cell("n", f"{phase.rate:.1%}" if phase.requests else "—")
        for name, phase in phases.items()
    )
    caption = f"{recording.skipped} requests were due and not sent, because too many were unanswered."
    heads = {"phase, by when a request was sent": "", "requests": "n", "errors": "n", "error rate": "n"}
    return _table(caption, heads, rows)


def _incident(recording: Recording) -> str:
    incident = recording.incident
    if incident is None:
        return "<p>The ledger holds no incident.</p>"
    rates, plan = recording.rates, incident.plan
    read = ((rates.deployed, "the first up"), (rates.healed, "recovery"), (rates.restored, "the second up"))
    times = (incident.opened_at, incident.acted_at, incident.closed_at)
    facts = {
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
        recorded = asdict(incident.evidence).items()
        facts["evidence as recorded"] = ", ".join(f"{name} {value}" for name, value in recorded)
    if plan:
        facts |= {"code hash": plan.code_hash, "configuration hash": plan.config_hash}
    rows = (
        _cell("time", each.at[11:23]) + _row_head(f"{each.source} → {each.to}") + _cell("text", each.reason)
        for each in incident.history
    )
    heads = {"UTC": "", "step": "", "the healer's reason": ""}
    return f"{_facts(facts)}<br />{_table('From the ledger.', heads, rows)}"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<tr>{_row_head(name)}{_cell('text', value)}</tr>" for name, value in facts.items())
    return f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _row_head(text: str, before: str = "") -> str:
    return f'<th scope="row">{before}{escape(text)}</th>'


def _cell(kind: str, text: str) -> str:
    return f'<td class="{kind}">{escape(text)}</td>'


def _table(caption: str, heads: Mapping[str, str], rows: Iterable[str]) -> str:
    """Return a table; `heads` are the columns' titles with their classes, a row is its cells."""
    columns = "".join(f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in heads.items())
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead>'
        f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table></div>"
    )
