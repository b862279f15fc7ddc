"""What a run of the orders service claims, judged by what was recorded. Pure.

What was not recorded did not happen: a claim without its measurement fails.
"""

from collections.abc import Iterator

from selfheal.cli.demo.claims import Claim, at_least, at_most, equal
from selfheal.cli.demo.orders.model import PREFIX, TARGET, MomentKey, OrdersRecording, order_id
from selfheal.cli.demo.orders.timeline import calls_between, opened, opening_alarm, times
from selfheal.cli.demo.timeline import evidence_text
from selfheal.cli.operator.orders_view import repeated_effects
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.healer.states import Status
from selfheal.functions.orders.order import CONSUMERS, State

SETTLED = frozenset({State.FULFILLED, State.DEAD})

OPEN_SHARE = 0.1
"""The most calls a second that an open circuit may let through, as a share of those that the orders stored
meanwhile need. One probe in five seconds, of eight calls a second, is far below. Not of the calls before: on
a busy machine consumers made few."""

IN_FLIGHT_SECONDS = 1.0
"""How long after the opening a call may arrive that was under way."""


def claims(recording: OrdersRecording) -> list[Claim]:
    """Return what is claimed, in the order of the report."""
    return [
        *_of_end(recording),
        *_of_orders(recording),
        *_of_effects(recording),
        *_of_breaker(recording),
        *_of_healer(recording),
    ]


def failures(recording: OrdersRecording) -> list[str]:
    """Return why the run does not count, in words; empty when all claims hold."""
    wrong = [claim for claim in claims(recording) if not claim.holds]
    return [f"{each.what}: claimed was {each.allowed}, seen was {each.seen}" for each in wrong]


def _of_end(recording: OrdersRecording) -> Iterator[Claim]:
    if recording.stopped_because:
        yield equal("the run came to its end", "yes", recording.stopped_because)


def _of_orders(recording: OrdersRecording) -> Iterator[Claim]:
    stored = {order_id(sample.number) for sample in recording.stored}
    fates = {fate.id: fate for fate in recording.fates}
    settled = {name for name, fate in fates.items() if fate.state in SETTLED}
    yield at_least("orders that were placed and stored (answered with 202)", 1, len(stored))
    yield equal("orders that the API refused or left unanswered", 0, len(recording.samples) - len(stored))
    yield equal("orders that were lost: stored, and neither fulfilled nor dead", 0, len(stored - settled))
    yield equal("orders given up as dead", 0, sum(fate.state is State.DEAD for fate in fates.values()))
    yield equal("dead letters", 0, sum(recording.letters.values()))


def _of_effects(recording: OrdersRecording) -> Iterator[Claim]:
    fulfilled = sum(fate.state is State.FULFILLED for fate in recording.fates)
    logged = {call.key for call in recording.calls if call.outcome is Outcome.EFFECT}
    done = [key for fate in recording.fates for key in fate.keys]
    started = sum(
        fate.state is State.FULFILLED and not fate.id.startswith(f"{PREFIX}-") for fate in recording.fates
    )
    more = f", and of {started} that started it up" if started else ""
    yield equal(
        f"effects that the downstream counted: one for each consumer of {fulfilled - started} fulfilled "
        f"orders{more}",
        len(CONSUMERS) * fulfilled,
        recording.effects,
    )
    yield equal("effects that happened twice, by the downstream's log", 0, repeated_effects(recording.calls))
    yield equal("work that counts as done without an effect in that log", 0, len({*done} - logged))


def _of_breaker(recording: OrdersRecording) -> Iterator[Claim]:
    at, outage, first = times(recording), recording.outage, opened(recording)
    yield equal("the circuit opened in the outage", "yes", "yes" if first else "no")
    if first and outage and outage.ended is not None:
        yield at_most(
            "calls a second that it let through while open, a tenth of what the orders stored meanwhile need",
            OPEN_SHARE * (needed_calls(recording) or 0.0),
            open_calls(recording) or 0.0,
        )
    yield equal("it is closed at full concurrency again", "yes", "yes" if MomentKey.AT_REST in at else "no")
    yield equal("the backlog is drained", "yes", "yes" if MomentKey.DRAINED in at else "no")


def _of_healer(recording: OrdersRecording) -> Iterator[Claim]:
    incident, bad = recording.incident, recording.bad
    rung, at = opening_alarm(recording), times(recording)
    fresh = rung is not None and recording.bad_at is not None and rung.at >= int(recording.bad_at)
    yield equal(f"an alarm of {TARGET} rang because of the bad version", "yes", "yes" if fresh else "no")
    plan = incident.plan if incident and MomentKey.ACT in at else None
    yield equal(
        "the healer rolled back",
        f"version {bad.version} to {bad.before}" if bad else "a bad version",
        f"version {plan.before} to {plan.after}" if plan else "nothing",
    )
    yield equal(
        "the alias points to",
        f"version {bad.before}" if bad else "the good version",
        f"version {recording.alias_at_end}",
    )
    status = incident.status if incident else "none"
    acts = sum(each.acts for each in recording.incidents)
    yield equal("changes by the healer in all: the outage was none of its", 1, acts)
    if not recording.until_closed:
        # Lambda counts what failed of these last minutes only after them.
        judged = (Status.VERIFYING, Status.RECOVERED)
        allowed = " or ".join(judged)
        yield Claim("its incident waits for evidence, or is closed", allowed, status, status in judged)
        return
    evidence = incident.evidence if incident else None
    healthy = incident is not None and evidence_text(incident) is not None
    verdict = evidence.verdict if evidence and healthy else "none"
    yield equal("its incident is closed", Status.RECOVERED, status)
    yield equal("the evidence since the act", "healthy", verdict)


def usual_calls(recording: OrdersRecording) -> float | None:
    """Return the calls a second before the outage, over at most 10 s; None without them."""
    if recording.outage is None:
        return None
    began = recording.outage.began
    seconds = min(10.0, began)
    return len(calls_between(recording, began - seconds, began)) / seconds if seconds > 0 else None


def open_calls(recording: OrdersRecording) -> float | None:
    """Return the calls a second from just after the opening until the mending; None without either."""
    span = _open_span(recording)
    return span and len(calls_between(recording, *span)) / (span[1] - span[0])


def needed_calls(recording: OrdersRecording) -> float | None:
    """Return the calls a second that the orders of the same time need, one for each consumer."""
    span = _open_span(recording)
    if span is None:
        return None
    stored = sum(span[0] <= sample.done < span[1] for sample in recording.stored)
    return len(CONSUMERS) * stored / (span[1] - span[0])


def _open_span(recording: OrdersRecording) -> tuple[float, float] | None:
    outage, first = recording.outage, opened(recording)
    if outage is None or outage.ended is None or first is None:
        return None
    start = first.at + IN_FLIGHT_SECONDS
    return (start, outage.ended) if outage.ended > start else None
