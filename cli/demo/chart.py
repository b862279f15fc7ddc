"""The incident as inline SVG: error rate, requests, the moments as vertical lines. Pure text, no script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

from selfheal.cli.demo.labels import Label, place, plot_width
from selfheal.cli.demo.model import MomentKey, Sample
from selfheal.cli.demo.timeline import Count, Moment, buckets

RATE_BUCKET_SECONDS = 5.0
"""At 10 requests a second 50 requests a point: one is 2 %, so that the curve shows the fault, not chance."""

REQUEST_BUCKET_SECONDS = 1.0
"""Fine enough to see to the second when errors stop."""

LEFT, RIGHT, ROW, RATE_HEIGHT, GAP, REQUESTS_HEIGHT, FOOT = 44.0, 14.0, 21.0, 190.0, 46.0, 96.0, 48.0
TIME_STEPS, TICK_ROOM = (5, 10, 20, 30, 60, 120, 300), 34.0
"""Seconds between ticks that read well, and the pixels that one tick needs."""
NARROW_BELOW = 600.0
"""Below this width in pixels a line carries its number only: the texts would not fit."""

SHORT_TITLES = {
    MomentKey.ALARM_OK: "alarm OK",
    MomentKey.RECOVERED: "recovered",
    MomentKey.ERRORS_AGAIN: "errors again",
}
"""For the chart only, where room is short; the tables have the full names."""


@dataclass(frozen=True)
class Scale:
    """The picture's coordinates: x in seconds from zero, two plots above each other."""

    picture: float
    """Width of the whole picture in pixels."""
    plot: float
    """Width of the plots in pixels."""
    end: float
    """Seconds at the right edge."""
    rows: int
    """Rows of labels above the plots."""

    def x(self, seconds: float) -> float:
        """Turn seconds into pixels; what lies before zero is put at zero."""
        return LEFT + max(0.0, seconds) / self.end * self.plot

    @property
    def rate_top(self) -> float:
        """Upper edge of the error-rate plot."""
        return self.rows * ROW + 34

    @property
    def rate_bottom(self) -> float:
        """Its zero line."""
        return self.rate_top + RATE_HEIGHT

    @property
    def requests_top(self) -> float:
        """Upper edge of the requests plot."""
        return self.rate_bottom + GAP

    @property
    def requests_bottom(self) -> float:
        """Its zero line."""
        return self.requests_top + REQUESTS_HEIGHT

    @property
    def height(self) -> float:
        """Height of the whole picture."""
        return self.requests_bottom + FOOT


def chart(moments: Sequence[Moment], samples: Sequence[Sample], *, width: float, name: str) -> str:
    """Draw the incident.

    Args:
        moments: The timeline; numbered from 1 in this order, as in the report's table.
        samples: Every request.
        width: In pixels. Below NARROW_BELOW the lines carry their number only.
        name: Prefix of the element ids, unique in the page.

    """
    end = _end(moments, samples)
    texts = [_label(number, moment, width) for number, moment in enumerate(moments, 1)]
    fractions = [(max(0.0, moment.seconds) / end, text) for moment, text in zip(moments, texts, strict=True)]
    plot = min(width - LEFT - RIGHT, plot_width(fractions, width - LEFT - 2))
    labels = place([(LEFT + share * plot, text) for share, text in fractions])
    scale = Scale(width, plot, end, max((label.level for label in labels), default=0) + 1)
    parts = [
        *_phases(scale, moments),
        *_rate(scale, samples),
        *_requests(scale, samples),
        *_time_axis(scale),
        *_moments(scale, labels, moments),
        *_titles(scale),
    ]
    return (
        f'<svg viewBox="0 0 {width:g} {scale.height:g}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc" '
        f'xmlns="http://www.w3.org/2000/svg" class="chart">'
        f'<title id="{name}-title">Error rate and requests over time</title>'
        f'<desc id="{name}-desc">{escape(_in_words(moments))}</desc>{"".join(parts)}</svg>'
    )


def _end(moments: Sequence[Moment], samples: Sequence[Sample]) -> float:
    last = max([*(m.seconds for m in moments), *(s.sent for s in samples), 1.0])
    return ceil((last + 0.5) / RATE_BUCKET_SECONDS) * RATE_BUCKET_SECONDS


def _label(number: int, moment: Moment, width: float) -> str:
    if width < NARROW_BELOW:
        return str(number)
    return f"{number}  {SHORT_TITLES.get(moment.key, moment.title)} {_seconds(moment.seconds)}"


def _seconds(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f} s".replace("-", "−")  # noqa: RUF001 - a minus sign


def _in_words(moments: Sequence[Moment]) -> str:
    told = "; ".join(f"{moment.title} at {_seconds(moment.seconds)}" for moment in moments)
    return f"Upper plot: errors in percent of requests. Lower plot: requests a second, by outcome. {told}."


def _phases(scale: Scale, moments: Sequence[Moment]) -> Iterator[str]:
    """Tint the stretches in which the fault was live, and the one in which it was healed."""
    at = {moment.key: moment.seconds for moment in moments}
    act = at.get(MomentKey.ACT)
    # The second up changes the function some time before it ends.
    back = [at[key] for key in (MomentKey.BASELINE_RESTORED, MomentKey.ERRORS_AGAIN) if key in at]
    restored = min(back, default=None)
    edges = [(0.0, act if act is not None else scale.end, "live", "fault live")]
    if act is not None:
        edges.append((act, restored if restored is not None else scale.end, "healed", "healed"))
    if restored is not None:
        edges.append((restored, scale.end, "live", "restored"))
    for start, stop, kind, text in edges:
        left, wide = scale.x(start), scale.x(stop) - scale.x(start)
        yield _rect(f"phase {kind}", left, scale.rate_top, wide, RATE_HEIGHT)
        yield _rect(f"phase {kind}", left, scale.requests_top, wide, REQUESTS_HEIGHT)
        if wide > len(text) * 7 + 10:
            middle, y = left + wide / 2, scale.rate_top + 16
            yield f'<text class="phase-name" x="{middle:.1f}" y="{y:g}">{escape(text)}</text>'


