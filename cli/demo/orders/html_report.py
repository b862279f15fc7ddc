"""The report for people, out/demo-orders/report.html: one self-contained file. Pure."""

from collections.abc import Sequence
from html import escape

from selfheal.cli.demo.orders.chart import chart
from selfheal.cli.demo.orders.json_report import figures as figures_of
from selfheal.cli.demo.orders.json_report import notes
from selfheal.cli.demo.orders.model import TARGET, OrdersRecording
from selfheal.cli.demo.orders.timeline import Moment, timeline
from selfheal.cli.demo.orders.verdict import claims, failures
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
from selfheal.cli.demo.timeline import evidence_rows, evidence_text, remedy
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.states import Reason


def html_report(recording: OrdersRecording) -> str:
    """Return the report as HTML: no script, no external reference, every text from outside escaped."""
    reasons, moments = failures(recording), timeline(recording)
    stored = len(recording.stored)
    title = "It was not shown that no order is lost"
    if not reasons:
        title = f"{stored} orders through an outage and a bad deployment: none lost, nothing done twice"
    charts = [chart(recording, width=width, name=name) for name, width in WIDTHS.items()]
    body = [
        header(title, _lead(recording), shown=not reasons),
        section("Why it does not count", bullets(reasons)) if reasons else "",
        _figures(recording),
        f"<section>{''.join(charts)}</section>",
        section("What is claimed, and what was seen", _claims(recording)),
        section("Timeline", _timeline(moments)),
        section("What the healer did", _incidents(recording)),
        section("What this is not", bullets(notes(recording))),
        section("Seen with", facts(recording.setting | recording.versions)),
    ]
    return page(title, body)


def _lead(recording: OrdersRecording) -> str:
    return (
        f"Stack {recording.stack}, orders since {recording.began:%Y-%m-%d %H:%M:%S} UTC. The downstream is "
        "out, and the circuit breaker keeps calls from it until it is mended. In the middle of that, "
        "somebody deploys a version of the publisher that fails: the healer rolls back that and nothing else."
    )


def _figures(recording: OrdersRecording) -> str:
    found = figures_of(recording)

    def seconds(name: str) -> str:
        value = found[name]
        return "—" if value is None else f"{value:.1f} s"

    def rate(name: str) -> str:
        value = found[name]
        return "—" if value is None else f"{value:.2g}"

    return figures(
        {
            "orders stored, fulfilled": f"{found['orders_stored']}, {found['orders_fulfilled']}",
            "bad version to rollback": seconds("bad_version_to_rollback_seconds"),
            "outage to open circuit": seconds("outage_to_open_seconds"),
            "calls/s before, while open": ", ".join(
                rate(name) for name in ("usual_calls_per_second", "calls_per_second_while_open")
            ),
            "most orders waiting": f"{found['most_waiting']}",
            "mended to drained": seconds("mended_to_drained_seconds"),
        }
    )


def _claims(recording: OrdersRecording) -> str:
    rows = (
        row_head(claim.what, _mark(holds=claim.holds))
        + cell("figure", claim.allowed)
        + cell("figure", claim.seen)
        for claim in claims(recording)
    )
    caption = "Each is judged by what was recorded: HTTP answers, orders, the downstream's log, the ledger."
    return table(caption, {"claim": "", "allowed": "", "seen": ""}, rows)


def _mark(*, holds: bool) -> str:
    kind, sign, told = ("good", "✓", "holds") if holds else ("bad", "✗", "does not hold")
    return f'<span class="mark {kind}" role="img" aria-label="{told}">{sign}</span>'


def _timeline(moments: Sequence[Moment]) -> str:
    rows = (
        row_head(moment.title, f'<span class="dot {moment.key.value}">{number}</span>')
        + cell("n", f"{moment.seconds:.1f}".replace("-", "−"))  # noqa: RUF001 - a minus sign
        + cell("n utc", moment.at[11:23])
        + cell("text", moment.detail)
        for number, moment in enumerate(moments, 1)
    )
    caption = "Numbers as in the chart; seconds since orders began. An alarm's history has whole seconds."
    heads = {"moment": "", "seconds": "n", "UTC": "n utc", "what was seen": ""}
    return table(caption, heads, rows)


def _incidents(recording: OrdersRecording) -> str:
    """Tell of each incident, of that with a change first."""
    ordered = sorted(recording.incidents, key=lambda each: (each.target != TARGET, each.opened_at))
    return "".join(map(_incident, ordered)) or "<p>Nothing: the ledger holds no incident.</p>"


def _incident(incident: Incident) -> str:
    plan = incident.plan if incident.acted_at else None
    busy = any(each.reason == Reason.TARGET_BUSY for each in incident.history)
    waited = ": the circuit breaker was at work" if busy else ""
    told = {
        "incident": incident.id,
        "status": f"{incident.status}: {incident.reason}",
        "alarm": incident.alarm,
        "change": f"{plan.kind}: {remedy(incident)}" if plan else f"none{waited}",
        "evidence": evidence_text(incident) or "none" if plan else "—",
    }
    if incident.evidence:
        told["evidence as recorded"] = evidence_rows(incident.evidence)
    rows = (
        cell("time", each.at[11:23]) + row_head(f"{each.source} → {each.to}") + cell("text", each.reason)
        for each in incident.history
    )
    heads = {"UTC": "", "step": "", "the healer's reason": ""}
    steps = table("From the ledger.", heads, rows)
    return f"<h3>Target {escape(incident.target)}</h3>{facts(told)}<br />{steps}"
