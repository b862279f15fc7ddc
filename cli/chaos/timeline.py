"""The moments of a run that matter, in order. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from selfheal.cli.chaos.measures import take
from selfheal.cli.chaos.recording import Recording

BAD, GOOD, PLAIN = "alarm", "recovered", "deployed"
"""Kinds of moments, by the classes that the report's style sheet has for them."""


@dataclass(frozen=True)
class Moment:
    """One moment."""

    seconds: float
    """Since the run began."""
    title: str
    detail: str
    kind: str


def timeline(recording: Recording) -> list[Moment]:
    """Return the moments, the earliest first."""
    found = [
        *_of_fault(recording),
        *_of_circuits(recording),
        *_of_incidents(recording),
        *_of_orders(recording),
    ]
    return sorted(found, key=lambda moment: moment.seconds)


def _of_fault(recording: Recording) -> Iterator[Moment]:
    if recording.fault_began is not None:
        yield Moment(recording.fault_began, "fault made", recording.how, BAD)
    if recording.fault_ended is not None:
        detail = f"stopped: {recording.stopped}" if recording.stopped else "undone, and seen to be gone"
        yield Moment(recording.fault_ended, "fault ended", detail, GOOD)


def _of_circuits(recording: Recording) -> Iterator[Moment]:
    """Tell each time that a circuit left its rest, and came back: not each probe between."""
    for before, after in zip(recording.looks, recording.looks[1:], strict=False):
        for name, circuit in after.circuits.items():
            known = before.circuits.get(name)
            if known is None or known.at_rest is circuit.at_rest:
                continue
            if circuit.at_rest:
                yield Moment(after.at, "circuit at rest", f"{name}: closed, consumers at full speed", GOOD)
            else:
                yield Moment(after.at, "circuit opened", f"{name}: {circuit.state}", BAD)


def _of_incidents(recording: Recording) -> Iterator[Moment]:
    if not recording.looks:
        return
    for incident in recording.looks[-1].picture.incidents:
        opened = recording.since_began(incident.opened_at)
        if opened >= 0:
            yield Moment(opened, "incident opened", f"{incident.id}: {incident.reason}", BAD)
        if incident.closed_at and recording.since_began(incident.closed_at) >= 0:
            closed = recording.since_began(incident.closed_at)
            yield Moment(closed, "incident closed", f"{incident.id}: {incident.status}", GOOD)


def _of_orders(recording: Recording) -> Iterator[Moment]:
    refused = [put for put in recording.puts if not put.accepted]
    if refused:
        first = min(refused, key=lambda put: put.done)
        status = "no answer" if first.status is None else f"HTTP {first.status}"
        yield Moment(first.done, "order refused", f"{status}, the first of {len(refused)}", BAD)
    for before, after in zip(recording.looks, recording.looks[1:], strict=False):
        known = sum(count or 0 for count in before.letters.values())
        if (now := sum(count or 0 for count in after.letters.values())) > known:
            yield Moment(after.at, "first letter", f"{now - known} new", BAD)
            break
    settled = take(recording, "settled_after_seconds")
    if settled.value is not None and not settled.least and recording.fault_ended is not None:
        times = [recording.settled_at(put.key) for put in recording.accepted]
        last = max((each for each in times if each is not None), default=0.0)
        detail = f"{len(times)} accepted orders are fulfilled or dead"
        yield Moment(last, "all settled", detail, GOOD)


def backlog(recording: Recording) -> list[tuple[float, int]]:
    """Return how many accepted orders were neither fulfilled nor dead, second by second."""
    changes = [(put.done, 1) for put in recording.accepted]
    times = (recording.settled_at(put.key) for put in recording.accepted)
    changes += [(at, -1) for at in times if at is not None]
    return [
        (float(second), max(0, sum(change for at, change in changes if at <= second)))
        for second in range(int(recording.ended) + 2)
    ]