def _rate(scale: Scale, samples: Sequence[Sample]) -> Iterator[str]:
    counted = buckets(samples, RATE_BUCKET_SECONDS, scale.end - 1e-6)
    top = max(20, ceil(max(count.rate for count in counted) * 10.4) * 10)
    step = 10 if top <= 50 else 20  # noqa: PLR2004 - at most five lines
    for percent in range(0, top + 1, step):
        y = scale.rate_bottom - percent / top * RATE_HEIGHT
        yield _grid(scale, y, f"{percent} %")
    yield from _rate_steps(scale, counted, top)


def _rate_steps(scale: Scale, counted: Sequence[Count], top: int) -> Iterator[str]:
    points: list[str] = []
    for slot, count in enumerate(counted):
        y = scale.rate_bottom - count.rate * 100 / top * RATE_HEIGHT
        left, right = scale.x(slot * RATE_BUCKET_SECONDS), scale.x((slot + 1) * RATE_BUCKET_SECONDS)
        if count.requests:
            points += [f"{left:.1f},{y:.1f}", f"{right:.1f},{y:.1f}"]
    if points:
        first, last = points[0].split(",")[0], points[-1].split(",")[0]
        base = f"{scale.rate_bottom:g}"
        yield f'<polygon class="rate-area" points="{first},{base} {" ".join(points)} {last},{base}" />'
        yield f'<polyline class="rate-line" points="{" ".join(points)}" />'


def _requests(scale: Scale, samples: Sequence[Sample]) -> Iterator[str]:
    counted = buckets(samples, REQUEST_BUCKET_SECONDS, scale.end - 1e-6)
    top = max(10, ceil(max(count.requests for count in counted) / 2) * 2)
    for value in (0, top // 2, top):
        yield _grid(scale, scale.requests_bottom - value / top * REQUESTS_HEIGHT, str(value))
    wide = max(1.0, scale.plot / scale.end * REQUEST_BUCKET_SECONDS - 1.5)
    for slot, count in enumerate(counted):
        x, base = scale.x(slot * REQUEST_BUCKET_SECONDS) + 0.75, scale.requests_bottom
        for kind, number in (("failed", count.errors), ("answered", count.requests - count.errors)):
            tall = number / top * REQUESTS_HEIGHT
            base -= tall
            if number:
                yield _rect(kind, x, base, wide, tall)


def _rect(kind: str, x: float, y: float, wide: float, tall: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" />'


def _grid(scale: Scale, y: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{LEFT:g}" x2="{LEFT + scale.plot:.1f}" y1="{y:.1f}" y2="{y:.1f}" />'
        f'<text class="tick" x="{LEFT - 7:g}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _titles(scale: Scale) -> Iterator[str]:
    """Name both plots; drawn last and on a ground, because the first lines run through where they stand."""
    rate, y = scale.rate_top - 12, scale.requests_top - 12
    yield _rect("ground", 0, rate - 11, 190, 15)
    yield f'<text class="axis-title" x="0" y="{rate:g}">Errors, % of requests (each 5 s)</text>'
    yield _rect("ground", 0, y - 11, 250, 15)
    yield f'<text class="axis-title" x="0" y="{y:g}">Requests a second:</text>'
    for x, kind in ((126, "answered"), (208, "failed")):
        yield _rect(kind, x, y - 9, 10, 10)
        yield f'<text class="axis-title" x="{x + 15}" y="{y:g}">{kind}</text>'


def _time_axis(scale: Scale) -> Iterator[str]:
    step = next((s for s in TIME_STEPS if scale.end / s * TICK_ROOM <= scale.plot), TIME_STEPS[-1])
    y = scale.requests_bottom
    for second in range(0, int(scale.end) + 1, step):
        x = scale.x(second)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y:g}" y2="{y + 5:g}" />'
        yield f'<text class="tick" x="{x:.1f}" y="{y + 19:g}" text-anchor="middle">{second}</text>'
    words, middle = "seconds since traffic began", LEFT + scale.plot / 2
    yield f'<text class="axis-title" x="{middle:.1f}" y="{y + 40:g}" text-anchor="middle">{words}</text>'


def _moments(scale: Scale, labels: Sequence[Label], moments: Sequence[Moment]) -> Iterator[str]:
    for label, moment in zip(labels, moments, strict=True):
        y = (scale.rows - label.level) * ROW - 6
        number, _, text = label.text.partition("  ")
        yield (
            f'<g class="moment {moment.key.value}">'
            f'<line x1="{label.x:.1f}" x2="{label.x:.1f}" y1="{y - 12:g}" y2="{scale.requests_bottom:g}" />'
            f'<circle cx="{label.x + 1:.1f}" cy="{y - 4:g}" r="8" />'
            f'<text class="number" x="{label.x + 1:.1f}" y="{y:g}">{number}</text>'
        )
        if text:
            yield f'<text class="label" x="{label.x + 13:.1f}" y="{y:g}">{escape(text)}</text>'
        yield "</g>"
