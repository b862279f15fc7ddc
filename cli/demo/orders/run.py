"""Run the demonstration of the orders service. The result is a recording.

Orders come steadily all the time. The downstream goes out, and stays so until the circuit has been open for a
while. Meanwhile a bad version of the publisher is deployed by hand, which the healer has to tell from the
outage. The run ends once the circuit is at rest, the backlog drained, and the bad version rolled back; if
asked for, once evidence has closed the incident.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.console import Output
from selfheal.cli.demo.live import LiveTimeline
from selfheal.cli.demo.orders.bad_version import deploy_bad_version
from selfheal.cli.demo.orders.live_view import live_view
from selfheal.cli.demo.orders.model import TARGET, CircuitChange, MomentKey, OrdersRecording, Outage, order_id
from selfheal.cli.demo.orders.timeline import opened, times
from selfheal.cli.demo.orders.watch import OrdersWatch, placing
from selfheal.cli.demo.run import GIVEN_UP, MAX_FAILED_READS, versions
from selfheal.cli.demo.traffic import Traffic
from selfheal.cli.errors import CliError
from selfheal.cli.operator.orders_view import longest_hidden
from selfheal.cli.sandbox.account import Connection
from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.orders.order import State

if TYPE_CHECKING:
    from selfheal.cli.demo.deploy import Deployment

ALIAS = "live"
"""What the intake's queue feeds."""

ORDERS_PER_SECOND = 4.0
"""Each makes two calls, of the 20 a second that the downstream states: the rest is left to drain what waits.
The circuit's minimum of 20 calls is reached within three seconds."""

FIRST_ORDERS = (1, 4, 12)
"""Placed at once, one group after the other, before traffic begins: they start the workers, and nobody wants
to see how long that takes."""

WORKERS = 8
POLL_SECONDS = 1.0
"""Between two reads. The times shown are those that AWS, ledger and orders carry, not the reads'."""

STEADY_SECONDS = 3.0
"""How long orders come before anything is broken."""

TOO_EARLY = (
    "the healer had an incident before anything was broken: calls take longer than their timeouts. This "
    "machine may be busy with something else"
)

OPEN_SECONDS = 8.0
"""For how long the downstream stays out once the circuit is open: at least one probe fails."""

SETTLE_SECONDS = 30.0
"""How long the orders that were placed last may take, beside the time for which a message is hidden whose
handling was cut off, as happens on a busy machine: an order is lost only after that."""


@dataclass(frozen=True)
class OrdersDemonstration:
    """What to run."""

    stack: str
    token: str
    """Of the caller whose orders are placed."""
    deployment: "Deployment"
    connection: Connection
    limit: float
    """Seconds after deployment within which all of it has to happen."""
    output: Output
    iam_enforced: bool = False
    left_out: tuple[str, ...] = ()
    until_closed: bool = False
    """Whether to wait until evidence closes the incident, which takes minutes longer."""

    def run(self) -> OrdersRecording:
        """Deploy, then record what happens to orders.

        Raises:
            CliError: when the deployment failed.

        """
        start = time.monotonic()
        outputs = self.deployment.first()
        deployed = time.monotonic()
        self.output.say(f"Deployed in {deployed - start:.1f} s. The first orders start it up.", style="bold")
        self._warm(outputs)
        run = _Run(self, outputs, deploy_seconds=deployed - start, deployed=deployed)
        run.traffic.start()
        live = LiveTimeline(self.output, lambda: live_view(*run.snapshot()))
        try:
            with live.shown():
                for name, step in run.steps:
                    if not run.until(step, live):
                        run.stop(f"not within {self.limit:g} s: {name}")
                    if run.recording.stopped_because:
                        break
                run.traffic.stop()
                run.settle(live)
                run.conclude()
                live.update(final=True)
        finally:
            run.traffic.end()
        return run.snapshot()[0]

    def _warm(self, outputs: dict[str, Any]) -> None:
        """Place the first orders, and wait until they are fulfilled.

        Raises:
            CliError: when they are not in time.

        """
        watch = OrdersWatch(self.connection.clients, outputs, datetime.now(UTC))
        place, pool = placing(self.token, "first"), urllib3.PoolManager()
        deadline, placed = time.monotonic() + self.limit, 0
        for number in FIRST_ORDERS:
            for each in range(placed, placed + number):
                place(pool, str(outputs["url"]), each)
            placed += number
            while sum(fate.state is State.FULFILLED for fate in watch.fates()) < placed:
                if watch.incidents():
                    raise CliError(f"{TOO_EARLY[0].upper()}{TOO_EARLY[1:]}.")
                if time.monotonic() > deadline:
                    raise CliError(
                        f"The first {placed} orders were not fulfilled within {self.limit:g} s. Is this "
                        "machine busy with something else?"
                    )
                time.sleep(POLL_SECONDS / 2)


