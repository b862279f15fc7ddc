import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any

import pytest

from selfheal.functions.breaker.control import Act, Change, Mapping, MappingState, corrections, next_step
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, Lease, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.window import Count, bucket_of
from tests.functions.breaker.world import CONSUMERS, START, World

S = BreakerSettings()
NOW = START
OPEN = Circuit("payments", state=State.OPEN, version=1, generation=1, episode=1, openings=1, until=NOW + 60)
HALF = replace(OPEN, state=State.HALF_OPEN, generation=2, until=0.0)
SLOW = replace(OPEN, state=State.CLOSED, generation=3, until=0.0, limit=4)
SICK = {bucket_of(NOW): Count(4, 3)}


def mapping(state: str = "Enabled", concurrency: int = 4, name: str = "m") -> Mapping:
    return Mapping(name, MappingState(state), concurrency, 10)


@pytest.mark.parametrize(
    ("circuit", "mappings", "act", "wait"),
    [
        pytest.param(OPEN, [mapping()], Act.CHANGE, 5, id="pause"),
        pytest.param(OPEN, [mapping("Disabled"), mapping("Updating")], Act.WAIT, 5, id="one is starting"),
        pytest.param(OPEN, [mapping("Creating")], Act.WAIT, 5, id="a deployment makes one"),
        pytest.param(OPEN, [mapping("Disabling"), mapping("Disabled")], Act.WAIT, 10, id="pause, look again"),
        pytest.param(replace(OPEN, until=NOW + 3), [mapping("Disabled")], Act.WAIT, 3, id="nearly over"),
        pytest.param(replace(OPEN, until=NOW), [mapping("Disabled")], Act.WRITE, 0, id="over"),
        pytest.param(
            replace(OPEN, until=NOW), [mapping("Disabling")], Act.WRITE, 0, id="over before it stopped"
        ),
        pytest.param(replace(OPEN, until=NOW), [mapping()], Act.CHANGE, 5, id="over, but not paused"),
        pytest.param(OPEN, [], Act.WAIT, 10, id="no mapping at all"),
        pytest.param(HALF, [mapping("Disabled")], Act.PROBE, 1, id="probe"),
        pytest.param(HALF, [mapping()], Act.CHANGE, 5, id="half-open, switched on by a deployment"),
        pytest.param(replace(HALF, lease=Lease("a", NOW + 3)), [], Act.WAIT, 3, id="a probe is under way"),
        pytest.param(replace(HALF, lease=Lease("a", NOW)), [], Act.EXPIRE, 0, id="a probe that hangs"),
        pytest.param(SLOW, [mapping("Disabled")], Act.CHANGE, 5, id="resume"),
        pytest.param(SLOW, [mapping("Enabling"), mapping()], Act.WAIT, 5, id="resuming"),
        pytest.param(SLOW, [mapping(concurrency=10)], Act.CHANGE, 5, id="more than the step allows"),
        pytest.param(SLOW, [mapping()], Act.WRITE, 5, id="settled"),
        pytest.param(replace(SLOW, settled_at=NOW - 4), [mapping()], Act.WAIT, 6, id="not judged"),
        pytest.param(replace(SLOW, settled_at=NOW - 10), [mapping()], Act.WRITE, 0, id="healthy"),
        pytest.param(
            replace(SLOW, settled_at=NOW - 29, buckets=SICK), [mapping()], Act.WAIT, 1, id="not yet"
        ),
        pytest.param(replace(SLOW, settled_at=NOW - 30, buckets=SICK), [mapping()], Act.WRITE, 0, id="never"),
        pytest.param(replace(SLOW, limit=None), [mapping()], Act.DONE, 0, id="at rest"),
        pytest.param(replace(OPEN, episode=2), [mapping()], Act.DONE, 0, id="another episode"),
    ],
)
def test_the_next_step(circuit: Circuit, mappings: list[Mapping], act: Act, wait: float) -> None:
    step = next_step(circuit, mappings, NOW, 0.5, S, episode=1)
    assert (step.act, step.wait) == (act, wait), step.reason


