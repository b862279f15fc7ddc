"""The report for people, out/demo/incident.html: one self-contained file, well-formed XML as well. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from html import escape

from selfheal.cli.demo.chart import chart
from selfheal.cli.demo.json_report import notes
from selfheal.cli.demo.model import MomentKey, Recording
from selfheal.cli.demo.style import CSS
from selfheal.cli.demo.timeline import (
    SETTLING_SECONDS,
    Count,
    Moment,
    counts,
    evidence_text,
    remedy,
    timeline,
)
from selfheal.cli.demo.verdict import failures

WIDE, NARROW = 960.0, 380.0
"""Widths of the two drawings in pixels; the style sheet shows the one that fits the screen."""


def html_report(recording: Recording) -> str:
    """Return the report as HTML: no script, no external reference, every text from outside escaped."""
    reasons, moments = failures(recording), timeline(recording)
    title = _title(reasons, moments)
    body = [
        _head(recording, reasons, moments, title),
        f"<section>{_charts(recording, moments)}</section>",
        f"<section><h2>Timeline</h2>{_timeline(moments)}</section>",
        f"<section><h2>Requests and errors</h2>{_counts(recording)}</section>",
        f"<section><h2>Incident and evidence</h2>{_incident(recording)}</section>",
        f"<section><h2>What this is not</h2>{_list(notes(recording))}</section>",
        f"<section><h2>Seen with</h2>{_facts(recording.setting | recording.versions)}</section>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8" />'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />'
        f"<title>selfheal: {escape(title)}</title><style>{CSS}</style></head>\n"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _title(reasons: list[str], moments: Iterable[Moment]) -> str:
    at = {moment.key: moment.seconds for moment in moments}
    if reasons or MomentKey.FIRST_ERROR not in at or MomentKey.RECOVERED not in at:
        return "Healing was not shown"
    took = at[MomentKey.RECOVERED] - at[MomentKey.FIRST_ERROR]
    return f"Healed, by evidence, {took:.0f} seconds after the first error"


def _head(recording: Recording, reasons: list[str], moments: list[Moment], title: str) -> str:
    badge = (
        '<span class="badge bad">✗ not shown</span>' if reasons else '<span class="badge good">✓ shown</span>'
    )
    incident = recording.incident
    began = recording.began.strftime("%Y-%m-%d %H:%M:%S UTC")
    then = "" if recording.restore is None else ", then the baseline restored by a second up"
    lead = (
        f"Stack {recording.stack}, traffic since {began}. Target {incident.target if incident else '—'}, "
        f"remedy {remedy(incident) if incident else '—'}{then}."
    )
    why = f"<section><h2>Why it does not count</h2>{_list(reasons)}</section>" if reasons else ""
    return (
        f'<header>{badge}<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p></header>'
        f"{why}{_figures(recording, moments)}"
    )


def _figures(recording: Recording, moments: list[Moment]) -> str:
    at = {moment.key: moment.seconds for moment in moments}
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


def _charts(recording: Recording, moments: list[Moment]) -> str:
    wide = chart(moments, recording.samples, width=WIDE, name="wide")
    narrow = chart(moments, recording.samples, width=NARROW, name="narrow")
    return wide.replace('class="chart"', 'class="chart wide"') + narrow.replace(
        'class="chart"', 'class="chart narrow"'
    )


def _timeline(moments: list[Moment]) -> str:
    rows = (
        [
            _row_head(moment.title, f'<span class="dot {moment.key.value}">{number}</span>'),
            _td(f"{moment.seconds:.1f}".replace("-", "−"), "n"),  # noqa: RUF001 - a minus sign
            _td(moment.at[11:23], "n utc"),
            _td(moment.detail, "text"),
        ]
        for number, moment in enumerate(moments, 1)
    )
    heads = [("moment", ""), ("seconds", "n"), ("UTC", "n utc"), ("what was seen", "")]
    return _table(
        ("Numbers as in the chart; seconds since traffic began. An alarm's history has whole seconds."),
        heads,
        rows,
    )


def _counts(recording: Recording) -> str:
    counted = counts(recording)
    phases = [
        ("before the act", counted.before_act),
        (f"{SETTLING_SECONDS:g} s from the act, while the change settles", counted.settling),
        ("after the act, until the second up", counted.after_act),
        ("since the second up began", counted.after_restore),
        ("all", counted.total),
    ]
    heads = [
        ("phase, by when a request was sent", ""),
        ("requests", "n"),
        ("errors", "n"),
        ("error rate", "n"),
    ]
    caption = f"{recording.skipped} requests were due and not sent, because too many were unanswered."
    return _table(caption, heads, (_count_row(name, phase) for name, phase in phases))


def _count_row(name: str, phase: Count) -> list[str]:
    rate = f"{phase.rate:.1%}" if phase.requests else "—"
    return [
        f'<th scope="row">{escape(name)}</th>',
        _td(str(phase.requests), "n"),
        _td(str(phase.errors), "n"),
        _td(rate, "n"),
    ]


def _incident(recording: Recording) -> str:
    incident = recording.incident
    if incident is None:
        return "<p>The ledger holds no incident.</p>"
    plan = incident.plan
    times = (incident.opened_at, incident.acted_at, incident.closed_at)
    facts = {
        "id": incident.id,
        "target": incident.target,
        "status": incident.status,
        "alarm": incident.alarm,
        "remedy": f"{plan.kind if plan else '—'}: {remedy(incident)}",
        "evidence": evidence_text(incident) or "none",
        "opened, acted, closed": " · ".join(time or "—" for time in times),
        "failure rate read live": _rates(recording),
    }
    if incident.evidence:
        recorded = asdict(incident.evidence).items()
        facts["evidence as recorded"] = ", ".join(f"{name} {value}" for name, value in recorded)
    if plan:
        facts |= {"code hash": plan.code_hash, "configuration hash": plan.config_hash}
    rows = (
        [
            _td(each.at[11:23], "time"),
            _row_head(f"{each.source or '—'} → {each.to or '—'}"),
            _td(each.reason, "text"),
        ]
        for each in incident.history
    )
    heads = [("UTC", ""), ("step", ""), ("the healer's reason", "")]
    history = _table("The incident's history, from the ledger.", heads, rows) if incident.history else ""
    return f"{_facts(facts)}<br />{history}"


def _rates(recording: Recording) -> str:
    rates = recording.rates
    seen = ((rates.deployed, "the first up"), (rates.healed, "recovery"), (rates.restored, "the second up"))
    return ", ".join(f"{rate} after {what}" for rate, what in seen if rate is not None)


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="text">{escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _row_head(text: str, before: str = "") -> str:
    return f'<th scope="row">{before}{escape(text)}</th>'


def _td(text: str, kind: str) -> str:
    return f'<td class="{kind}">{escape(text)}</td>'


def _table(caption: str, heads: list[tuple[str, str]], rows: Iterable[list[str]]) -> str:
    columns = "".join(f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{columns}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
