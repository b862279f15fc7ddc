"""The report of a run for people, report.html: one self-contained file, well-formed XML as well. Pure."""

from html import escape

from selfheal.cli.chaos.chart import chart
from selfheal.cli.chaos.json_report import seen_text, why
from selfheal.cli.chaos.judge import Answer, Verdict, judge
from selfheal.cli.chaos.measures import take
from selfheal.cli.chaos.recording import Recording
from selfheal.cli.chaos.rules import fault_text
from selfheal.cli.chaos.timeline import timeline
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
from selfheal.scenarios.measures import MEASURES

MARKS = {Answer.HOLDS: "✓ holds", Answer.FAILS: "✗ fails", Answer.UNKNOWN: "? unknown"}


def html_report(recording: Recording) -> str:
    """Return the report as HTML: no script, no external reference, every text from outside escaped."""
    verdict, findings = judge(recording)
    scenario, moments = recording.scenario, timeline(recording)
    lead = (
        f"{scenario.name} in stack {recording.stack}, {recording.began:%Y-%m-%d %H:%M:%S} UTC, by "
        f"{recording.by}. Broken: {fault_text(scenario.fault)}. {why(recording, verdict, findings)}"
    )
    heads = {"expected": "", "seen": "n", "answer": "", "why": ""}
    rows = (
        row_head(str(each.bound))
        + cell("n", seen_text(each))
        + cell("time", MARKS[each.answer])
        + cell("text", each.bound.why)
        for each in findings
    )
    charts = [chart(recording, moments, width=width, name=name) for name, width in WIDTHS.items()]
    body = [
        header(scenario.title, lead, shown=verdict is Verdict.HOLDS, badge=verdict.value),
        _figures(recording),
        section("Hypothesis", table("Each expectation, and what was seen.", heads, rows)),
        f"<section>{''.join(charts)}</section>",
        section("Timeline", _timeline(recording)),
        section("The story", f"<p>{escape(scenario.story)}</p>"),
        section("All measures", _measures(recording)),
        section("To know", bullets(recording.notes)) if recording.notes else "",
        section("Made with", facts({"fault": recording.how, **recording.setting})),
    ]
    return page(f"{scenario.name}: {verdict}", body)


def _figures(recording: Recording) -> str:
    known = {
        "orders sent": str(len(recording.puts)),
        "accepted": _percent(take(recording, "accepted_share").value),
        "fulfilled": _percent(take(recording, "fulfilled_share").value),
        "given up": _number(take(recording, "dead_orders").value),
        "openings of the circuit": _number(take(recording, "openings").value),
        "settled after the fault": _number(take(recording, "settled_after_seconds").value, " s"),
    }
    return figures(known)


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _number(value: float | None, unit: str = "") -> str:
    return "—" if value is None else f"{value:g}{unit}"


def _timeline(recording: Recording) -> str:
    rows = (
        row_head(each.title, f'<span class="dot {each.kind}">{number}</span>')
        + cell("n", f"{each.seconds:.1f}")
        + cell("text", each.detail)
        for number, each in enumerate(timeline(recording), 1)
    )
    caption = "Numbers as in the chart; seconds since the run began. The circuit is looked at each second."
    return table(caption, {"moment": "", "seconds": "n", "what was seen": ""}, rows)


def _measures(recording: Recording) -> str:
    taken = {name: take(recording, name) for name in MEASURES}
    rows = (
        row_head(name)
        + cell("n", "—" if reading.value is None else f"{reading.value:.4g}")
        + cell("text", f"{MEASURES[name].description}{f'. {reading.note}' if reading.note else ''}")
        for name, reading in taken.items()
    )
    return table("Also those that the hypothesis does not name.", {"measure": "", "seen": "n", "": ""}, rows)
