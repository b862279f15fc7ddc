"""One run: the steady state is seen, the fault is made and undone, and what comes of it is recorded.

Nothing is broken before its undoing is recorded, and nothing is left without it: whatever ends the run, the
fault is undone first.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.chaos.faults import Way
from selfheal.cli.chaos.interfaces import Observed, Progress, Sent
from selfheal.cli.chaos.judge import all_decided, not_at_rest, not_steady, stop_reason
from selfheal.cli.chaos.lease import Lease
from selfheal.cli.chaos.record import LEASE_SECONDS, Records, Undo
from selfheal.cli.chaos.recording import Look, OrderKey, Phase, Recording
from selfheal.cli.chaos.signals import Signals
from selfheal.cli.errors import CliError
from selfheal.functions.orders.order import Order, State
from selfheal.sandbox.errors import SandboxError

LOOK_SECONDS = 1.0
"""From one look at the stack to the next, at least."""

FIRST_ORDERS_SECONDS = 200
"""How long the first orders may take until they are fulfilled: functions have to start, and the message of
one that did not in time comes again after three minutes."""

LETTER_SECONDS = 3.0
"""How long it is looked on after all is settled: an order is dead shortly before its letter comes."""

FAULT_MARGIN_SECONDS = 10.0
"""How much later than planned a fault ends by itself: the run ends it, unless it was killed."""

NEEDS_CALLS = {"calls_during_fault", "repeated_effects"}
"""Measures for which the downstream's log is read: while the fault lasts, only if `stop_when` names one."""


def not_ready(stack: Observed, sent: Sent, sleep: Callable[[float], None] = time.sleep) -> str:
    """Send some first orders and follow them. Return why nothing may be broken; empty where all is well."""
    if reason := not_at_rest(stack.picture(), stack.options):
        return reason
    first = sent.first()
    for put in first:
        if not put.accepted:
            answer = "did not answer" if put.status is None else f"answered {put.status} to"
            return f"the API {answer} an order of {put.caller}: is its token one of this stack?"
    left = [put.key for put in first]
    for _ in range(FIRST_ORDERS_SECONDS):
        orders = stack.orders(left)
        left = [key for key in left if key not in orders or orders[key].state is not State.FULFILLED]
        if not left:
            return ""
        sleep(1)
    return f"{len(left)} of {len(first)} orders were not fulfilled within {FIRST_ORDERS_SECONDS} s"


