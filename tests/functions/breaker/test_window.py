import pytest

from selfheal.functions.shared.breaker.circuit import Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings, parse_settings
from selfheal.functions.shared.breaker.window import Count, bucket_of

NOW = 1_800_000_000.0
SETTINGS = BreakerSettings()


def steady(per_second: float, failing: float, seconds: int = 10) -> dict[int, Count]:
    """A steady rate of calls, of which a share fails."""
    return {
        bucket_of(NOW) - age: Count(round(per_second), round(per_second * failing)) for age in range(seconds)
    }


@pytest.mark.parametrize(
    ("buckets", "opens"),
    [
        pytest.param({}, False, id="no calls"),
        pytest.param(steady(20, 0.6), True, id="60 % failures"),
        pytest.param(steady(20, 0.5), True, id="exactly the rate"),
        pytest.param(steady(20, 0.45), False, id="below the rate"),
        pytest.param({bucket_of(NOW): Count(19, 19)}, False, id="one call below the minimum"),
        pytest.param({bucket_of(NOW): Count(20, 17)}, True, id="the minimum"),
        pytest.param({bucket_of(NOW): Count(20, 16)}, False, id="as one caller in three may by chance"),
        pytest.param(steady(5, 0.6), False, id="30 of 50: may be chance"),
        pytest.param({bucket_of(NOW): Count(50, 32)}, True, id="32 of 50: is none"),
        pytest.param(steady(100, 0) | {bucket_of(NOW): Count(100, 100)}, True, id="an outage of a second"),
        pytest.param(steady(100, 0) | {bucket_of(NOW): Count(100, 49)}, False, id="and not quite"),
        pytest.param({bucket_of(NOW) - 10: Count(100, 100)}, False, id="just out of the window"),
        pytest.param({bucket_of(NOW) - 9: Count(100, 100)}, True, id="the oldest bucket of the window"),
        pytest.param({bucket_of(NOW) + 1: Count(100, 100)}, True, id="a clock ahead by a moment"),
        pytest.param({bucket_of(NOW) + 2: Count(100, 100)}, False, id="a clock that is wrong"),
        # Five failures in a row among many calls: what counts consecutive failures opens here.
        pytest.param({bucket_of(NOW): Count(5, 5), bucket_of(NOW) - 1: Count(95, 0)}, False, id="a burst"),
    ],
)
def test_it_opens_at_a_share_of_failures_among_enough_calls(buckets: dict[int, Count], opens: bool) -> None:
    assert Circuit("payments", buckets=buckets).should_open(NOW, SETTINGS) is opens


def test_a_thousand_calls_a_minute_with_ten_failures_never_open_it_wherever_the_failures_are() -> None:
    # The worst case: all ten in one second, of 16 calls.
    for age in range(60):
        minute = steady(1000 / 60, 0, seconds=60) | {bucket_of(NOW) - age: Count(16, 10)}
        for later in range(-49, 1):
            found = Circuit("payments", buckets=minute)
            assert not found.should_open(NOW + later, SETTINGS)


def test_a_thousand_calls_a_minute_of_which_sixty_percent_fail_open_it() -> None:
    assert Circuit("payments", buckets=steady(1000 / 60, 0.6)).should_open(NOW, SETTINGS)


@pytest.mark.parametrize("state", [State.OPEN, State.HALF_OPEN])
def test_only_a_closed_circuit_opens(state: State) -> None:
    assert not Circuit("payments", state=state, buckets=steady(20, 1)).should_open(NOW, SETTINGS)


def test_one_that_is_forced_closed_does_not_open_until_that_is_over() -> None:
    circuit = Circuit("payments", forced=Forced(State.CLOSED, "ann", "drill", NOW), buckets=steady(20, 1))
    assert not circuit.should_open(NOW - 0.1, SETTINGS)
    assert circuit.should_open(NOW, SETTINGS)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "must be a JSON object"),
        ('{"rate": 1}', "no breaker setting 'rate': known are failure_rate"),
        ('{"failure_rate": 0}', "above 0 and at most 1, got 0"),
        ('{"failure_rate": true}', "failure_rate must be a number"),
        ('{"minimum_calls": 0.5}', "minimum_calls must be a number, whole"),
        ('{"minimum_calls": 0}', "minimum_calls must be from 10 to 10000, got 0"),
        ('{"first_limit": 1}', "first_limit must be from 2 to 1000, got 1"),
        ('{"pause_seconds": 200}', "at least twice pause_seconds"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        parse_settings(text)


def test_settings_that_are_not_named_have_their_defaults() -> None:
    assert parse_settings('{"failure_rate": 1, "successes": 5}') == BreakerSettings(
        failure_rate=1, successes=5
    )
