"""A circuit for people, and as a JSON document."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from selfheal.cli.operator.find_circuits import Place
from selfheal.cli.operator.render import line, printable
from selfheal.functions.healer.clock import iso
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings

COLUMNS = ("circuit", "state", "since", "next", "forced")

WINDOW_SECONDS = BreakerSettings().window_seconds
"""What the counts are shown of. The circuit's own window may be another: its settings are its functions'."""


def circuit_json(place: Place, circuit: Circuit, now: float) -> dict[str, Any]:
    """Return a circuit as JSON documents have it. Times are ISO 8601, null where there is none."""
    count = circuit.count(now, BreakerSettings())
    lease, forced = circuit.lease, circuit.forced_now(now)
    return {
        "circuit": place.name,
        "table": place.table,
        "state": circuit.state,
        "at_rest": circuit.at_rest,
        "since": _time(circuit.changed_at),
        "next_probe": _time(circuit.until) if circuit.state is State.OPEN else None,
        "forced": None if forced is None else asdict(forced) | {"until": _time(forced.until)},
        "limit": circuit.limit,
        "successes": circuit.successes,
        "probe_until": None if lease is None else _time(lease.expires),
        "openings": circuit.openings,
        "calls": count.calls,
        "failures": count.failures,
        "outages": [
            {"began": _time(each.began), "ended": _time(each.ended)} for each in reversed(circuit.outages)
        ],
    }


def row(place: Place, circuit: Circuit, now: float) -> tuple[str, ...]:
    """Return a circuit's cells in the list."""
    forced = circuit.forced_now(now)
    since = _time(circuit.changed_at) or "—"
    return (place.name, _state(circuit), since, _next(circuit, now), forced_text(forced) if forced else "—")


def circuit_lines(place: Place, circuit: Circuit, now: float) -> list[str]:
    """Return the details of a circuit."""
    count, forced = circuit.count(now, BreakerSettings()), circuit.forced_now(now)
    pairs = [
        ("state", _state(circuit)),
        ("since", _time(circuit.changed_at) or "nothing was ever written"),
        ("next", _next(circuit, now)),
        ("forced", forced_text(forced) if forced else "no"),
        ("counted", f"{count.failures} of {count.calls} calls failed in the last {WINDOW_SECONDS} s"),
        ("openings", f"{circuit.openings} since it was last stable"),
        *(
            ("outage", f"{_time(each.began)} to {_time(each.ended) or 'now'}")
            for each in reversed(circuit.outages)
        ),
        ("table", place.table),
    ]
    return [line(label, text) for label, text in pairs]


def forced_text(forced: Forced) -> str:
    """Return what a person decided."""
    return f"{forced.state} until {_time(forced.until)} by {printable(forced.by)}: {printable(forced.why)}"


def _state(circuit: Circuit) -> str:
    return circuit.state if circuit.limit is None else f"{circuit.state}, slow start"


def _next(circuit: Circuit, now: float) -> str:
    if circuit.at_rest:
        return "—"
    match circuit.state:
        case State.CLOSED:
            return f"at most {circuit.limit} at once for each consumer, growing"
        case State.OPEN:
            return f"probed from {_time(circuit.until)} on" if circuit.until > now else "probed now"
        case State.HALF_OPEN:
            under_way = f", one under way until {_time(circuit.lease.expires)}" if circuit.lease else ""
            return f"{circuit.successes} successful probes{under_way}"


def _time(moment: float | None) -> str | None:
    return iso(datetime.fromtimestamp(moment, UTC)) if moment else None
