import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from selfheal.functions.shared.configuration_cache import (
    LOAD_ATTEMPTS,
    PAUSE_SECONDS,
    ConfigurationCache,
    ConfigurationError,
    Surroundings,
    connect,
)


def throttled(operation: str = "GetParameters") -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "key alias/secret"}}, operation)


class Stores:
    """Parameters and secrets, which may fail, and the machine around the cache."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.roll = 0.5
        self.slept: list[float] = []
        self.values = {"/rate": "10", "/level": "info"}
        self.secret = "s1"
        self.failure: Exception | None = None
        self.asked: list[float] = []
        self.while_reading: Callable[[], None] = lambda: None

    def get_parameters(self, Names: list[str], WithDecryption: bool) -> Any:
        assert WithDecryption
        assert len(Names) <= 10
        self._ask()
        return {"Parameters": [{"Name": n, "Value": self.values[n]} for n in Names if n in self.values]}

    def get_secret_value(self, SecretId: str) -> Any:
        assert SecretId == "key"
        self._ask()
        return {"SecretString": self.secret}

    def _ask(self) -> None:
        self.asked.append(self.now)
        self.while_reading()
        if self.failure is not None:
            raise self.failure

    def cache(self, **options: Any) -> ConfigurationCache:
        around = Surroundings(clock=lambda: self.now, sleep=self.slept.append, random=lambda: self.roll)
        options = {"parameters": list(self.values)} | options
        return ConfigurationCache(self, self, surroundings=around, **options)

    def loaded(self, **options: Any) -> ConfigurationCache:
        cache = self.cache(**options)
        cache.load()
        return cache


@pytest.fixture
def stores() -> Stores:
    return Stores()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_everything_is_read_in_the_init_phase_and_requests_read_nothing(stores: Stores) -> None:
    cache = stores.loaded(secrets=["key"])
    assert len(stores.asked) == 2
    assert (cache.parameter("/rate"), cache.parameter("/level"), cache.secret("key")) == ("10", "info", "s1")
    stores.now += 59
    assert cache.parameter("/rate") == "10"
    assert len(stores.asked) == 2


def test_a_change_is_seen_after_the_time_to_live(stores: Stores) -> None:
    cache = stores.loaded(secrets=["key"], ttl=10)
    stores.values["/rate"], stores.secret = "20", "s2"
    stores.now += 9
    assert (cache.parameter("/rate"), cache.secret("key")) == ("10", "s1")
    stores.now += 1
    assert (cache.parameter("/rate"), cache.secret("key")) == ("20", "s2")


def test_parameters_are_read_ten_at_a_time(stores: Stores) -> None:
    stores.values = {f"/{number}": str(number) for number in range(25)}
    cache = stores.loaded()
    assert len(stores.asked) == 3
    assert [cache.parameter(name) for name in stores.values] == list(stores.values.values())


def test_a_store_that_throttles_for_an_hour_is_not_felt_and_is_asked_ever_more_rarely(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = stores.loaded()
    began = stores.now
    stores.failure = throttled()
    for _ in range(3600):
        stores.now += 1
        assert cache.parameter("/rate") == "10"
    pauses = [later - earlier for earlier, later in zip(stores.asked[1:], stores.asked[2:], strict=False)]
    # A second, and half of 1, 2, 4 ... 60 (the time to live), asked at whole seconds.
    assert pauses[:7] == [2, 2, 3, 5, 9, 17, 31]
    assert set(pauses[7:]) == {31}
    assert stores.asked[1] == began + 60
    lines = logged(capsys)
    assert {line["error"] for line in lines} == {"ThrottlingException"}
    assert 50 <= len(lines) <= 60
    assert "alias/secret" not in json.dumps(lines)
    stores.failure, stores.values["/rate"] = None, "20"
    stores.now += 31
    assert cache.parameter("/rate") == "20"


def test_a_pause_after_a_failure_is_never_shorter_than_its_least(stores: Stores) -> None:
    cache = stores.loaded(ttl=1, stale=60)
    stores.failure, stores.roll = throttled(), 0.0
    stores.now += 1
    for _ in range(100):
        cache.parameter("/rate")
        stores.now += 0.01
    assert len(stores.asked) == 2
    stores.now += PAUSE_SECONDS
    cache.parameter("/rate")
    assert len(stores.asked) == 3


def test_a_value_that_is_too_old_is_an_error_and_not_a_guess(stores: Stores) -> None:
    cache = stores.loaded(secrets=["key"], stale=600)
    stores.failure = throttled()
    stores.now += 599
    assert (cache.parameter("/rate"), cache.secret("key")) == ("10", "s1")
    stores.now += 1
    for read in (lambda: cache.parameter("/rate"), lambda: cache.secret("key")):
        with pytest.raises(ConfigurationError, match=r"is not known: .* more than 600 s ago"):
            read()


def test_a_parameter_with_a_default_need_not_exist_nor_be_readable(stores: Stores) -> None:
    cache = stores.loaded(parameters=["/rate", "/new"], defaults={"/new": "off", "/rate": "1"})
    assert (cache.parameter("/rate"), cache.parameter("/new")) == ("10", "off")
    stores.failure = throttled()
    cold = stores.loaded(parameters=["/rate"], defaults={"/rate": "1"})
    assert cold.parameter("/rate") == "1"
    stores.failure = None
    stores.now += 10
    assert cold.parameter("/rate") == "10"


def test_a_function_does_not_start_without_what_has_no_default(stores: Stores) -> None:
    stores.failure = throttled()
    with pytest.raises(
        ConfigurationError, match=r"3 attempts \(ThrottlingException\).*no default of /level\."
    ):
        stores.cache(defaults={"/rate": "1"}).load()
    assert len(stores.asked) == LOAD_ATTEMPTS
    assert stores.slept == [0, 0.1, 0.2]
    stores.failure = None
    with pytest.raises(ConfigurationError, match=r"there is no parameter /gone: create it"):
        stores.cache(parameters=["/rate", "/gone"]).load()


def test_a_store_that_fails_once_does_not_keep_a_function_from_starting(stores: Stores) -> None:
    stores.failure = throttled()
    stores.while_reading = lambda: setattr(stores, "failure", throttled() if len(stores.asked) == 1 else None)
    assert stores.loaded().parameter("/rate") == "10"


def test_a_deleted_parameter_keeps_its_last_value_for_a_while_and_holds_up_no_other(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = stores.loaded(stale=300)
    del stores.values["/level"]
    stores.values["/rate"] = "20"
    stores.now += 60
    assert (cache.parameter("/rate"), cache.parameter("/level")) == ("20", "info")
    assert [(line["error"], line["what"]) for line in logged(capsys)] == [("ParameterNotFound", "/level")]
    stores.now += 240
    assert cache.parameter("/rate") == "20"
    with pytest.raises(ConfigurationError, match="/level"):
        cache.parameter("/level")


def test_of_many_threads_one_reads_and_the_others_go_on_with_what_is_known(stores: Stores) -> None:
    cache = stores.loaded()
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        assert go_on.wait(10)

    stores.while_reading = slow
    stores.now += 60
    stores.values["/rate"] = "20"
    with ThreadPoolExecutor(20) as threads:
        reader = threads.submit(cache.parameter, "/rate")
        assert entered.wait(10)
        others = [threads.submit(cache.parameter, "/rate") for _ in range(19)]
        assert {each.result(10) for each in others} == {"10"}
        go_on.set()
        assert reader.result(10) == "20"
    assert len(stores.asked) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ttl": 0.5}, "ttl must be 1 to 3600 seconds, got 0.5"),
        ({"ttl": 3601}, "got 3601"),
        ({"stale": 59}, "stale must be 60 to 604800 seconds, got 59"),
        ({"stale": 604801}, "got 604801"),
        ({"ttl": 3600, "stale": 600}, "stale must be at least ttl, got 600 s and 3600 s"),
        ({"defaults": {"/other": "1"}}, "got some for /other"),
    ],
)
def test_options_out_of_range_are_refused(stores: Stores, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        stores.cache(**options)


def test_a_name_that_was_not_loaded_is_refused_with_those_that_were(stores: Stores) -> None:
    cache = stores.loaded(secrets=["key"])
    with pytest.raises(KeyError, match="/other is none of this function's parameters: /rate, /level"):
        cache.parameter("/other")
    with pytest.raises(KeyError, match="other is none of this function's secrets: key"):
        cache.secret("other")


def test_it_reads_encrypted_parameters_by_name_and_arn_and_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        ssm, secrets = boto3.client("ssm"), boto3.client("secretsmanager")
        ssm.put_parameter(Name="/shop/token", Value="t1", Type="SecureString")
        arn = ssm.get_parameter(Name="/shop/token")["Parameter"]["ARN"]
        secrets.create_secret(Name="key", SecretString="s1")
        cache = connect(parameters=["/shop/token", arn], secrets=["key"])
        assert [cache.parameter(name) for name in ("/shop/token", arn)] == ["t1", "t1"]
        assert cache.secret("key") == "s1"


@pytest.mark.slow
def test_a_store_that_does_not_answer_delays_a_request_by_its_timeouts_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        cache = connect(parameters=["/rate"], defaults={"/rate": "1"})
        assert cache.parameter("/rate") == "1"
        # Three attempts of a second in the init phase.
        assert 2.5 < time.monotonic() - began < 6
