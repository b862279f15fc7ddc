"""Where the labels of the chart's vertical lines go, so that neither texts nor lines cross. Pure geometry."""

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTER_WIDTH = 6.7
"""Pixels a character of the label font (12 px, system sans-serif) takes, in a wide font."""


@dataclass(frozen=True)
class Label:
    """A text that hangs to the right of its line."""

    x: float
    """Where the line is, in pixels."""
    text: str
    """What it says."""
    level: int
    """The row: 0 is the lowest, nearest to the plot."""


def width(text: str) -> float:
    """Estimate a text's width in pixels, its distance from the line included."""
    return len(text) * CHARACTER_WIDTH + 12


def place(lines: Sequence[tuple[float, str]]) -> list[Label]:
    """Give every label a row, so that no label covers another and no line runs through a text.

    Texts hang to the right of their lines, and a line runs down from its own row. So a label has to be in a
    row above every later label whose line stands where its text is: that line then starts under it. Going
    from right to left, one pass finds the lowest such rows.

    Args:
        lines: Position and text of each line, in ascending order of position.

    """
    placed: list[Label] = []
    for x, text in reversed(lines):
        below = [other.level for other in placed if other.x < x + width(text)]
        placed.append(Label(x, text, max(below) + 1 if below else 0))
    return placed[::-1]


def plot_width(fractions: Sequence[tuple[float, str]], available: float) -> float:
    """Return how wide the plot may be for every label to end within the available pixels.

    Args:
        fractions: For each label its position as a share of the plot (0 to 1), and its text.
        available: Pixels between the plot's left edge and the picture's right edge.

    """
    limits = [(available - width(text)) / share for share, text in fractions if share > 0]
    return min([available, *limits])
