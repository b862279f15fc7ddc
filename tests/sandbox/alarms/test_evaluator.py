"""The evaluator's thread: in time, stoppable, and alive whatever the endpoint does."""

import itertools
import threading
import time

import pytest

from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.alarms.rounds import ENDPOINT, Round, Rounds
from selfheal.sandbox.clients import Credentials
from tests.support.processes import until

KEY = Credentials("test", "test")
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there


class Recorder(Rounds):
    """Records the times it was run for."""

    def __init__(self) -> None:
        super().__init__(None)
        self.times: list[float] = []
        self.ran = threading.Event()

    def run(self, now: float) -> Round:
        self.times.append(now)
        self.ran.set()
        return Round((), {"x": str(now)})


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()
    monkeypatch.setattr("selfheal.sandbox.alarms.evaluator.Rounds", lambda _: found)
    return found


def test_tick_is_one_round_at_the_given_time(recorder: Recorder) -> None:
    evaluator = AlarmEvaluator(NOWHERE, "us-east-1", KEY, now=lambda: 123.0)
    assert evaluator.tick(77.0).problems == {"x": "77.0"}
    evaluator.tick()
    assert recorder.times == [77.0, 123.0]


def test_the_thread_runs_once_while_time_stands_still(recorder: Recorder) -> None:
    with AlarmEvaluator(NOWHERE, "us-east-1", KEY, now=lambda: 105.0):
        assert recorder.ran.wait(2)
        time.sleep(0.1)
    assert recorder.times == [104.0]
    assert "alarm-evaluator" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.slow
def test_the_thread_runs_once_a_step_until_it_is_stopped(recorder: Recorder) -> None:
    """Time passes by 3 s whenever it is read, which the thread does twice for each second that it waits."""
    times = itertools.count(1000, 3)
    with AlarmEvaluator(NOWHERE, "us-east-1", KEY, now=lambda: float(next(times))):
        until(lambda: len(recorder.times) >= 3)
    ended = len(recorder.times)
    time.sleep(1.2)
    assert [at // 10 for at in recorder.times] == [99 + step for step in range(ended)]


@pytest.mark.slow
def test_an_endpoint_that_does_not_answer_is_a_problem_and_no_crash() -> None:
    problems = AlarmEvaluator(NOWHERE, "us-east-1", KEY).tick(1_800_000_000.0).problems
    assert "127.0.0.1:9" in problems[ENDPOINT]
