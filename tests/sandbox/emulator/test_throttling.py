"""Which calls a throttle hits, and the codes with which services refuse."""

import pytest
from botocore.retries.standard import ThrottledRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from selfheal.sandbox.emulator.throttling import (
    LONGEST_SECONDS,
    FaultRefusedError,
    Throttle,
    parse_throttle,
    refusal,
)

ASKED = {"kind": "throttle", "service": "ssm", "operation": "GetParameter", "share": 1, "until": 160.0}
NOW = 100.0


def operations(service: str) -> list[str]:
    return {"ssm": ["GetParameter"]}.get(service, [])


@given(st.floats(0.01, 1), st.floats(0, 200), st.floats(0, 1, exclude_max=True))
def test_a_share_of_one_operations_calls_is_hit_until_the_end(share: float, now: float, roll: float) -> None:
    throttle = Throttle("t", "ssm", "GetParameter", share, 100)
    assert throttle.hits("ssm", "GetParameter", now, roll) == (now < 100 and roll < share)
    for service, operation in (("ssm", "PutParameter"), ("sns", "GetParameter"), ("ssm", None)):
        assert not throttle.hits(service, operation, now, roll)


def test_what_is_asked_for_is_what_is_made() -> None:
    assert parse_throttle("t", ASKED, operations, NOW) == Throttle("t", "ssm", "GetParameter", 1.0, 160.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"share": 0}, "share must be above 0 and at most 1, got 0"),
        ({"share": float("nan")}, "share must be"),
        ({"share": True}, "share must be"),
        ({"share": "1"}, "share must be"),
        ({"until": NOW}, r"in the future by at most a day \(it is 100\), got 100"),
        ({"until": NOW + LONGEST_SECONDS + 1}, "until must be"),
        ({"until": None}, "until must be"),
        ({"service": "s3"}, "service must be botocore's name"),
        ({"service": 1}, "service must be"),
        ({"operation": "Get"}, "ssm has no operation 'Get'"),
        ({"more": 1}, "a throttle has kind, operation, service, share, until, got"),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(change: dict[str, object], says: str) -> None:
    with pytest.raises(FaultRefusedError, match=says):
        parse_throttle("t", ASKED | change, operations, NOW)


def test_clients_know_every_code_as_throttling() -> None:
    """So that they retry and slow down as they do on AWS."""
    known = ThrottledRetryableChecker._THROTTLED_ERROR_CODES  # pyright: ignore[reportPrivateUsage]
    protocols = ("json", "query", "rest-json", "rest-xml", "smithy-rpc-v2-cbor")
    services = ("ssm", "sqs", "lambda", "ec2", "events", "fis", "scheduler", "apigateway")
    codes = {refusal(service, protocol).code for service in services for protocol in protocols}
    assert {"ThrottlingException", "Throttling", "RequestThrottled", "TooManyRequestsException"} <= codes
    assert codes <= set(known)
