"""A run of the orders service as inline SVG: one axis of time for orders, calls, circuit, alarms, incidents.

From top to bottom: a row for each moment's label, bands of what was in which state, the orders that waited,
orders a second, and the calls that the downstream met a second. Pure text, no script.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from selfheal.cli.demo.model import AlarmChange
from selfheal.cli.demo.orders.model import MomentKey, OrdersRecording
from selfheal.cli.demo.orders.timeline import (
    REFUSED,
    SERVED,
    Backlog,
    Moment,
    ends_of,
    incident_spans,
    per_slot,
    timeline,
)
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
from selfheal.functions.shared.breaker.circuit import State

SLOT_SECONDS = 1.0
BAND, BAND_GAP, BAND_NAME = 15.0, 38.0, 16.0
"""Height of a band, from one band to the next, and of the name above a band."""
WAITING_HEIGHT, ORDERS_HEIGHT, CALLS_HEIGHT, BETWEEN = 110.0, 80.0, 100.0, 44.0

CIRCUIT_STATES = {State.OPEN: ("open", "open"), State.HALF_OPEN: ("half-open", "half-open")}
"""Class and text of a stretch; closed is `slow` until it is at rest, and then nothing."""

SHORT_TITLES = {
    MomentKey.BAD_VERSION: "bad version",
    MomentKey.MENDED: "mended",
    MomentKey.RECOVERED: "recovered",
    MomentKey.DRAINED: "drained",
}
"""For the chart only, where room is short; the tables have the full names."""


@dataclass(frozen=True)
class Stretch:
    """Part of a band."""

    start: float
    end: float
    kind: str
    """Its class in the style sheet."""
    label: str
    """Written into it where there is room."""


@dataclass(frozen=True)
class Plot:
    """Where a plot of the picture is, in pixels from the top."""

    top: float
    height: float

    @property
    def bottom(self) -> float:
        """Of its plane."""
        return self.top + self.height

    def y(self, value: float, most: float) -> float:
        """Turn a value into pixels."""
        return self.bottom - value / most * self.height


def chart(recording: OrdersRecording, *, width: float, name: str) -> str:
    """Draw a run.

    Args:
        recording: The run.
        width: In pixels. Below NARROW_BELOW the lines carry their number only.
        name: Class of the drawing and prefix of its ids, unique in the page.

    """
    moments = timeline(recording)
    end = ceil(max([recording.ended, *(moment.seconds for moment in moments), 1.0]) / 5) * 5.0
    wide = width >= NARROW_BELOW
    marks = [Mark(moment.seconds, moment.key.value, _label(moment) if wide else "") for moment in moments]
    scale = fitted(width, end, marks)
    bands = bands_of(recording)
    top = len(MomentKey) * ROW + 20
    plots: list[Plot] = []
    below = top + len(bands) * BAND_GAP + 12
    for height in (WAITING_HEIGHT, ORDERS_HEIGHT, CALLS_HEIGHT):
        plots.append(Plot(below + 22, height))
        below = plots[-1].bottom + BETWEEN - 22
    waiting, orders, calls = plots
    parts = [
        *_phases(scale, moments, top, calls.bottom),
        *_bands(scale, bands, top),
        *_waiting(scale, waiting, recording),
        *_orders(scale, orders, recording),
        *_calls(scale, calls, recording),
        *time_axis(scale, calls.bottom),
        *marks_drawn(scale, marks, calls.bottom),
        *_band_names(bands, top),
        *_titles(waiting, orders, calls),
    ]
    told = "; ".join(f"{moment.title} at {seconds_text(moment.seconds)}" for moment in moments)
    stretches = "; ".join(
        f"{title}: {', '.join(f'{each.label} from {each.start:.0f} to {each.end:.0f} s' for each in row)}"
        for title, row in bands.items()
    )
    return svg(
        name,
        width,
        calls.bottom + 48,
        parts,
        title="Orders, calls, circuit, alarms and incidents over time",
        description=f"{told}. {stretches}. Below: orders that waited, orders a second, calls a second.",
    )


def bands_of(recording: OrdersRecording) -> dict[str, list[Stretch]]:
    """Return the bands of the picture by title: the circuit, then what rang, then what had an incident."""
    bands = {"circuit": _circuit(recording)}
    for name in dict.fromkeys(change.name for change in recording.alarm_changes if change.state == "ALARM"):
        bands[f"alarm {short_alarm(name)}"] = _ringing(recording, name)
    for target in dict.fromkeys(each.target for each in reversed(recording.incidents)):
        bands[f"incident {target}"] = [
            Stretch(start, stop, f"incident {step.to.lower()}", f"{step.to.lower()}: {step.reason}")
            for start, stop, step in incident_spans(recording, target)
        ]
    return bands


def short_alarm(name: str) -> str:
    """Shorten an alarm's name: without the healer's prefix, and what Pulumi has added."""
    return name.removeprefix("healer-").rsplit("-", 1)[0]


def _circuit(recording: OrdersRecording) -> list[Stretch]:
    changes = recording.circuit
    ends = ends_of([each.at for each in changes], recording.ended)
    found: list[Stretch] = []
    for change, end in zip(changes, ends, strict=True):
        if not change.at_rest:
            kind, label = CIRCUIT_STATES.get(change.state, ("slow", "slow start"))
            found.append(Stretch(change.at, end, f"circuit {kind}", label))
    return found


def _ringing(recording: OrdersRecording, name: str) -> list[Stretch]:
    own: list[AlarmChange] = [each for each in recording.alarm_changes if each.name == name]
    ends = ends_of([each.at for each in own], recording.ended)
    return [
        Stretch(change.at, end, "ringing", "ALARM")
        for change, end in zip(own, ends, strict=True)
        if change.state == "ALARM"
    ]


def _label(moment: Moment) -> str:
    return f"{SHORT_TITLES.get(moment.key, moment.title)} {seconds_text(moment.seconds)}"


def _phases(scale: Scale, moments: Sequence[Moment], top: float, bottom: float) -> Iterator[str]:
    """Tint the stretches in which something was broken."""
    at = {moment.key: moment.seconds for moment in moments}
    for start, stop in (
        (MomentKey.BAD_VERSION, MomentKey.ACT),
        (MomentKey.OUTAGE, MomentKey.MENDED),
    ):
        if start in at:
            left, right = scale.x(at[start]), scale.x(at.get(stop, scale.end))
            yield rect("phase live", left, top - 6, right - left, bottom - top + 6)


def _bands(scale: Scale, bands: dict[str, list[Stretch]], top: float) -> Iterator[str]:
    for number, row in enumerate(bands.values()):
        y = top + number * BAND_GAP + BAND_NAME
        yield grid(scale, y + BAND, "")
        for each in row:
            left = scale.x(each.start)
            wide = max(2.0, scale.x(each.end) - left)
            yield rect(f"band {each.kind}", left, y, wide, BAND)
            if wide > len(each.label) * 6.2 + 8:
                yield text("band-text", left + 4, y + 12, each.label)


def _band_names(bands: dict[str, list[Stretch]], top: float) -> Iterator[str]:
    """Name the bands; drawn last and on a ground, because lines run through where they stand."""
    for number, title in enumerate(bands):
        y = top + number * BAND_GAP + 11
        yield rect("ground", 0, y - 11, len(title) * 6.1 + 6, 14)
        yield text("axis-title", 0, y, title)


def _waiting(scale: Scale, plot: Plot, recording: OrdersRecording) -> Iterator[str]:
    backlog = Backlog.of(recording)
    most = max(10, ceil(backlog.most / 10) * 10)
    for value in (0, most // 2, most):
        yield grid(scale, plot.y(value, most), str(value))
    steps = [each / 2 for each in range(int(recording.ended * 2) + 1)]
    points = " ".join(f"{scale.x(at):.1f},{plot.y(backlog.at(at), most):.1f}" for at in steps)
    if points:
        base = f"{plot.bottom:g}"
        first, last = f"{scale.x(steps[0]):.1f}", f"{scale.x(steps[-1]):.1f}"
        yield f'<polygon class="wait-area" points="{first},{base} {points} {last},{base}" />'
        yield f'<polyline class="wait-line" points="{points}" />'


def _orders(scale: Scale, plot: Plot, recording: OrdersRecording) -> Iterator[str]:
    """Draw what was fulfilled as bars, and what was stored as a line over them."""
    end = recording.ended
    stored = per_slot((sample.done for sample in recording.stored), SLOT_SECONDS, end)
    done = (fate.fulfilled for fate in recording.fates if fate.fulfilled is not None)
    fulfilled = per_slot(done, SLOT_SECONDS, end)
    most = max(4, ceil(max([*stored, *fulfilled]) / 4) * 4)
    for value in (0, most // 2, most):
        yield grid(scale, plot.y(value, most), str(value))
    yield from _bars(scale, plot, most, [("fulfilled", fulfilled)])
    points = [
        f"{scale.x(slot + edge):.1f},{plot.y(number, most):.1f}"
        for slot, number in enumerate(stored[:-1])
        for edge in (0.0, SLOT_SECONDS)
    ]
    yield f'<polyline class="stored-line" points="{" ".join(points)}" />'


def _calls(scale: Scale, plot: Plot, recording: OrdersRecording) -> Iterator[str]:
    end = recording.ended
    kinds = {"failed": REFUSED, "answered": SERVED}
    counted = [
        (
            kind,
            per_slot(
                (recording.called_at(call) for call in recording.calls if call.outcome in outcomes),
                SLOT_SECONDS,
                end,
            ),
        )
        for kind, outcomes in kinds.items()
    ]
    tallest = max((sum(column) for column in zip(*(row for _, row in counted), strict=True)), default=0)
    most = max(10, ceil(tallest / 10) * 10)
    for value in (0, most // 2, most):
        yield grid(scale, plot.y(value, most), str(value))
    yield from _bars(scale, plot, most, counted)


def _bars(
    scale: Scale, plot: Plot, most: float, stacked: Sequence[tuple[str, Sequence[int]]]
) -> Iterator[str]:
    wide = max(1.0, scale.plot / scale.end * SLOT_SECONDS - 1.0)
    for slot in range(len(stacked[0][1])):
        x, base = scale.x(slot * SLOT_SECONDS) + 0.5, plot.bottom
        for kind, column in stacked:
            tall = column[slot] / most * plot.height
            base -= tall
            if column[slot]:
                yield rect(kind, x, base, wide, tall)


def _titles(waiting: Plot, orders: Plot, calls: Plot) -> Iterator[str]:
    """Name the plots and their colours, on a ground, because lines run through where they stand."""
    yield from _title(waiting, "Orders that wait: stored, not fulfilled", ())
    yield from _title(orders, "Orders a second:", (("fulfilled", "fulfilled"), ("stored-key", "stored")))
    yield from _title(
        calls, "Calls to the downstream a second:", (("answered", "served"), ("failed", "refused"))
    )


def _title(plot: Plot, title: str, keys: Sequence[tuple[str, str]]) -> Iterator[str]:
    y = plot.top - 10
    x = len(title) * 6.1 + 10
    yield rect("ground", 0, y - 11, x + sum(len(key) * 6.4 + 32 for _, key in keys), 15)
    yield text("axis-title", 0, y, title)
    for kind, key in keys:
        yield rect(kind, x, y - 9, 10, 10)
        yield text("axis-title", x + 15, y, key)
        x += len(key) * 6.4 + 32
