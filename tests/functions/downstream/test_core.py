import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.functions.downstream.core import (
    LONGEST_PAUSE_SECONDS,
    Fault,
    Mode,
    Outcome,
    Request,
    RequestError,
    Setting,
    Switch,
    answer,
    fault,
    parse_request,
    parse_setting,
    parse_switch,
)
from selfheal.functions.downstream.store import SETTING_KEY, setting_item

ORDER = Request("shop", "o1", '{"amount":1}')
ROLLS = st.floats(0, 1, exclude_max=True)


def refused(mode: Mode, request: Request = ORDER, roll: float = 0.0) -> Outcome | None:
    return fault(Setting(mode), request, roll).refused


@given(ROLLS)
def test_each_mode_refuses_with_its_own_outcome_whatever_the_dice_say(roll: float) -> None:
    assert fault(Setting(), ORDER, roll) == Fault()
    assert refused(Mode.THROTTLE, roll=roll) is Outcome.THROTTLED
    assert refused(Mode.OUTAGE, roll=roll) is Outcome.UNAVAILABLE
    assert refused(Mode.LATENCY, roll=roll) is None


@given(ROLLS, st.floats(0, 1))
def test_errors_hit_the_stated_share_of_calls(roll: float, share: float) -> None:
    met = fault(Setting(Mode.ERRORS, share=share), ORDER, roll)
    assert met.refused is (Outcome.ERROR if roll < share else None)


def test_latency_delays_what_is_served() -> None:
    assert fault(Setting(Mode.LATENCY, seconds=3), ORDER, 0.5) == Fault(seconds=3)


def test_a_partial_outage_hits_the_same_callers_always_and_one_in_three() -> None:
    callers = [Request(f"caller-{number}", "k") for number in range(3000)]
    hit = [refused(Mode.PARTIAL_OUTAGE, each, 0.0) for each in callers]
    assert hit == [refused(Mode.PARTIAL_OUTAGE, each, 0.99) for each in callers]
    assert set(hit) == {None, Outcome.UNAVAILABLE}
    assert 900 < sum(each is not None for each in hit) < 1100


def test_a_caller_is_hit_whatever_it_asks_for() -> None:
    hits = {refused(Mode.PARTIAL_OUTAGE, Request("shop", f"o{number}", str(number))) for number in range(50)}
    assert len(hits) == 1


@given(st.integers(0, 200_000), st.integers(1, 50_000))
def test_the_delay_of_a_data_shape_fault_grows_with_the_size_of_the_data(size: int, more: int) -> None:
    small, large = (
        fault(Setting(Mode.DATA_SHAPE, seconds=0.1), Request("shop", "o1", "x" * length), 0.0)
        for length in (size, size + more)
    )
    assert small.refused is large.refused is None
    assert small.seconds == pytest.approx(0.1 * size / 1000)
    assert small.seconds < large.seconds <= LONGEST_PAUSE_SECONDS


def test_a_delay_has_an_end() -> None:
    huge = Request("shop", "o1", "x" * 200_000)
    assert fault(Setting(Mode.DATA_SHAPE, seconds=60), huge, 0.0).seconds == LONGEST_PAUSE_SECONDS


