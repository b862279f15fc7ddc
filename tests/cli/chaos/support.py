"""Recordings as a run makes them, a stack that is not there, and a way to break nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from selfheal.cli.chaos.record import Undo
from selfheal.cli.chaos.recording import Look, OrderKey, Phase, Put, Recording
from selfheal.cli.errors import CliError
from selfheal.cli.operator.orders_view import Call
from selfheal.functions.healer.clock import iso
from selfheal.functions.orders.order import CONSUMERS, Order, Work
from selfheal.functions.status.picture import CircuitNow, IncidentNow, LettersNow, Picture
from selfheal.scenarios.faults import DownstreamFault
from selfheal.scenarios.scenario import Bound, Scenario, Traffic

BEGAN = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EPOCH = BEGAN.timestamp()
CIRCUIT = CircuitNow(
    "orders-downstream",
    "closed",
    at_rest=True,
    since=None,
    next_probe_at=None,
    forced=None,
    openings=0,
    calls=0,
    failures=0,
)
OPEN = replace(CIRCUIT, state="open", at_rest=False, openings=1)
RUNNER = "arn:aws:iam::123456789012:user/ann"

SCENARIO = Scenario(
    name="small",
    title="A small outage",
    story="The downstream is out.",
    fault=DownstreamFault("outage"),
    traffic=Traffic(per_second=5, callers=2),
    before_seconds=10,
    fault_seconds=20,
    after_seconds=30,
    hypothesis=(Bound("accepted_share", at_least=1, why="stored first"),),
)


def scenario(*hypothesis: Bound, **changes: Any) -> Scenario:
    return replace(SCENARIO, **({"hypothesis": hypothesis} if hypothesis else {}), **changes)


def put(number: int, sent: float, status: int | None = 202, took: float = 0.1) -> Put:
    return Put("ann", f"o-{number}", sent, sent + took, status)


def order(number: int, *, done: float | None = None, dead: float | None = None) -> Order:
    """An order; times are in seconds since the run began."""
    work = Work(
        attempts=1,
        done_at=None if done is None else EPOCH + done,
        dead_at=None if dead is None else EPOCH + dead,
        reason="" if dead is None else "rejected",
    )
    return Order("ann", f"o-{number}", "{}", EPOCH, EPOCH, work=dict.fromkeys(CONSUMERS, work))


def by_key(*orders: Order) -> dict[OrderKey, Order]:
    return {(each.caller, each.id): each for each in orders}


def picture(
    *circuits: CircuitNow,
    letters: int | None = 0,
    incidents: tuple[IncidentNow, ...] = (),
    problems: tuple[str, ...] = (),
) -> Picture:
    return Picture(
        at=iso(BEGAN),
        circuits=circuits or (CIRCUIT,),
        dead_letters=(LettersNow("billing", letters),),
        incidents=incidents,
        problems=problems,
    )


def incident(*, is_open: bool = True) -> IncidentNow:
    closed = None if is_open else iso(BEGAN)
    status = "OPEN" if is_open else "RECOVERED"
    return IncidentNow(
        "billing-1",
        "billing",
        status,
        "mode forbids",
        "The mode does not let the healer act.",
        is_open,
        iso(BEGAN),
        closed,
        None,
        drift=False,
        steps=0,
        history=(),
    )


def look(at: float, *circuits: CircuitNow, **parts: Any) -> Look:
    return Look(at, picture(*circuits, **parts))


def recording(**changes: Any) -> Recording:
    """Thirty orders in ten seconds, all fulfilled at once; the fault lasts from 10 to 30 s."""
    puts = tuple(put(number, number / 3) for number in range(30))
    made = Recording(
        scenario=SCENARIO,
        stack="orders",
        by=RUNNER,
        began=BEGAN,
        how="by nothing",
        puts=puts,
        orders=by_key(*(order(number, done=number / 3 + 1) for number in range(30))),
        calls=(),
        looks=(look(0), look(40)),
        fault_began=10.0,
        fault_ended=30.0,
        ended=40.0,
    )
    return replace(made, **changes)


@dataclass
class FakeClock:
    """Time that passes only by sleeping."""

    now: float = EPOCH
    wakes: list[tuple[float, Any]] = field(default_factory=list[tuple[float, Any]])
    """What happens at which second of the run."""

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for due in [each for each in self.wakes if EPOCH + each[0] <= self.now]:
            self.wakes.remove(due)
            due[1]()


@dataclass
class FakeStack:
    """A stack whose orders are fulfilled after a second, unless its circuit is open or it is stuck."""

    clock: FakeClock
    circuit: CircuitNow = CIRCUIT
    letters: int = 0
    problems: tuple[str, ...] = ()
    stuck: bool = False
    call_log: tuple[Call, ...] | None = ()
    options: str = ""

    def picture(self) -> Picture:
        return picture(self.circuit, letters=self.letters, problems=self.problems)

    def orders(self, keys: Sequence[OrderKey]) -> dict[OrderKey, Order]:
        done = self.clock.now - EPOCH
        return {
            key: replace(order(0, done=None if self.stuck else done), caller=key[0], id=key[1])
            for key in keys
        }

    def calls_made(self) -> int:
        return 0

    def calls_since(self, number: int) -> tuple[Call, ...] | None:
        assert number == self.calls_made()
        return self.call_log


@dataclass
class FakeSent:
    """Three orders a second from its start to its end."""

    clock: FakeClock
    status: int | None = 202
    started: float | None = None
    stopped: float | None = None
    skipped: int = 0

    def first(self) -> tuple[Put, ...]:
        return (put(1000, 0, self.status),)

    def start(self, since: float) -> None:
        self.started = since

    def stop(self) -> None:
        self.stopped = self.stopped or self.clock.now - EPOCH

    def end(self) -> None:
        self.stop()

    def puts(self) -> tuple[Put, ...]:
        if self.started is None:
            return ()
        end = self.clock.now - EPOCH if self.stopped is None else self.stopped
        return tuple(
            put(number, self.started + number / 3, self.status)
            for number in range(int((end - self.started) * 3))
        )


@dataclass
class FakeWay:
    """Breaks nothing, and remembers when it would have."""

    clock: FakeClock
    refused: str = ""
    fails: bool = False
    ends: str = ""
    made_at: float | None = None
    undone_at: list[float] = field(default_factory=list[float])
    how: str = "by nothing"

    @property
    def undo(self) -> tuple[Undo, ...]:
        return (Undo("nothing", {"at": "all"}),)

    def problem(self) -> str:
        return self.refused

    def make(self) -> None:
        self.made_at = self.clock.now - EPOCH
        if self.fails:
            raise CliError("it cannot be made")

    def begun(self) -> bool:
        return True

    def keep(self) -> str:
        return self.ends

    def undone(self, undo: Sequence[Undo]) -> None:
        assert tuple(undo) == self.undo
        self.undone_at.append(self.clock.now - EPOCH)


class Silent:
    """Shows nothing, and remembers the phases and what was said."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.said: list[str] = []

    def phase(self, phase: Phase, seconds: float) -> None:
        assert seconds > 0
        self.phases.append(phase)

    def seen(self, recording: Recording) -> None:
        assert recording.looks

    def say(self, text: str) -> None:
        self.said.append(text)
