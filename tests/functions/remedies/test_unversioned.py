"""The kinds for which AWS has no revision: a read immediately before the write, a comparison after."""

from collections.abc import Callable
from functools import partial

import pytest

from selfheal.functions.healer import remedies
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.target import Setting
from tests.functions.support.remedy_fakes import MAPPING, RemedyLambda, aws_for, target_with

TARGET = target_with("limit_concurrency", "pause_consumer")
LIMIT, PAUSE = (remedy.setting for remedy in TARGET.remedies)
WRITES = (
    "lambda:PutFunctionConcurrency",
    "lambda:DeleteFunctionConcurrency",
    "lambda:UpdateEventSourceMapping",
)
SETTERS: dict[Setting, Callable[[RemedyLambda], None]] = {
    LIMIT: lambda function: setattr(function, "reserved", 7),
    PAUSE: lambda function: setattr(function, "mapping", "Disabled"),
}
OPPOSITE: dict[Setting, Callable[[RemedyLambda], None]] = {
    LIMIT: lambda function: setattr(function, "reserved", 9),
    PAUSE: lambda function: setattr(function, "mapping", "Enabling"),
}


def read(function: RemedyLambda, setting: Setting) -> Live:
    return remedies.read(aws_for(function), TARGET, setting)


def write(function: RemedyLambda, setting: Setting, live: Live, value: str | None) -> str | None:
    return remedies.write(aws_for(function), TARGET, setting, live, value)


def wrote(function: RemedyLambda) -> int:
    return sum(function.actions[action] for action in WRITES)


@pytest.mark.parametrize(("reserved", "value"), [(None, None), (0, "0"), (25, "25")])
def test_a_limit_is_set_recognised_and_reverted(reserved: int | None, value: str | None) -> None:
    function = RemedyLambda(reserved=reserved)
    live = read(function, LIMIT)
    assert (live.value, live.token) == (value, "")
    assert write(function, LIMIT, live, "5") is None
    applied = read(function, LIMIT)
    assert applied.value == "5"
    assert applied.configuration == live.configuration
    assert write(function, LIMIT, applied, live.value) is None
    assert function.reserved == reserved


def test_a_mapping_is_paused_recognised_and_resumed() -> None:
    function = RemedyLambda()
    live = read(function, PAUSE)
    assert (live.value, live.settled) == ("Enabled", True)
    assert write(function, PAUSE, live, "Disabled") is None
    on_its_way = read(function, PAUSE)
    assert (on_its_way.value, on_its_way.settled) == ("Disabled", False)
    assert on_its_way.configuration == live.configuration
    function.mapping = "Disabled"
    paused = read(function, PAUSE)
    assert (paused.value, paused.settled) == ("Disabled", True)
    assert write(function, PAUSE, paused, "Enabled") is None
    assert function.mapping == "Enabling"


@pytest.mark.parametrize(
    ("state", "value"),
    [
        ("Creating", "Enabled"),
        ("Enabling", "Enabled"),
        ("Updating", "Enabled"),
        ("Disabling", "Disabled"),
        ("Deleting", "Disabled"),
    ],
)
def test_a_mapping_on_its_way_is_not_settled_and_not_written(state: str, value: str) -> None:
    function = RemedyLambda(mapping=state)
    live = read(function, PAUSE)
    assert (live.value, live.settled) == (value, False)
    assert write(function, PAUSE, live, "Disabled") == "ChangedMeanwhile"
    assert wrote(function) == 0


def test_an_unknown_state_of_a_mapping_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="unknown state 'Resting'"):
        read(RemedyLambda(mapping="Resting"), PAUSE)


@pytest.mark.parametrize(("setting", "value"), [(LIMIT, "0"), (LIMIT, None), (PAUSE, "Disabled")])
def test_a_change_before_the_write_is_seen_and_nothing_is_written(
    setting: Setting, value: str | None
) -> None:
    function = RemedyLambda(reserved=3)
    live = read(function, setting)
    SETTERS[setting](function)
    assert write(function, setting, live, value) == "ChangedMeanwhile"
    assert wrote(function) == 0


@pytest.mark.parametrize(("setting", "value"), [(LIMIT, "0"), (PAUSE, "Disabled")])
def test_a_change_after_the_write_is_seen(setting: Setting, value: str) -> None:
    function = RemedyLambda()
    live = read(function, setting)
    function.after = partial(OPPOSITE[setting], function)
    assert write(function, setting, live, value) == "ChangedMeanwhile"
    assert wrote(function) == 1


@pytest.mark.parametrize(("setting", "value"), [(LIMIT, "0"), (LIMIT, None), (PAUSE, "Disabled")])
def test_what_is_gone_is_not_written(setting: Setting, value: str | None) -> None:
    function = RemedyLambda()
    live = read(function, setting)
    function.exists = False
    assert not read(function, setting).exists
    assert write(function, setting, live, value) == "ResourceNotFoundException"
    assert wrote(function) == 0


def test_a_mapping_that_is_gone_or_feeds_another_function_does_not_exist() -> None:
    assert not read(RemedyLambda(mapping=None), PAUSE).exists
    moved = RemedyLambda(fed="arn:aws:lambda:us-east-1:000000000000:function:shop-fn-2")
    assert not read(moved, PAUSE).exists
    same = RemedyLambda(fed="arn:aws:lambda:us-east-1:000000000000:function:shop-fn")
    assert read(same, PAUSE).exists
    assert not read(same, Setting("pause_consumer", MAPPING[::-1])).exists


@pytest.mark.parametrize(
    ("setting", "value"), [(LIMIT, "-1"), (LIMIT, "many"), (PAUSE, "Off"), (PAUSE, None)]
)
def test_a_value_that_the_kind_does_not_know_is_refused(setting: Setting, value: str | None) -> None:
    function = RemedyLambda()
    with pytest.raises(ValueError, match=r"whole number|Enabled or Disabled"):
        write(function, setting, read(function, setting), value)
    assert wrote(function) == 0


def test_a_mapping_that_a_circuit_breaker_owns_is_not_paused() -> None:
    """It is known by the function's environment; one that cannot be read may name a circuit."""
    for variables, readable, why in (
        ({"CIRCUIT": "payments", "BREAKER_TABLE": "circuits"}, True, Reason.BREAKER_OWNS),
        ({"BREAKER_TABLE": "circuits"}, True, Reason.BREAKER_OWNS),
        ({}, False, Reason.CONFIGURATION_UNREADABLE),
    ):
        function = RemedyLambda(readable=readable)
        function.change(**variables)
        live = read(function, PAUSE)
        assert (live.value, live.obstacle) == ("Enabled", why)
        assert write(function, PAUSE, live, "Disabled") == why
        assert wrote(function) == 0
        function.mapping = "Disabled"
        assert write(function, PAUSE, read(function, PAUSE), "Enabled") is None, "what stands is reverted"
    assert read(RemedyLambda(), PAUSE).obstacle is None
