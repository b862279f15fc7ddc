"""Incidents from breakdown to end, in a loop that answers back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from functions.healer.model import Mode, Status, Verb
from functions.healer.target import Remedy
from tests.support.closed_loop import Loop
from tests.support.healer_world import REMEDY, START, TARGET

OVERRIDE = Remedy("override", "MODE", "safe")


def helped() -> Loop:
    loop = Loop()
    loop.cause = loop.fails_by_variable
    return loop


def helped_by_override() -> Loop:
    loop = Loop(replace(TARGET, remedies=(OVERRIDE,)))
    loop.cause = lambda: loop.live()["override:MODE"] != "safe"
    return loop


def not_helped() -> Loop:
    loop = Loop()
    loop.cause = lambda: True
    return loop


def undone_then_escalated() -> Loop:
    loop = Loop(replace(TARGET, remedies=(replace(REMEDY, revert_safe=True),)))
    loop.cause = lambda: True
    return loop


def expired() -> Loop:
    """Reverted when its time is over, and the cause is gone by then."""
    loop = Loop(replace(TARGET, remedies=(replace(REMEDY, expires_after=120),)))
    loop.cause = lambda: loop.fails_by_variable() and loop.now < START + timedelta(seconds=110)
    return loop


def approved() -> Loop:
    loop = Loop(mode=Mode.SUGGEST)

    def cause() -> bool:
        last = loop.last
        if last is not None and last.status is Status.PROPOSED and last.plan and not last.answered:
            loop.ask(Verb.APPROVE, last.plan.digest("shop"))
        return loop.fails_by_variable()

    loop.cause = cause
    return loop


SCENARIOS: dict[str, Callable[[], Loop]] = {
    each.__name__: each
    for each in (helped, helped_by_override, not_helped, undone_then_escalated, expired, approved)
}
