"""A run as inline SVG: orders that wait, orders that were sent, the moments as vertical lines. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil

from selfheal.cli.chaos.recording import Recording
from selfheal.cli.chaos.timeline import Moment, backlog
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

WAITING_HEIGHT, SENT_HEIGHT = 150.0, 80.0


class _Rows:
    """From top to bottom: a row for each moment's label, the orders that wait, those that were sent."""

    def __init__(self, moments: int) -> None:
        self.waiting_top = moments * ROW + 34
        self.waiting_bottom = self.waiting_top + WAITING_HEIGHT
        self.sent_top = self.waiting_bottom + 46
        self.sent_bottom = self.sent_top + SENT_HEIGHT
        self.height = self.sent_bottom + 48


def chart(recording: Recording, moments: Sequence[Moment], *, width: float, name: str) -> str:
    """Draw a run.

    Args:
        recording: What was seen.
        moments: The timeline; numbered from 1 in this order, as in the report's table.
        width: In pixels. Below NARROW_BELOW the lines carry their number only.
        name: Class of the drawing and prefix of its ids, unique in the page.

    """
    rows = _Rows(len(moments))
    marks = [Mark(each.seconds, each.kind, _label(each) if width >= NARROW_BELOW else "") for each in moments]
    last = max([*(each.seconds for each in moments), recording.ended, 1.0])
    scale = fitted(width, ceil((last + 0.5) / 5) * 5, marks)
    parts = [
        *_fault(scale, rows, recording),
        *_waiting(scale, rows, recording),
        *_sent(scale, rows, recording),
        *time_axis(scale, rows.sent_bottom),
        *marks_drawn(scale, marks, rows.sent_bottom),
        *_titles(rows),
    ]
    told = "; ".join(f"{each.title} at {seconds_text(each.seconds)}" for each in moments)
    return svg(
        name,
        width,
        rows.height,
        parts,
        title="Orders that wait and orders sent over time",
        description=f"Upper plot: accepted orders that wait. Lower plot: orders sent a second. {told}.",
    )


def _label(moment: Moment) -> str:
    return f"{moment.title} {seconds_text(moment.seconds)}"


def _fault(scale: Scale, rows: _Rows, recording: Recording) -> Iterator[str]:
    if recording.fault_began is None:
        return
    end = recording.ended if recording.fault_ended is None else recording.fault_ended
    left, wide = scale.x(recording.fault_began), scale.x(end) - scale.x(recording.fault_began)
    yield rect("phase live", left, rows.waiting_top, wide, WAITING_HEIGHT)
    yield rect("phase live", left, rows.sent_top, wide, SENT_HEIGHT)
    yield text("phase-name", left + wide / 2, rows.waiting_top + 16, "fault")


def _waiting(scale: Scale, rows: _Rows, recording: Recording) -> Iterator[str]:
    counted = backlog(recording)
    top = _round_up(max(count for _, count in counted))
    for value in (0, top // 2, top):
        yield grid(scale, rows.waiting_bottom - value / top * WAITING_HEIGHT, str(value))
    points = [
        f"{scale.x(at):.1f},{rows.waiting_bottom - count / top * WAITING_HEIGHT:.1f}" for at, count in counted
    ]
    first, last = points[0].split(",")[0], points[-1].split(",")[0]
    base = f"{rows.waiting_bottom:g}"
    yield f'<polygon class="rate-area" points="{first},{base} {" ".join(points)} {last},{base}" />'
    yield f'<polyline class="rate-line" points="{" ".join(points)}" />'


def _sent(scale: Scale, rows: _Rows, recording: Recording) -> Iterator[str]:
    accepted = Counter(int(put.sent) for put in recording.puts if put.accepted)
    refused = Counter(int(put.sent) for put in recording.puts if not put.accepted)
    top = _round_up(max((accepted + refused).values(), default=1))
    for value in (0, top):
        yield grid(scale, rows.sent_bottom - value / top * SENT_HEIGHT, str(value))
    wide = max(1.0, scale.plot / scale.end - 1.5)
    for second in sorted(accepted | refused):
        base = rows.sent_bottom
        for kind, number in (("failed", refused[second]), ("answered", accepted[second])):
            tall = number / top * SENT_HEIGHT
            base -= tall
            if number:
                yield rect(kind, scale.x(second) + 0.75, base, wide, tall)


def _titles(rows: _Rows) -> Iterator[str]:
    """Name both plots; drawn last and on a ground, because the first lines run through where they stand."""
    upper, lower = rows.waiting_top - 12, rows.sent_top - 12
    yield rect("ground", 0, upper - 11, 230, 15)
    yield text("axis-title", 0, upper, "Orders accepted and not yet settled")
    yield rect("ground", 0, lower - 11, 270, 15)
    yield text("axis-title", 0, lower, "Orders sent a second:")
    for x, kind, label in ((136, "answered", "accepted"), (216, "failed", "refused")):
        yield rect(kind, x, lower - 9, 10, 10)
        yield text("axis-title", x + 15, lower, label)


def _round_up(value: int) -> int:
    return max(2, ceil(value / 2) * 2)