class _Run:
    """What was recorded so far, and the means to record more."""

    def __init__(
        self,
        demo: OrdersDemonstration,
        outputs: dict[str, Any],
        *,
        deploy_seconds: float,
        deployed: float,
    ) -> None:
        self.zero = time.monotonic()
        began = datetime.now(UTC)
        self.watch = OrdersWatch(demo.connection.clients, outputs, began)
        self.traffic = Traffic(
            str(outputs["url"]),
            self.zero,
            rate=ORDERS_PER_SECOND,
            workers=WORKERS,
            send=placing(demo.token),
        )
        self.function = str(outputs["functions"][TARGET])
        self.deadline = self.zero + demo.limit
        self.failed_reads = 0
        self.recording = OrdersRecording(
            stack=demo.stack,
            began=began,
            deployed=round(deployed - self.zero, 3),
            deploy_seconds=round(deploy_seconds, 3),
            iam_enforced=demo.iam_enforced,
            left_out=demo.left_out,
            until_closed=demo.until_closed,
            versions=versions(),
            setting={
                "deployed by": demo.deployment.by,
                "traffic": f"{ORDERS_PER_SECOND:g} orders/s, at most {WORKERS} in flight",
                "time limit": f"{demo.limit:g} s after deployment",
            },
        )

    @property
    def steps(self) -> tuple[tuple[str, Callable[[], bool]], ...]:
        """What happens one after the other: each is tried after each read, until it returns True."""
        return (
            ("the outage began", self._begin_outage),
            ("the circuit opened", self._deploy_bad_version),
            ("the circuit was open for a while", self._end_outage),
            ("the circuit at rest, the backlog drained, the bad version rolled back", self._is_over),
        )

    def until(self, step: Callable[[], bool], live: LiveTimeline) -> bool:
        """Read until a step is done, and return whether it was in time."""
        while time.monotonic() < self.deadline:
            self.read()
            live.update()
            if step():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def stop(self, because: str) -> None:
        """Write down that the run ends early, and mend what was broken."""
        self._record(stopped_because=because)
        outage = self.recording.outage
        if outage is not None and outage.ended is None:
            self._mend(outage)

    def settle(self, live: LiveTimeline) -> None:
        """Wait until every order that was stored is fulfilled or dead, for a while."""
        hidden = longest_hidden(self.watch.clients.get("sqs"), self.watch.outputs)
        end = time.monotonic() + hidden + SETTLE_SECONDS
        while time.monotonic() < end:
            self.read()
            live.update()
            settled = {
                each.id for each in self.recording.fates if each.state in (State.FULFILLED, State.DEAD)
            }
            recording, _ = self.snapshot()
            if all(order_id(sample.number) in settled for sample in recording.stored):
                return
            time.sleep(POLL_SECONDS)

    def conclude(self) -> None:
        """Read what is only read once: the downstream's log, dead letters, and the alias."""
        view, bad = self.watch.view, self.recording.bad
        self._record(
            calls=tuple(view.calls()),
            effects=view.counters().get("effect", 0),
            letters=self.watch.letters(),
            alias_at_end=self.watch.alias(bad.function, bad.alias) if bad else None,
            ended=round(self._seconds(), 3),
        )

    def read(self) -> None:
        """Read alarms, ledger, circuit and orders. MAX_FAILED_READS in a row that fail end the run.

        Raises:
            botocore.exceptions.BotoCoreError: when the endpoint does not answer.
            botocore.exceptions.ClientError: when it refuses.

        """
        try:
            changes, incidents = self.watch.alarm_changes(), self.watch.incidents()
            circuit, fates = self.watch.circuit(), self.watch.fates()
        except (BotoCoreError, ClientError):
            self.failed_reads += 1
            if self.failed_reads >= MAX_FAILED_READS:
                raise
            return
        self.failed_reads = 0
        self._record(
            alarm_changes=changes,
            incidents=incidents,
            fates=fates,
            circuit=_with(self.recording.circuit, circuit),
            ended=round(self._seconds(), 3),
        )

    def snapshot(self) -> tuple[OrdersRecording, float]:
        """Return the recording up to now, and the seconds since traffic began."""
        samples, skipped = self.traffic.samples(), self.traffic.skipped
        return replace(self.recording, samples=samples, skipped=skipped), self._seconds()

    def _begin_outage(self) -> bool:
        if self.recording.incidents:
            self.stop(TOO_EARLY)
            return True
        if self._seconds() < STEADY_SECONDS:
            return False
        self.watch.switch(Setting(mode=Mode.OUTAGE))
        self._record(outage=Outage(round(self._seconds(), 3)))
        return True

    def _deploy_bad_version(self) -> bool:
        if opened(self.recording) is None:
            return False
        bad = deploy_bad_version(self.watch.clients.get("lambda"), self.function, ALIAS)
        self._record(bad=bad, bad_at=round(self._seconds(), 3))
        return True

    def _end_outage(self) -> bool:
        outage, first = self.recording.outage, opened(self.recording)
        if outage is None or first is None or self._seconds() < first.at + OPEN_SECONDS:
            return False
        self._mend(outage)
        return True

    def _mend(self, outage: Outage) -> None:
        self.watch.switch(None)
        self._record(outage=replace(outage, ended=round(self._seconds(), 3)))

    def _is_over(self) -> bool:
        recording, _ = self.snapshot()
        incident, seen = recording.incident, times(recording)
        if incident is not None and incident.status in GIVEN_UP:
            return True
        if recording.until_closed and (incident is None or incident.is_open):
            return False
        return {MomentKey.ACT, MomentKey.AT_REST, MomentKey.DRAINED} <= seen.keys()

    def _record(self, **fields: Any) -> None:
        self.recording = replace(self.recording, **fields)

    def _seconds(self) -> float:
        return time.monotonic() - self.zero


def _with(known: tuple[CircuitChange, ...], seen: CircuitChange) -> tuple[CircuitChange, ...]:
    """Return the changes of the circuit with what was seen now, if that is new."""
    if (
        known
        and (known[-1].state, known[-1].at_rest) == (seen.state, seen.at_rest)
        and seen.at == known[-1].at
    ):
        return known
    return (*known, seen)
