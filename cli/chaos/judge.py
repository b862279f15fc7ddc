"""Judges a run: may it begin, must the fault be ended, and does the hypothesis hold. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from selfheal.cli.chaos.measures import Reading, take
from selfheal.cli.chaos.recording import Recording
from selfheal.functions.orders.order import State
from selfheal.functions.status.picture import Picture
from selfheal.scenarios.scenario import Bound


class Answer(StrEnum):
    """What became of one bound of the hypothesis."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    """The measure could not be taken, or does not decide."""


class Verdict(StrEnum):
    """What a run showed."""

    HOLDS = "holds"
    """All of the hypothesis."""
    FAILS = "fails"
    """Not all of it."""
    STOPPED = "stopped"
    """The fault was ended early: what holds of a shorter fault says nothing about this one."""
    INCONCLUSIVE = "inconclusive"
    """Nothing of it failed, but a measure could not be taken."""
    NOT_STARTED = "not started"
    """Nothing was broken."""


@dataclass(frozen=True)
class Finding:
    """One bound with what was seen."""

    bound: Bound
    reading: Reading
    answer: Answer


def judge(recording: Recording) -> tuple[Verdict, list[Finding]]:
    """Return the verdict, and the hypothesis line by line."""
    findings = [_finding(recording, bound) for bound in recording.scenario.hypothesis]
    return _verdict(recording, [each.answer for each in findings]), findings


def _verdict(recording: Recording, answers: Sequence[Answer]) -> Verdict:
    if recording.stopped:
        return Verdict.STOPPED
    if recording.fault_began is None:
        return Verdict.NOT_STARTED
    if Answer.FAILS in answers:
        return Verdict.FAILS
    return Verdict.INCONCLUSIVE if Answer.UNKNOWN in answers else Verdict.HOLDS


def _finding(recording: Recording, bound: Bound) -> Finding:
    reading = take(recording, bound.measure)
    return Finding(bound, reading, answer(bound, reading))


def answer(bound: Bound, reading: Reading) -> Answer:
    """Return whether a bound holds for what was read."""
    if reading.value is None:
        return Answer.UNKNOWN
    holds = bound.holds(reading.value)
    # Of a value that may be greater: a floor that holds goes on holding, and a passed ceiling stays passed.
    if reading.least and holds is (bound.at_most is not None):
        return Answer.UNKNOWN
    return Answer.HOLDS if holds else Answer.FAILS


def stop_reason(recording: Recording) -> str:
    """Return why the fault must be ended now: the first bound of `stop_when` that holds; empty for none."""
    for bound in recording.scenario.stop_when:
        found = _finding(recording, bound)
        if found.answer is Answer.HOLDS:
            return f"{bound}: it is {found.reading.value:g}"
    return ""


LATE = {"circuit_at_rest_at_end", "open_incidents_at_end"}
"""Measures that go on changing when all orders are settled."""


def all_decided(recording: Recording) -> bool:
    """Return whether waiting longer can change nothing: all is settled, and what comes late is well."""
    settled = all(recording.settled_at(put.key) is not None for put in recording.accepted)
    late = [bound for bound in recording.scenario.hypothesis if bound.measure in LATE]
    return settled and all(_finding(recording, bound).answer is Answer.HOLDS for bound in late)


STEADY = {
    "accepted_share": "at_least",
    "circuit_at_rest_at_end": "at_least",
    "answer_p95_seconds": "at_most",
    "dead_orders": "at_most",
    "new_letters": "at_most",
    "repeated_effects": "at_most",
    "open_incidents_at_end": "at_most",
}
"""Measures that must already hold before anything is broken, and the side on which a limit means that all is
well. The other side states what the fault must do, as do the other measures."""


def not_at_rest(picture: Picture, options: str = "") -> str:
    """Return why no experiment may begin on a stack as it is; empty where it may.

    Args:
        picture: The stack as it is.
        options: The options with which another command finds it, with a space before them.

    """
    for circuit in picture.circuits:
        if circuit.forced is not None:
            return f"the circuit {circuit.name} is forced {circuit.forced.state} by {circuit.forced.by}"
        if not circuit.at_rest:
            return f"the circuit {circuit.name} is not at rest: it is {circuit.state}"
    if opened := [each for each in picture.incidents if each.open]:
        about = opened[0].id
        look = f"selfheal incidents show {about}{options}"
        return f"the incident {about} is open ({opened[0].status}); see `{look}`"
    if unread := picture.problems:
        return f"the stack cannot be observed: {unread[0]}"
    return ""


def not_steady(recording: Recording, options: str = "") -> str:
    """Return why nothing may be broken after the time before the fault; empty in a steady state.

    Args:
        recording: What was seen so far.
        options: As of `not_at_rest`.

    """
    if reason := not_at_rest(recording.looks[-1].picture, options):
        return reason
    for bound in recording.scenario.hypothesis:
        side = STEADY.get(bound.measure)
        if side is None or getattr(bound, side) is None:
            continue
        found = _finding(recording, bound)
        # Too few orders yet is no reason to break nothing: the verdict will know.
        if found.answer is Answer.FAILS:
            return f"before the fault {bound} does not hold: it is {found.reading.value:g}"
    letters = take(recording, "new_letters")
    if letters.value:
        return f"{letters.value:g} letters came before the fault"
    if not any(order.state is State.FULFILLED for order in recording.orders.values()):
        sent, accepted = len(recording.puts), len(recording.accepted)
        return f"no order was fulfilled before the fault, of {sent} sent and {accepted} accepted"
    return ""