def test_a_step_that_never_became_healthy_opens_the_circuit_with_a_longer_pause() -> None:
    sick = replace(SLOW, settled_at=NOW - 30, buckets=SICK)
    after = next_step(sick, [mapping()], NOW, 0.5, S, episode=1).circuit
    assert after is not None
    assert (after.state, after.openings, after.episode) == (State.OPEN, 2, 1)
    forced = replace(sick, forced=Forced(State.CLOSED, "ann", "drill", NOW + 60))
    after = next_step(forced, [mapping()], NOW, 0.5, S, episode=1).circuit
    assert after is not None
    assert (after.state, after.limit) == (State.CLOSED, 8), "forced closed, steps follow from time alone"


def test_a_step_gives_no_mapping_more_than_is_configured_for_it() -> None:
    few = Mapping("few", MappingState.DISABLED, 2, 3)
    step = next_step(SLOW, [few, mapping("Disabled", 2)], NOW, 0.5, S, episode=1)
    assert step.changes == (
        Change("few", enabled=True, concurrency=3),
        Change("m", enabled=True, concurrency=4),
    )


@pytest.mark.parametrize("delay", [0, 120])
def test_an_outage_from_the_first_failure_to_rest(delay: float) -> None:
    world = World(delay=delay)
    world.up = False
    world.open()
    assert world.circuit.state is State.OPEN
    world.control(seconds=400)
    assert [state for state, _ in world.mappings.states] == ["Disabled", "Disabled"]
    assert world.circuit.openings > 3
    world.up = True
    world.control()
    assert world.circuit.at_rest
    assert world.mappings.states == [("Enabled", 10), ("Enabled", 5)]
    steps = [
        each["ScalingConfig"]["MaximumConcurrency"] for each in world.mappings.updates if each["Enabled"]
    ]
    assert steps == [2, 2, 4, 4, 8, 5, 10]


def test_a_mapping_that_a_deployment_replaced_or_switched_on_is_paused_again() -> None:
    world = World()
    world.up = False
    world.open()
    world.control(seconds=30)
    world.mappings.replace(CONSUMERS[0])
    assert world.mappings.states[0] == ("Enabled", 10)
    world.control(seconds=15)
    assert world.mappings.states[0][0] == "Disabled"


def test_a_busy_mapping_does_not_keep_the_next_one_running() -> None:
    world = World(delay=120)
    world.up = False
    world.open()
    # Another writer: the first is updating when the pause comes, although it was enabled when it was read.
    first = world.mappings.of["fulfil"]
    update = world.mappings.update_event_source_mapping

    def busy(**arguments: Any) -> None:
        if arguments["UUID"] == first.uuid and first.state == "Enabled":
            first.state, first.becomes, first.settles_at = "Updating", "Enabled", world.clock.now + 8
        update(**arguments)

    world.mappings.update_event_source_mapping = busy
    world.controller().run(1)
    assert [state for state, _ in world.mappings.states] == ["Updating", "Disabling"]
    world.mappings.update_event_source_mapping = update
    world.control(seconds=20)
    assert world.mappings.states[0][0] == "Disabling"


def test_failures_in_the_slow_start_open_it_again_and_the_pause_has_grown() -> None:
    world = World()
    world.open()
    while world.circuit.limit is None:
        world.clock.now += world.controller().run(1)["wait"]
    before = world.circuit
    breaker = world.breaker()
    for _ in range(20):
        world.call(breaker, fails=True)
    world.clock.now += 1
    breaker.flush()
    after = world.circuit
    assert (after.state, after.openings, after.episode) == (State.OPEN, before.openings + 1, 1)
    world.control(seconds=6)
    assert [state for state, _ in world.mappings.states] == ["Disabled", "Disabled"]


def test_forced_open_without_traffic_it_pauses_and_waits_until_the_end() -> None:
    world = World()
    circuit = world.circuit
    forced = Forced(State.OPEN, "ann", "the bank is moving", world.clock.now + 600)
    assert world.store().replace(circuit, circuit.force(forced, world.clock.now, S))[0]
    world.control(seconds=590)
    assert (world.circuit.state, world.probes) == (State.OPEN, 0)
    assert world.mappings.states[0][0] == "Disabled"
    world.control()
    assert world.circuit.at_rest
    assert world.probes == S.successes


