"""The incident as inline SVG: error rate, requests, the moments as vertical lines. Pure text, no script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

from selfheal.cli.demo.model import MomentKey, Sample
from selfheal.cli.demo.timeline import Moment, buckets

RATE_BUCKET_SECONDS = 5.0
"""At 10 requests a second 50 requests a point: one is 2 %, so that the curve shows the fault, not chance."""

REQUEST_BUCKET_SECONDS = 1.0
"""Fine enough to see to the second when errors stop."""

LEFT, RIGHT, ROW, RATE_HEIGHT, REQUESTS_HEIGHT = 44.0, 14.0, 21.0, 190.0, 96.0
RATE_TOP = len(MomentKey) * ROW + 34
RATE_BOTTOM = RATE_TOP + RATE_HEIGHT
REQUESTS_TOP = RATE_BOTTOM + 46
REQUESTS_BOTTOM = REQUESTS_TOP + REQUESTS_HEIGHT
HEIGHT = REQUESTS_BOTTOM + 48
"""From top to bottom: a row for each moment's label, the plot of the error rate, that of the requests."""

TIME_STEPS, TICK_ROOM = (5, 10, 20, 30, 60, 120, 300), 34.0
"""Seconds between ticks that read well, and the pixels that one tick needs."""
NARROW_BELOW = 600.0
"""Below this width in pixels a line carries its number only: the texts would not fit."""
CHARACTER_WIDTH = 6.7
"""Pixels of a character of the labels (12 px, system sans-serif), in a wide font."""

SHORT_TITLES = {
    MomentKey.ALARM_OK: "alarm OK",
    MomentKey.RECOVERED: "recovered",
    MomentKey.ERRORS_AGAIN: "errors again",
}
"""For the chart only, where room is short; the tables have the full names."""


@dataclass(frozen=True)
class Scale:
    """The plots' horizontal axis."""

    plot: float
    """Width of the plots in pixels."""
    end: float
    """Seconds at the right edge."""

    def x(self, seconds: float) -> float:
        """Turn seconds into pixels; what lies before zero is put at zero."""
        return LEFT + max(0.0, seconds) / self.end * self.plot


