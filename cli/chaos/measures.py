"""Takes the measures of a scenario from a recording. Pure.

A measure that could not be taken has no value and a reason, and is never taken for a good one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from selfheal.cli.chaos.recording import Look, Put, Recording
from selfheal.cli.operator.orders_view import repeated_effects
from selfheal.functions.orders.order import CONSUMERS, State, effect_key
from selfheal.functions.status.picture import CircuitNow

FEWEST_ORDERS = 20
"""Below this a share, or a percentile, of orders says nothing."""


@dataclass(frozen=True)
class Reading:
    """One measure as it was taken."""

    value: float | None
    """None: it could not be taken."""
    note: str = ""
    """Why it could not be taken, or what must be known of the value."""
    least: bool = False
    """Whether the real value is this one or a greater one: what it measures had not ended."""


def take(recording: Recording, measure: str) -> Reading:
    """Return one of `selfheal.scenarios.measures.MEASURES`, of what was recorded so far.

    Raises:
        KeyError: when there is no such measure.

    """
    return _TAKEN[measure](recording)


def _accepted_share(recording: Recording) -> Reading:
    if few := _too_few(recording.puts):
        return few
    return Reading(len(recording.accepted) / len(recording.puts))


def _answer_p95(recording: Recording) -> Reading:
    if few := _too_few(recording.puts):
        return few
    # One without an answer took at least as long as it was waited for.
    times = sorted(put.done - put.sent for put in recording.puts)
    return Reading(round(times[math.ceil(0.95 * len(times)) - 1], 3))


def _too_few(puts: Sequence[Put]) -> Reading | None:
    if len(puts) >= FEWEST_ORDERS:
        return None
    return Reading(None, f"{len(puts)} orders were sent, at least {FEWEST_ORDERS} are needed")


def _fulfilled_share(recording: Recording) -> Reading:
    accepted = recording.accepted
    if not accepted:
        return Reading(None, "no order was accepted")
    return _not_waited_for(recording) or Reading(_in_state(recording, State.FULFILLED) / len(accepted))


def _lost_orders(recording: Recording) -> Reading:
    if not recording.accepted:
        return Reading(None, "no order was accepted")
    return _not_waited_for(recording) or Reading(_unsettled(recording))


def _unsettled(recording: Recording) -> int:
    return sum(recording.settled_at(put.key) is None for put in recording.accepted)


def _not_waited_for(recording: Recording) -> Reading | None:
    """Return that orders were still on their way when it was ended, before their time was over."""
    unsettled, due = _unsettled(recording), recording.scenario.after_seconds
    watched = 0.0 if recording.fault_ended is None else recording.ended - recording.fault_ended
    if not (recording.stopped and unsettled and watched < due):
        return None
    return Reading(None, f"{unsettled} orders were still on their way when it was ended")


def _dead_orders(recording: Recording) -> Reading:
    if not recording.accepted:
        return Reading(None, "no order was accepted")
    return Reading(_in_state(recording, State.DEAD))


def _in_state(recording: Recording, state: State) -> int:
    found = (recording.orders.get(put.key) for put in recording.accepted)
    return sum(order is not None and order.state is state for order in found)


def _new_letters(recording: Recording) -> Reading:
    looks = recording.looks
    if not looks:
        return Reading(None, "the dead letters were never read")
    first, last = looks[0].letters, looks[-1].letters
    if not last:
        return Reading(None, "the stack names no dead letters")
    unknown = [name for name, count in last.items() if count is None or first.get(name) is None]
    if unknown:
        return Reading(None, f"the letters of {', '.join(unknown)} could not be counted")
    grown = [(count or 0) - (first[name] or 0) for name, count in last.items()]
    if min(grown) < 0:
        return Reading(None, "letters were taken away meanwhile: somebody redrove or deleted them")
    return Reading(sum(grown))


def _repeated_effects(recording: Recording) -> Reading:
    if recording.calls is None:
        return Reading(None, "the downstream's log could not be read")
    own = {effect_key(order, consumer) for order in recording.orders.values() for consumer in CONSUMERS}
    return Reading(repeated_effects(call for call in recording.calls if call.key in own))


def _openings(recording: Recording) -> Reading:
    if unread := _no_circuits(recording.looks):
        return unread
    return Reading(
        sum(
            opened_between(before, later.circuits[name])
            for earlier, later in zip(recording.looks, recording.looks[1:], strict=False)
            for name, before in earlier.circuits.items()
            if name in later.circuits
        )
    )


def opened_between(before: CircuitNow, after: CircuitNow) -> int:
    """Return how often a circuit opened between two looks at it.

    It counts its openings itself, from one again when it opens after it was stable.
    """
    if after.openings > before.openings:
        return after.openings - before.openings
    anew = after.openings < before.openings or (before.at_rest and not after.at_rest)
    return after.openings if anew else 0


def _no_circuits(looks: Sequence[Look]) -> Reading | None:
    if not any(look.circuits for look in looks):
        return Reading(None, "no circuit could be read")
    return None


def _calls_during_fault(recording: Recording) -> Reading:
    if recording.calls is None:
        return Reading(None, "the downstream's log could not be read")
    if recording.fault_began is None:
        return Reading(None, "nothing was broken")
    end = recording.ended if recording.fault_ended is None else recording.fault_ended
    times = (recording.since_began(call.at) for call in recording.calls if call.key)
    return Reading(sum(recording.fault_began <= at <= end for at in times))


def _settled_after(recording: Recording) -> Reading:
    if recording.fault_ended is None:
        return Reading(None, "the fault had not ended")
    if not recording.accepted:
        return Reading(None, "no order was accepted")
    times = [recording.settled_at(put.key) for put in recording.accepted]
    unsettled = times.count(None)
    if unsettled:
        watched = max(0.0, recording.ended - recording.fault_ended)
        return Reading(round(watched, 1), f"{unsettled} orders were not settled by then", least=True)
    last = max(each for each in times if each is not None)
    return Reading(round(max(0.0, last - recording.fault_ended), 1))


def _open_incidents(recording: Recording) -> Reading:
    if not recording.looks:
        return Reading(None, "the ledger was never read")
    picture = recording.looks[-1].picture
    if unread := [each for each in picture.problems if "incident" in each or "ledger" in each]:
        return Reading(None, unread[0])
    return Reading(sum(each.open for each in picture.incidents))


def _at_rest(recording: Recording) -> Reading:
    if unread := _no_circuits(recording.looks[-1:]):
        return unread
    return Reading(int(all(each.at_rest for each in recording.looks[-1].circuits.values())))


_TAKEN: Mapping[str, Callable[[Recording], Reading]] = {
    "accepted_share": _accepted_share,
    "answer_p95_seconds": _answer_p95,
    "fulfilled_share": _fulfilled_share,
    "lost_orders": _lost_orders,
    "dead_orders": _dead_orders,
    "new_letters": _new_letters,
    "repeated_effects": _repeated_effects,
    "openings": _openings,
    "calls_during_fault": _calls_during_fault,
    "settled_after_seconds": _settled_after,
    "open_incidents_at_end": _open_incidents,
    "circuit_at_rest_at_end": _at_rest,
}