def test_fifty_controllers_at_once_make_one_probe_at_a_time() -> None:
    world = World()
    world.open()
    probing: list[str] = []

    def probe(lease: str) -> Any:
        probing.append(lease)
        assert len(probing) == 1
        for other in others:
            other.run(1)  # each of them while this one probes
        probing.remove(lease)
        return world.health(lease)

    others = [world.controller() for _ in range(49)]
    world.probing = probe
    world.control()
    assert world.circuit.at_rest
    assert world.probes == S.successes


def test_a_controller_that_loses_the_race_for_the_lease_does_not_probe() -> None:
    world = state_before(Act.PROBE)
    quicker = world.controller()

    def overtaken() -> str:
        """Between its read and its write, another one takes the lease, and probes."""
        quicker.run(1)
        return "late"

    before = world.probes
    replace(world.controller(), new_id=overtaken).run(1)
    assert world.probes - before == 1
    assert world.circuit.successes == 1


class CrashError(BaseException):
    """The environment is killed: no `except Exception` of the product sees it."""


def crash_at(number: int, run: Callable[[], Any]) -> bool:
    """Run, but die at the n-th line of the breaker's code; return whether that line was reached."""
    lines = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        path = frame.f_code.co_filename
        if (
            "/functions/breaker/" not in path and "/functions/shared/breaker/" not in path
        ) or "/tests/" in path:
            return None
        if event == "line":
            lines += 1
            if lines == number:
                sys.settrace(None)
                raise CrashError
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except CrashError:
        return True
    finally:
        sys.settrace(previous)
    return False


def state_before(act: Act) -> World:
    """A world in which the controller's next step is this one, having run from the opening."""
    world = World()
    world.open()
    for _ in range(100):
        controller = world.controller()
        circuit = world.circuit
        mappings = [
            Mapping(each.uuid, MappingState(each.state), each.concurrency, consumer.maximum_concurrency)
            for each, consumer in zip(world.mappings.of.values(), CONSUMERS, strict=True)
        ]
        if next_step(circuit, mappings, world.clock.now, 0.5, S, episode=1).act is act:
            return world
        world.clock.now += controller.run(1)["wait"]
    raise AssertionError(act)


@pytest.mark.slow
@pytest.mark.parametrize("act", [Act.CHANGE, Act.WRITE, Act.PROBE, Act.WAIT])
def test_a_run_that_dies_at_any_line_is_resumed_by_the_next(act: Act) -> None:
    lines = 0
    while True:
        world = state_before(act)
        if not crash_at(lines + 1, partial(world.controller().run, 1)):
            break
        lines += 1
        before = world.probes
        world.control()
        assert world.circuit.at_rest, f"died at line {lines}"
        assert world.mappings.states == [("Enabled", 10), ("Enabled", 5)]
        # A probe of which the outcome was lost counts as failed: once more three in a row.
        assert world.probes - before <= 2 * S.successes
    assert lines > 15


def test_each_step_is_logged_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.open()
    capsys.readouterr()
    world.controller().run(1)
    line = json.loads(capsys.readouterr().out)
    assert line["message"] == "breaker step"
    assert (line["circuit"], line["state"], line["act"]) == ("payments", "open", "change mappings")
    assert line["reason"] == "the circuit is not closed: pause"


REST = replace(SLOW, limit=None)


@pytest.mark.parametrize("state", ["Enabled", "Disabled"])
def test_at_rest_each_mapping_gets_the_concurrency_that_is_configured_and_stays_as_it_is(state: str) -> None:
    """A deployment lowered one, raised another and left the third; a person may have paused them."""
    lowered, raised, same = (
        Mapping("a", MappingState(state), 10, 4),
        mapping(state, 4, "b"),
        mapping(state, 10),
    )
    unset = Mapping("d", MappingState(state), None, 4)
    assert corrections(REST, [lowered, raised, same, unset]) == (
        Change("a", None, 4),
        Change("b", None, 10),
        Change("d", None, 4),
    )


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Disabling", "Updating", "Deleting"])
def test_at_rest_a_mapping_that_is_changing_is_looked_at_again_later(state: str) -> None:
    assert corrections(REST, [mapping(state, 4)]) == ()


@pytest.mark.parametrize("circuit", [OPEN, HALF, SLOW])
def test_a_circuit_that_is_not_at_rest_has_its_controller_for_that(circuit: Circuit) -> None:
    assert corrections(circuit, [mapping(concurrency=4)]) == ()