def chart(moments: Sequence[Moment], samples: Sequence[Sample], *, width: float, name: str) -> str:
    """Draw the incident.

    Args:
        moments: The timeline; numbered from 1 in this order, as in the report's table.
        samples: Every request.
        width: In pixels. Below NARROW_BELOW the lines carry their number only.
        name: Class of the drawing and prefix of its ids, unique in the page.

    """
    last = max([*(moment.seconds for moment in moments), *(sample.sent for sample in samples), 1.0])
    end = ceil((last + 0.5) / RATE_BUCKET_SECONDS) * RATE_BUCKET_SECONDS
    labels = [_label(moment) if width >= NARROW_BELOW else "" for moment in moments]
    # The plot is so narrow that every label ends within the picture.
    limits = [
        (width - LEFT - label_width(label)) / (moment.seconds / end)
        for moment, label in zip(moments, labels, strict=True)
        if moment.seconds > 0
    ]
    scale = Scale(min([width - LEFT - RIGHT, *limits]), end)
    parts = [
        *_phases(scale, moments),
        *_rate(scale, samples),
        *_requests(scale, samples),
        *_time_axis(scale),
        *_moments(scale, moments, labels),
        *_titles(),
    ]
    told = "; ".join(f"{moment.title} at {_seconds(moment.seconds)}" for moment in moments)
    description = f"Upper plot: errors in percent of requests. Lower plot: requests a second. {told}."
    return (
        f'<svg viewBox="0 0 {width:g} {HEIGHT:g}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc" '
        f'xmlns="http://www.w3.org/2000/svg" class="chart {name}">'
        f'<title id="{name}-title">Error rate and requests over time</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def label_width(text: str) -> float:
    """Estimate a label's width in pixels, its number and the distance from its line included."""
    return len(text) * CHARACTER_WIDTH + 20


def _label(moment: Moment) -> str:
    return f"{SHORT_TITLES.get(moment.key, moment.title)} {_seconds(moment.seconds)}"


def _seconds(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f} s".replace("-", "−")  # noqa: RUF001 - a minus sign


def _phases(scale: Scale, moments: Sequence[Moment]) -> Iterator[str]:
    """Tint the stretches in which the fault was live, and the one in which it was healed."""
    at = {moment.key: moment.seconds for moment in moments}
    act = at.get(MomentKey.ACT, scale.end)
    # The second up changes the function some time before it ends.
    back = (at.get(key, scale.end) for key in (MomentKey.BASELINE_RESTORED, MomentKey.ERRORS_AGAIN))
    restored = min(back)
    edges = (
        (0.0, act, "live", "fault live"),
        (act, restored, "healed", "healed"),
        (restored, scale.end, "live", "restored"),
    )
    for start, stop, kind, text in edges:
        left, wide = scale.x(start), scale.x(stop) - scale.x(start)
        if wide > 0:
            yield _rect(f"phase {kind}", left, RATE_TOP, wide, RATE_HEIGHT)
            yield _rect(f"phase {kind}", left, REQUESTS_TOP, wide, REQUESTS_HEIGHT)
        if wide > len(text) * 7 + 10:
            yield _text("phase-name", left + wide / 2, RATE_TOP + 16, text)


def _rate(scale: Scale, samples: Sequence[Sample]) -> Iterator[str]:
    counted = buckets(samples, RATE_BUCKET_SECONDS, scale.end - 1e-6)
    top = max(20, ceil(max(count.rate for count in counted) * 10.4) * 10)
    step = 10 if top <= 50 else 20  # noqa: PLR2004 - at most five lines
    for percent in range(0, top + 1, step):
        y = RATE_BOTTOM - percent / top * RATE_HEIGHT
        yield _grid(scale, y, f"{percent} %")
    points: list[str] = []
    for slot, count in enumerate(counted):
        y = RATE_BOTTOM - count.rate * 100 / top * RATE_HEIGHT
        left, right = scale.x(slot * RATE_BUCKET_SECONDS), scale.x((slot + 1) * RATE_BUCKET_SECONDS)
        if count.requests:
            points += [f"{left:.1f},{y:.1f}", f"{right:.1f},{y:.1f}"]
    if points:
        first, last = points[0].split(",")[0], points[-1].split(",")[0]
        base = f"{RATE_BOTTOM:g}"
        yield f'<polygon class="rate-area" points="{first},{base} {" ".join(points)} {last},{base}" />'
        yield f'<polyline class="rate-line" points="{" ".join(points)}" />'


def _requests(scale: Scale, samples: Sequence[Sample]) -> Iterator[str]:
    counted = buckets(samples, REQUEST_BUCKET_SECONDS, scale.end - 1e-6)
    top = max(10, ceil(max(count.requests for count in counted) / 2) * 2)
    for value in (0, top // 2, top):
        yield _grid(scale, REQUESTS_BOTTOM - value / top * REQUESTS_HEIGHT, str(value))
    wide = max(1.0, scale.plot / scale.end * REQUEST_BUCKET_SECONDS - 1.5)
    for slot, count in enumerate(counted):
        x, base = scale.x(slot * REQUEST_BUCKET_SECONDS) + 0.75, REQUESTS_BOTTOM
        for kind, number in (("failed", count.errors), ("answered", count.requests - count.errors)):
            tall = number / top * REQUESTS_HEIGHT
            base -= tall
            if number:
                yield _rect(kind, x, base, wide, tall)


def _titles() -> Iterator[str]:
    """Name both plots; drawn last and on a ground, because the first lines run through where they stand."""
    rate, y = RATE_TOP - 12, REQUESTS_TOP - 12
    yield _rect("ground", 0, rate - 11, 190, 15)
    yield _text("axis-title", 0, rate, "Errors, % of requests (each 5 s)")
    yield _rect("ground", 0, y - 11, 250, 15)
    yield _text("axis-title", 0, y, "Requests a second:")
    for x, kind in ((126, "answered"), (208, "failed")):
        yield _rect(kind, x, y - 9, 10, 10)
        yield _text("axis-title", x + 15, y, kind)


def _time_axis(scale: Scale) -> Iterator[str]:
    step = next((s for s in TIME_STEPS if scale.end / s * TICK_ROOM <= scale.plot), TIME_STEPS[-1])
    y = REQUESTS_BOTTOM
    for second in range(0, int(scale.end) + 1, step):
        x = scale.x(second)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y:g}" y2="{y + 5:g}" />'
        yield _text("tick middle", x, y + 19, str(second))
    yield _text("axis-title middle", LEFT + scale.plot / 2, y + 40, "seconds since traffic began")


def _moments(scale: Scale, moments: Sequence[Moment], labels: Sequence[str]) -> Iterator[str]:
    """Draw the moments as lines that run down from their labels.

    Each label has a row of its own, an earlier one above a later one, and hangs to the right of its line: so
    no line runs through a text.
    """
    for number, (moment, label) in enumerate(zip(moments, labels, strict=True), 1):
        x, y = scale.x(moment.seconds), number * ROW - 6
        yield (
            f'<g class="moment {moment.key.value}">'
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 12:g}" y2="{REQUESTS_BOTTOM:g}" />'
            f'<circle cx="{x + 1:.1f}" cy="{y - 4:g}" r="8" />'
            f"{_text('number', x + 1, y, str(number))}{_text('label', x + 13, y, label) if label else ''}</g>"
        )


def _grid(scale: Scale, y: float, text: str) -> str:
    line = f'<line class="grid" x1="{LEFT:g}" x2="{LEFT + scale.plot:.1f}" y1="{y:.1f}" y2="{y:.1f}" />'
    return line + _text("tick end", LEFT - 7, y + 4, text)


def _rect(kind: str, x: float, y: float, wide: float, tall: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" />'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
