"""The incident as inline SVG: error rate, requests, the moments as vertical lines. Pure text, no script."""

from collections.abc import Iterator, Sequence
from math import ceil

from selfheal.cli.demo.model import MomentKey, Sample
from selfheal.cli.demo.plot import (
    NARROW_BELOW,
    ROW,
    Mark,
    Scale,
    fitted,
    grid,
    marks_drawn,
    rect,
    seconds_text,
    svg,
    text,
    time_axis,
)
from selfheal.cli.demo.timeline import Moment, buckets

RATE_BUCKET_SECONDS = 5.0
"""At 10 requests a second 50 requests a point: one is 2 %, so that the curve shows the fault, not chance."""

REQUEST_BUCKET_SECONDS = 1.0
"""Fine enough to see to the second when errors stop."""

RATE_HEIGHT, REQUESTS_HEIGHT = 190.0, 96.0
RATE_TOP = len(MomentKey) * ROW + 34
RATE_BOTTOM = RATE_TOP + RATE_HEIGHT
REQUESTS_TOP = RATE_BOTTOM + 46
REQUESTS_BOTTOM = REQUESTS_TOP + REQUESTS_HEIGHT
HEIGHT = REQUESTS_BOTTOM + 48
"""From top to bottom: a row for each moment's label, the plot of the error rate, that of the requests."""

SHORT_TITLES = {
    MomentKey.ALARM_OK: "alarm OK",
    MomentKey.RECOVERED: "recovered",
    MomentKey.ERRORS_AGAIN: "errors again",
}
"""For the chart only, where room is short; the tables have the full names."""


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
    marks = [
        Mark(moment.seconds, moment.key.value, _label(moment) if width >= NARROW_BELOW else "")
        for moment in moments
    ]
    scale = fitted(width, end, marks)
    parts = [
        *_phases(scale, moments),
        *_rate(scale, samples),
        *_requests(scale, samples),
        *time_axis(scale, REQUESTS_BOTTOM),
        *marks_drawn(scale, marks, REQUESTS_BOTTOM),
        *_titles(),
    ]
    told = "; ".join(f"{moment.title} at {seconds_text(moment.seconds)}" for moment in moments)
    description = f"Upper plot: errors in percent of requests. Lower plot: requests a second. {told}."
    return svg(
        name,
        width,
        HEIGHT,
        parts,
        title="Error rate and requests over time",
        description=description,
    )


def _label(moment: Moment) -> str:
    return f"{SHORT_TITLES.get(moment.key, moment.title)} {seconds_text(moment.seconds)}"


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
    for start, stop, kind, label in edges:
        left, wide = scale.x(start), scale.x(stop) - scale.x(start)
        if wide > 0:
            yield rect(f"phase {kind}", left, RATE_TOP, wide, RATE_HEIGHT)
            yield rect(f"phase {kind}", left, REQUESTS_TOP, wide, REQUESTS_HEIGHT)
        if wide > len(label) * 7 + 10:
            yield text("phase-name", left + wide / 2, RATE_TOP + 16, label)


def _rate(scale: Scale, samples: Sequence[Sample]) -> Iterator[str]:
    counted = buckets(samples, RATE_BUCKET_SECONDS, scale.end - 1e-6)
    top = max(20, ceil(max(count.rate for count in counted) * 10.4) * 10)
    step = 10 if top <= 50 else 20  # noqa: PLR2004 - at most five lines
    for percent in range(0, top + 1, step):
        y = RATE_BOTTOM - percent / top * RATE_HEIGHT
        yield grid(scale, y, f"{percent} %")
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
        yield grid(scale, REQUESTS_BOTTOM - value / top * REQUESTS_HEIGHT, str(value))
    wide = max(1.0, scale.plot / scale.end * REQUEST_BUCKET_SECONDS - 1.5)
    for slot, count in enumerate(counted):
        x, base = scale.x(slot * REQUEST_BUCKET_SECONDS) + 0.75, REQUESTS_BOTTOM
        for kind, number in (("failed", count.errors), ("answered", count.requests - count.errors)):
            tall = number / top * REQUESTS_HEIGHT
            base -= tall
            if number:
                yield rect(kind, x, base, wide, tall)


def _titles() -> Iterator[str]:
    """Name both plots; drawn last and on a ground, because the first lines run through where they stand."""
    rate, y = RATE_TOP - 12, REQUESTS_TOP - 12
    yield rect("ground", 0, rate - 11, 190, 15)
    yield text("axis-title", 0, rate, "Errors, % of requests (each 5 s)")
    yield rect("ground", 0, y - 11, 250, 15)
    yield text("axis-title", 0, y, "Requests a second:")
    for x, kind in ((126, "answered"), (208, "failed")):
        yield rect(kind, x, y - 9, 10, 10)
        yield text("axis-title", x + 15, y, kind)