@dataclass
class Run:
    """One run. Its record has been written, and says all that `way` has to undo."""

    recording: Recording
    stack: Observed
    sent: Sent
    way: Way
    lease: Lease
    records: Records
    undo: Callable[[Sequence[Undo]], None]
    """Undoes what was made, and sees that it is gone; raises CliError where it is not."""
    progress: Progress
    signals: Signals = field(default_factory=Signals)
    allow: Callable[[], None] = lambda: None
    """Uses up the approval, if one is needed; raises CliError where there is none any more."""
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    look_seconds: float = LOOK_SECONDS
    is_undone: bool = True
    """Whether nothing that it made may still be there: then its record may go."""
    _first_call: int = 0
    _fulfilled: dict[OrderKey, Order] = field(default_factory=dict[OrderKey, Order])

    def go(self) -> Recording:
        """Run it to its end, and return what was recorded.

        Raises:
            KeyboardInterrupt: after the fault was undone, or `is_undone` says that it could not be.

        """
        try:
            self._before()
            if not self.recording.not_started:
                self._fault()
                self._after()
        finally:
            self.sent.end()
        return self.recording

    def _before(self) -> None:
        scenario = self.recording.scenario
        self.progress.phase(Phase.BEFORE, scenario.before_seconds)
        self._first_call = self.stack.calls_made()
        self._look()
        picture = self.recording.looks[-1].picture
        if reason := self.way.problem() or not_at_rest(picture, self.stack.options):
            self._not_started(reason)
            return
        self.sent.start(self._since())
        end = self._since() + scenario.before_seconds
        while self._since() < end:
            self._wait(end)
            if self.lease.reason:
                self._not_started(self.lease.reason)
                return
        self.recording = self._with_calls()
        if reason := not_steady(self.recording, self.stack.options):
            self._not_started(reason)

    def _not_started(self, reason: str) -> None:
        self.recording = replace(self.recording, not_started=reason, ended=self._since())

    def _fault(self) -> None:
        seconds = self.recording.scenario.fault_seconds
        try:
            # Whoever asked for a stop meanwhile is heard here, and not after the fault was made.
            if not self.records.may_go_on(self.lease.run_id, self.now() + LEASE_SECONDS):
                self.lease.renew()
                self._not_started(self.lease.reason or "it was stopped")
                return
            self.allow()
            with self.signals.held():  # a call that is cut off might be carried out after its undoing
                self.is_undone = False
                self.way.make()
            while not self.way.begun():
                self.sleep(self.look_seconds)
            self.recording = replace(self.recording, fault_began=self._since(), how=self.way.how)
            self.progress.phase(Phase.FAULT, seconds)
            self._hold(self._since() + seconds)
        except (BotoCoreError, ClientError, CliError, SandboxError) as error:
            if self.recording.fault_began is None:
                self._not_started(f"the fault could not be made: {error}")
            else:
                self._stopped(f"the run could not go on: {error}")
        finally:
            with self.signals.held():
                if not self.is_undone:
                    self._undo()
        if self.recording.fault_began is not None and self.is_undone:
            self.recording = replace(self.recording, fault_ended=self._since(), how=self.way.how)

    def _undo(self) -> None:
        try:
            self.undo(self.way.undo)
        except CliError as error:
            self._stopped(str(error))
        else:
            self.is_undone = True

    def _hold(self, end: float) -> None:
        """Let the fault last, until the time is over or something says stop."""
        names = {bound.measure for bound in self.recording.scenario.stop_when}
        while self._since() < end:
            self._wait(end)
            if names & NEEDS_CALLS:
                self.recording = self._with_calls()
            if reason := self.lease.reason or self.way.keep() or stop_reason(self.recording):
                self._stopped(reason)
                return

    def _stopped(self, reason: str) -> None:
        self.recording = replace(self.recording, stopped=reason)
        self.progress.say(f"Ended early: {reason}")

    def _after(self) -> None:
        if self.recording.fault_ended is None:
            return
        seconds = self.recording.scenario.after_seconds
        self.progress.phase(Phase.AFTER, seconds)
        self.sent.stop()
        end, decided = self.recording.fault_ended + seconds, None
        while self._since() < end:
            if self.lease.reason:  # from here on another run may break something
                if not self.recording.stopped:
                    self._stopped(self.lease.reason)
                break
            try:
                self._wait(end)
            except (BotoCoreError, ClientError) as error:
                # Nothing is broken any more: what was seen so far is worth more than an early end.
                self._note(f"the orders could not be read at {self._since():.0f} s: {error}")
                self.sleep(self.look_seconds)
                continue
            if not all_decided(self.recording):
                decided = None
            elif decided is None:
                decided = self._since()
            elif self._since() - decided >= LETTER_SECONDS:
                break
        self.recording = self._with_calls()

    def _wait(self, end: float) -> None:
        """Wait until the next look is due, at most until `end`, and look."""
        due = self.recording.looks[-1].at + self.look_seconds if self.recording.looks else 0.0
        self.sleep(max(0.0, min(due, end) - self._since()))
        self._look()

    def _look(self) -> None:
        """Record how the stack and the orders are now."""
        puts = self.sent.puts()
        undone = [put.key for put in puts if put.accepted and put.key not in self._fulfilled]
        at, picture = self._since(), self.stack.picture()
        orders = self.stack.orders(undone)
        self.recording = replace(
            self.recording,
            puts=puts,
            skipped=self.sent.skipped,
            orders=self._fulfilled | orders,
            looks=(*self.recording.looks, Look(at, picture)),
            ended=self._since(),
        )
        # What is dead may still turn out to be done.
        self._fulfilled |= {key: order for key, order in orders.items() if order.state is State.FULFILLED}
        self.progress.seen(self.recording)

    def _with_calls(self) -> Recording:
        try:
            calls = self.stack.calls_since(self._first_call)
        except (BotoCoreError, ClientError) as error:
            self._note(f"the downstream's log could not be read: {error}")
            calls = None
        return replace(self.recording, calls=calls)

    def _note(self, text: str) -> None:
        self.recording = replace(self.recording, notes=(*self.recording.notes, text))

    def _since(self) -> float:
        return self.recording.since_began(self.now())
