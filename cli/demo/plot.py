"""What drawings of a run have in common, as inline SVG: the axis of time, grids, moments as lines. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

LEFT, RIGHT, ROW = 44.0, 14.0, 21.0
"""Margins left and right of the plots, and the height of a row of labels, in pixels."""

TIME_STEPS, TICK_ROOM = (5, 10, 20, 30, 60, 120, 300), 34.0
"""Seconds between ticks that read well, and the pixels that one tick needs."""

NARROW_BELOW = 600.0
"""Below this width in pixels a line carries its number only: the texts would not fit."""

CHARACTER_WIDTH = 6.7
"""Pixels of a character of the labels (12 px, system sans-serif), in a wide font."""


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


@dataclass(frozen=True)
class Mark:
    """A moment as a line through the plots."""

    seconds: float
    kind: str
    """Its class in the style sheet."""
    label: str
    """What it says beside its number; empty for the number only."""


def fitted(width: float, end: float, marks: Sequence[Mark]) -> Scale:
    """Return the widest scale with which every label ends within the picture.

    Args:
        width: Of the picture, in pixels.
        end: Seconds at the right edge of the plots.
        marks: Whose labels hang to the right of their lines.

    """
    limits = [
        (width - LEFT - label_width(mark.label)) / (mark.seconds / end) for mark in marks if mark.seconds > 0
    ]
    return Scale(min([width - LEFT - RIGHT, *limits]), end)


def svg(name: str, width: float, height: float, parts: Sequence[str], *, title: str, description: str) -> str:
    """Return the drawing; `name` is its class, and the prefix of its ids, unique in the page."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc" '
        f'xmlns="http://www.w3.org/2000/svg" class="chart {name}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def label_width(label: str) -> float:
    """Estimate a label's width in pixels, its number and the distance from its line included."""
    return len(label) * CHARACTER_WIDTH + 20


def seconds_text(value: float) -> str:
    """Return seconds for people, with one decimal and a real minus sign."""
    return f"{round(value, 1) + 0.0:.1f} s".replace("-", "−")  # noqa: RUF001 - a minus sign


def marks_drawn(scale: Scale, marks: Sequence[Mark], bottom: float) -> Iterator[str]:
    """Draw moments as lines that run down from their labels to `bottom`.

    Each label has a row of its own, an earlier one above a later one, and hangs to the right of its line: so
    no line runs through a text.
    """
    for number, mark in enumerate(marks, 1):
        x, y = scale.x(mark.seconds), number * ROW - 6
        label = text("label", x + 13, y, mark.label) if mark.label else ""
        yield (
            f'<g class="moment {mark.kind}">'
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 12:g}" y2="{bottom:g}" />'
            f'<circle cx="{x + 1:.1f}" cy="{y - 4:g}" r="8" />'
            f"{text('number', x + 1, y, str(number))}{label}</g>"
        )


def time_axis(scale: Scale, y: float) -> Iterator[str]:
    """Draw the axis of seconds below the plots."""
    step = next((s for s in TIME_STEPS if scale.end / s * TICK_ROOM <= scale.plot), TIME_STEPS[-1])
    for second in range(0, int(scale.end) + 1, step):
        x = scale.x(second)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y:g}" y2="{y + 5:g}" />'
        yield text("tick middle", x, y + 19, str(second))
    yield text("axis-title middle", LEFT + scale.plot / 2, y + 40, "seconds since traffic began")


def grid(scale: Scale, y: float, label: str) -> str:
    """Draw a horizontal line with its value."""
    line = f'<line class="grid" x1="{LEFT:g}" x2="{LEFT + scale.plot:.1f}" y1="{y:.1f}" y2="{y:.1f}" />'
    return line + text("tick end", LEFT - 7, y + 4, label)


def rect(kind: str, x: float, y: float, wide: float, tall: float) -> str:
    """Draw a rectangle of a class of the style sheet."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" />'


def text(kind: str, x: float, y: float, content: str) -> str:
    """Draw a text of a class of the style sheet."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(content)}</text>'
