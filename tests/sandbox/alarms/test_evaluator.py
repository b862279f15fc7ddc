"""The clock's thread: in time, stoppable, and alive whatever the endpoint does."""

import threading
import time

import pytest

from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.alarms.rounds import ENDPOINT, Round, Rounds
from selfheal.sandbox.clients import Credentials
from selfheal.sandbox.errors import SandboxError

KEY = Credentials("test", "test")
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there


class Recorder(Rounds):
    """Records when it was run, and what for."""

    def __init__(self) -> None:
        super().__init__(None)
        self.times: list[float] = []
        self.walls: list[float] = []
        self.ran = threading.Event()

    def run(self, now: float) -> Round:
        self.times.append(now)
        self.walls.append(time.time())
        self.ran.set()
        return Round((), {"x": str(now)})


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()

    def instead(*_: object, **__: object) -> Recorder:
        return found

    monkeypatch.setattr("selfheal.sandbox.alarms.evaluator.Rounds", instead)
    return found


@pytest.mark.parametrize("speed", [0, -1, 3, 60])
def test_another_speed_is_refused(speed: int) -> None:
    with pytest.raises(SandboxError, match="allowed are 1, 2, 5, 10"):
        AlarmEvaluator(NOWHERE, "us-east-1", KEY, speed=speed)


def test_tick_is_one_round_at_the_given_time(recorder: Recorder) -> None:
    clock = AlarmEvaluator(NOWHERE, "us-east-1", KEY, now=lambda: 123.0)

    assert clock.tick(77.0).problems == {"x": "77.0"}
    clock.tick()

    assert recorder.times == [77.0, 123.0]
    assert clock.latest.problems == {"x": "123.0"}


def test_the_thread_runs_once_while_time_stands_still(recorder: Recorder) -> None:
    with AlarmEvaluator(NOWHERE, "us-east-1", KEY, now=lambda: 105.0, settle=1.0):
        assert recorder.ran.wait(2)
        time.sleep(0.1)

    assert recorder.times == [104.0]


@pytest.mark.slow
def test_the_thread_runs_once_a_step_after_the_metrics_had_time_to_arrive(recorder: Recorder) -> None:
    with AlarmEvaluator(NOWHERE, "us-east-1", KEY, speed=10, settle=0.5):
        time.sleep(3.2)
    ended = time.time()
    time.sleep(1.2)

    steps = [int(at) for at in recorder.times]
    assert len(steps) >= 3
    assert steps == sorted(set(steps))
    assert all(wall - step >= 0.5 for wall, step in zip(recorder.walls, steps, strict=True))
    assert recorder.walls[-1] <= ended  # stopped


def test_it_can_be_started_and_stopped_any_number_of_times(recorder: Recorder) -> None:
    clock = AlarmEvaluator(NOWHERE, "us-east-1", KEY)

    for _ in range(2):
        assert clock.start() is clock.start()
        assert recorder.ran.wait(2)
        recorder.ran.clear()
        clock.stop()
        clock.stop()

    assert len(recorder.times) == 2
    assert "cloudwatch-clock" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.slow
def test_an_endpoint_that_does_not_answer_is_a_problem_and_no_crash() -> None:
    problems = AlarmEvaluator(NOWHERE, "us-east-1", KEY).tick(1_800_000_000.0).problems

    assert "127.0.0.1:9" in problems[ENDPOINT]
