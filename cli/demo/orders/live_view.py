"""What the demonstration of the orders service shows while it runs. Pure."""

from selfheal.cli.demo.live import Line, View
from selfheal.cli.demo.orders.model import TARGET, MomentKey, OrdersRecording
from selfheal.cli.demo.orders.timeline import TITLES, Backlog, timeline

STYLES = {
    MomentKey.DEPLOYED: "",
    MomentKey.BAD_VERSION: "red",
    MomentKey.ALARM: "red",
    MomentKey.OUTAGE: "red",
}
"""Of titles; what is not named here is good news."""

UNCERTAIN = frozenset({MomentKey.AT_REST})
"""What a later moment could take the place of while the run goes on."""


def live_view(recording: OrdersRecording, now: float) -> View:
    """Return how a run stands, `now` seconds since traffic began."""
    moments = timeline(recording)
    seen = {moment.key for moment in moments}
    drained = MomentKey.DRAINED in seen
    return View(
        [
            Line(
                moment.title,
                moment.seconds,
                moment.detail,
                STYLES.get(moment.key, "green"),
                certain=drained or moment.key not in UNCERTAIN,
            )
            for moment in moments
        ],
        [TITLES[key] for key in MomentKey if key not in seen],
        status(recording, now),
    )


def status(recording: OrdersRecording, now: float) -> str:
    """Return one line on how it stands: `34 s, 170 orders stored, 120 fulfilled, 50 wait, ...`."""
    circuit = recording.circuit[-1] if recording.circuit else None
    slow = circuit is not None and not circuit.at_rest and circuit.state.value == "closed"
    state = "unknown" if circuit is None else "closed, slow start" if slow else circuit.state.value
    incident = recording.incident
    told = f"incident of {TARGET} {incident.status} ({incident.reason})" if incident else "no incident yet"
    return (
        f"{now:3.0f} s, {len(recording.stored)} orders stored, {recording.fulfilled} fulfilled, "
        f"{Backlog.of(recording).at(now)} wait, circuit {state}, {told}"
    )
