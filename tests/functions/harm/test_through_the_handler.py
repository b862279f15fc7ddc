"""Two targets under one healer, as Lambda calls it: stopped anywhere, failed anywhere, both are healed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.states import Status
from selfheal.functions.shared.contract import Limits
from tests.functions.support.faults import DiedError, Do, Fault, die_after, die_before, fail_before
from tests.functions.support.loop import Loop
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.world import FAST_TARGET

pytestmark = pytest.mark.slow

NAMES = ("cart", "shop")
TICKS = 40


class Switchboard:
    """One client for several loops: a call goes to the loop whose target it names, else to the first."""

    def __init__(self, part: str, loops: list[Loop]) -> None:
        self._part, self._loops = part, loops

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **arguments: getattr(self._client(arguments), name)(**arguments)

    def get_paginator(self, name: str) -> Any:
        def paginate(**arguments: Any) -> Any:
            return self._client(arguments).get_paginator(name).paginate(**arguments)

        return SimpleNamespace(paginate=paginate)

    def _client(self, arguments: dict[str, Any]) -> Any:
        text = str(arguments)
        loop = next((each for each in self._loops if each.target.name in text), self._loops[0])
        return getattr(loop.aws, self._part)


class Healer:
    """The handler's module, over loops that share a clock and a ledger."""

    def __init__(self, module: ModuleType, patch: pytest.MonkeyPatch) -> None:
        table, self.module = MemoryTable(), module
        self.loops = [looping(name, table) for name in NAMES]
        self.calls_of_a_run: list[int] = []
        board: dict[str, Any] = {
            part: Switchboard(part, self.loops)
            for part in ("cloudwatch", "lambda_", "sns", "dynamodb", "prober")
        }
        ledger = Ledger(board["dynamodb"], "ledger")
        table.clock = self.loops[0].clock
        patch.setattr(module, "AWS", Aws(ledger=ledger, escalation_topic="people", table="ledger", **board))
        patch.setattr(module, "TARGETS", tuple(loop.target for loop in self.loops))
        patch.setattr(module, "LIMITS", Limits(blast_radius=1.0))

    def run(self, number: int = -1, fault: Fault | None = None) -> list[BaseException]:
        """Wake it every ten seconds until all is over; return how the runs that did not succeed have ended.

        Args:
            number: The call of the healer's that goes wrong.
            fault: How it does.

        """
        calls, ended = list[int](), list[BaseException]()

        def tapped(_number: int, do: Do) -> Any:
            calls.append(1)
            return fault(do) if len(calls) == number + 1 and fault else do()

        for loop in self.loops:
            loop.tap.fault = tapped
        for _ in range(TICKS):
            for loop in self.loops:
                loop.elapse()
            try:
                self.module.handle({"wake": "schedule"}, None)
            except (self.module.RunFailedError, ClientError, DiedError) as error:
                ended.append(error)
            self.calls_of_a_run.append(len(calls) - sum(self.calls_of_a_run))
            if all(loop.has_ended for loop in self.loops):
                break
        return ended


def looping(name: str, table: MemoryTable) -> Loop:
    alarms = tuple(replace(rule, name=f"{name}-{rule.name}") for rule in FAST_TARGET.alarms)
    loop = Loop(replace(FAST_TARGET, name=name, function=f"{name}-fn", alarms=alarms), table=table)
    loop.cause = loop.fails_by_variable
    return loop


class Standing(datetime):
    """This machine's clock, stopped: milliseconds of a run would else decide whether a window is over."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Standing":
        return cls(2026, 11, 26, tzinfo=tz)


@pytest.fixture
def start(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Healer]:
    for module_name in ("clock", "ledger"):
        monkeypatch.setattr(f"selfheal.functions.healer.{module_name}.datetime", Standing)
    return lambda: Healer(handler, monkeypatch)


def check_healed(healer: Healer) -> None:
    for loop in healer.loops:
        assert [act.was for act in loop.acts] == ["0.3"], "one act"
        assert (loop.incident.status, loop.incident.acts) == (Status.RECOVERED, 1)
        assert 1 <= len(loop.sns.sent) <= 2
    fleet = healer.loops[0].book.read_fleet()
    assert (len(fleet.acts), fleet.acting, fleet.blocking) == (len(NAMES), frozenset(), frozenset())


@pytest.mark.parametrize("fault", [die_before, die_after, fail_before])
def test_stopped_or_failed_at_any_call_of_the_first_or_last_run_it_heals_both_with_one_act_each(
    start: Callable[[], Healer], fault: Fault
) -> None:
    usual = start()
    assert usual.run() == []
    check_healed(usual)
    assert usual.calls_of_a_run[0] >= 18
    begins = sum(usual.calls_of_a_run[:-1])
    for number in (*range(usual.calls_of_a_run[0]), *range(begins, begins + usual.calls_of_a_run[-1])):
        healer = start()
        ended = healer.run(number, fault)
        # The second call reads all alarms at once. If it fails, each target reads its own.
        spare = fault is fail_before and number in (1, begins + 1)
        assert len(ended) == (0 if spare else 1), f"{fault.__name__} at call {number}: silence"
        check_healed(healer)


@pytest.mark.parametrize("failing", NAMES)
def test_a_target_that_fails_for_ever_does_not_keep_the_other_from_being_healed(
    start: Callable[[], Healer], failing: str
) -> None:
    healer = start()
    (broken,) = (loop for loop in healer.loops if loop.target.name == failing)
    (other,) = (loop for loop in healer.loops if loop is not broken)
    broken.function.refuse["get_function_configuration"] = "AccessDeniedException"
    ended = healer.run()
    assert [str(each) for each in ended] == [
        f"1 of 2 targets failed: {failing}: ClientError AccessDeniedException Operation"
    ] * TICKS
    assert (broken.acts, broken.last) == ([], None)
    assert len(other.acts) == 1
    assert other.incident.status is Status.RECOVERED
