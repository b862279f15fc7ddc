"""What the demonstration shows while it runs. Pure."""

from selfheal.cli.demo.live import Line, View
from selfheal.cli.demo.model import MomentKey, Recording
from selfheal.cli.demo.timeline import TITLES, Moment, count, timeline

GOOD = {MomentKey.ACT, MomentKey.ALARM_OK, MomentKey.RECOVERED, MomentKey.BASELINE_RESTORED}
RECENT_SECONDS = 5.0


def live_view(recording: Recording, now: float) -> View:
    """Return how a run stands, `now` seconds since traffic began.

    Which error was the last is only known once the incident is recovered, or the run is over.
    """
    moments = timeline(recording)
    over = recording.incident is not None and not recording.incident.is_open
    seen = {moment.key for moment in moments}
    return View(
        [line(moment, certain=over or moment.key is not MomentKey.LAST_ERROR) for moment in moments],
        [TITLES[key] for key in MomentKey if key not in seen],
        status(recording, now),
    )


def line(moment: Moment, *, certain: bool = True) -> Line:
    """Return a moment as it is shown."""
    bad = "" if moment.key is MomentKey.DEPLOYED else "red"
    style = "green" if moment.key in GOOD else bad
    return Line(moment.title, moment.seconds, moment.detail, style, certain)


def status(recording: Recording, now: float) -> str:
    """Return one line on how it stands, for example `34 s, 340 requests, 61 errors, last 5 s: 0 %, ...`."""
    total = count(recording.samples)
    recent = count(sample for sample in recording.samples if sample.done > now - RECENT_SECONDS)
    incident = recording.incident
    state = f"incident {incident.status} ({incident.reason})" if incident else "no incident yet"
    return (
        f"{now:3.0f} s, {total.requests} requests, {total.errors} errors, "
        f"last {RECENT_SECONDS:g} s: {recent.rate:.0%} errors, {state}"
    )