def test_a_setting_changes_what_it_names_and_leaves_the_rest() -> None:
    baseline = Setting(rate=20, burst=2)
    assert parse_setting({}, baseline) == baseline
    changed = parse_setting({"mode": "errors", "share": "0.25", "rate": "10"}, baseline)
    assert changed == Setting(Mode.ERRORS, share=0.25, rate=10, burst=2)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"mode": "broken"}, "one of healthy, 429, latency, errors, outage, partial-outage, data-shape"),
        ({"seconds": "61"}, "seconds must be a number from 0 to 60, got '61'"),
        ({"share": "1.1"}, "share must be"),
        ({"share": "nan"}, "share must be"),
        ({"rate": "0"}, "rate must be a number from 0.1 to 1000"),
        ({"burst": "none"}, "got 'none'"),
        ({"speed": "1"}, "got 'speed'"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(values: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_setting(values, Setting())


def http2(method: str = "POST", body: str = '{"b": 1, "a": 2}', **headers: str) -> dict[str, Any]:
    """A request as a function URL or HTTP API passes it."""
    return {
        "requestContext": {"http": {"method": method, "sourceIp": "10.0.0.1"}},
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "body": body,
    }


def http1(method: str = "POST", body: str = '{"b": 1, "a": 2}', **headers: str) -> dict[str, Any]:
    """A request as a REST API passes it, which keeps the case of headers."""
    event = http2(method, body)
    return event | {
        "requestContext": {"identity": {"sourceIp": "10.0.0.1"}},
        "httpMethod": method,
        "headers": {name.replace("_", "-").title(): value for name, value in headers.items()},
    }


@pytest.mark.parametrize("http", [http1, http2])
def test_a_call_is_read_from_each_form_of_http_request(http: Any) -> None:
    assert parse_request(http(idempotency_key="o1", x_caller="shop")) == Request(
        "shop", "o1", '{"a":2,"b":1}'
    )
    assert parse_request(http(idempotency_key="o1")).caller == "10.0.0.1"
    assert parse_request(http("GET")) == Request("10.0.0.1", "")


def test_a_body_in_base64_is_the_same_call() -> None:
    event = http2(idempotency_key="o1")
    encoded = event | {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert parse_request(encoded) == parse_request(event)


def test_a_direct_invocation_is_the_same_call() -> None:
    direct = {"caller": "10.0.0.1", "key": "o1", "data": {"a": 2, "b": 1}}
    assert parse_request(direct) == parse_request(http2(idempotency_key="o1"))
    assert parse_request({"caller": "shop", "health": True}) == Request("shop", "")


@given(st.dictionaries(st.text(), st.integers()))
def test_the_digest_depends_on_the_data_and_not_on_how_it_is_written(data: dict[str, int]) -> None:
    backwards = dict(reversed(data.items()))
    digests = [
        parse_request(http2(body=json.dumps(each, indent=indent), idempotency_key="o1")).digest
        for each, indent in ((data, None), (backwards, 2))
    ]
    other = parse_request(http2(body=json.dumps(data | {"one more": 1}), idempotency_key="o1")).digest
    assert digests[0] == digests[1]
    assert (other == digests[0]) == (data.get("one more") == 1)


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (http2(), "header idempotency-key must be 1 to 128"),
        (http2(idempotency_key=""), "got ''"),
        (http2(idempotency_key="a b"), "got 'a b'"),
        (http2(idempotency_key="k" * 129), "1 to 128 characters"),
        (http2(idempotency_key="o1", x_caller="é"), "header x-caller"),
        (http2(body="{", idempotency_key="o1"), "body must be JSON"),
        (http2(body="", idempotency_key="o1"), "body must be JSON"),
        (http2(body="[" * 100_000, idempotency_key="o1"), "body must be JSON"),
        (http2(body="?", idempotency_key="o1") | {"isBase64Encoded": True}, "body must be JSON"),
        ({"caller": "shop", "data": 1}, "key must be"),
        ({"key": "o1"}, "caller must be"),
        ({"key": 1, "caller": "shop"}, "got 1"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(event: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        parse_request(event)


@pytest.mark.parametrize(("wait", "header"), [(0.0, "1"), (0.2, "1"), (2.1, "3")])
def test_an_answer_says_when_to_come_again(wait: float, header: str) -> None:
    told = answer(Outcome.THROTTLED, retry_after=wait)
    assert (told["statusCode"], told["headers"]["retry-after"]) == (429, header)
    assert "retry-after" not in answer(Outcome.UNAVAILABLE)["headers"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("effect", 200),
        ("duplicate", 200),
        ("conflict", 422),
        ("invalid", 400),
        ("error", 500),
        ("unavailable", 503),
    ],
)
def test_an_outcome_has_its_status(outcome: str, status: int) -> None:
    told = answer(Outcome(outcome), key="o1")
    assert told["statusCode"] == status
    assert json.loads(told["body"]) == {"outcome": outcome, "key": "o1"}


@pytest.mark.parametrize("mode", list(Mode))
def test_the_item_of_a_setting_is_read_as_that_setting_whatever_the_baseline(mode: Mode) -> None:
    setting = Setting(mode, seconds=0.25, share=1, rate=0.1, burst=1000)
    item = setting_item(setting)
    assert item["mode"] == {"S": mode.value}
    assert {name: value for name, value in item.items() if name in SETTING_KEY} == SETTING_KEY
    assert {kind for name, value in item.items() for kind in value if name not in {"pk", "sk", "mode"}} == {
        "N"
    }
    read = {name: next(iter(value.values())) for name, value in item.items() if name not in SETTING_KEY}
    assert parse_setting(read, Setting(Mode.ERRORS, 9, 0.9, 9, 9)) == setting


def as_read(item: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: next(iter(value.values())) for name, value in item.items() if name not in SETTING_KEY}


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_a_switch_counts_until_its_end_and_the_baseline_from_then_on(until: float, now: float) -> None:
    setting, baseline = Setting(Mode.OUTAGE), Setting(rate=7)
    switch = parse_switch(as_read(setting_item(setting, until)), baseline)
    assert switch == Switch(setting, until)
    assert switch.at(now, baseline) == (setting if now < until else baseline)
    assert switch.at(until, baseline) == baseline


def test_a_switch_without_an_end_counts_for_ever() -> None:
    assert "until" not in setting_item(Setting(Mode.OUTAGE))
    switch = parse_switch(as_read(setting_item(Setting(Mode.OUTAGE))), Setting())
    assert switch.at(1e12, Setting()).mode is Mode.OUTAGE


def test_without_an_item_the_baseline_counts() -> None:
    baseline = Setting(rate=7)
    assert parse_switch({}, baseline).at(0.0, baseline) == baseline


@pytest.mark.parametrize("until", [math.nan, math.inf, -1.0])
def test_an_end_that_could_not_be_read_is_refused_before_it_is_written(until: float) -> None:
    with pytest.raises(ValueError, match="until must be seconds since the epoch"):
        setting_item(Setting(), until)
    with pytest.raises(ValueError, match="until must be seconds since the epoch"):
        parse_switch({"until": str(until)}, Setting())
