"""Metrics of one step of an incident. Their only dimension is the healer's function."""

from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.states import Reason, Status


def measures(before: Incident | None, after: Incident) -> dict[str, float]:
    """Return the metrics by name: counts, and times in seconds.

    Args:
        before: The incident as it was read. It is None or another incident if `after` is new.
        after: The incident at the end of the run.

    """
    same = before is not None and before.id == after.id
    known = before if same else None
    fresh = after.transitions - (known.transitions if known else 0)
    new = after.history[-fresh:] if fresh else ()
    recovered = after.recoveries - (known.recoveries if known else 0)
    acts = after.acts - (known.acts if known else 0)
    found = {
        "Acts": acts,
        "Reverted": sum(line.reason == Reason.REVERTED for line in new),
        "Ineffective": sum(line.to == Status.INEFFECTIVE for line in new),
        "Escalated": sum(line.to == Status.ESCALATED for line in new),
        # Neither a recovery without a remediation, nor a restore that closes the incident again.
        "Recovered": int(after.acts > 0 and recovered > 0 and after.recoveries == 1),
    }
    measured: dict[str, float] = {name: count for name, count in found.items() if count > 0}
    if not same and after.began_at is not None:
        measured["TimeToDetect"] = _seconds(after.began_at, after.opened_at)
    if acts and acts == after.acts and after.acted_at is not None:
        measured["TimeToAct"] = _seconds(after.opened_at, after.acted_at)
    if "Recovered" in measured and after.closed_at is not None:
        measured["TimeToRecover"] = _seconds(after.opened_at, after.closed_at)
    return measured


def _seconds(earlier: str, later: str) -> float:
    return max(0.0, round((parse_iso(later) - parse_iso(earlier)).total_seconds(), 3))
