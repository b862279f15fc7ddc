"""Which resource the emulator checks a policy against, for a request that names alarms."""

import json
from typing import Any

import pytest

from sandbox.emulator_iam import alarms_named

TARGET = "GraniteServiceVersion20100801.DescribeAlarms"


def _resource(target: str, request: dict[str, Any], *, service: str = "monitoring", found: str = "*") -> str:
    extract = alarms_named(lambda *_: found)
    headers = {"x-amz-target": target}
    return extract(
        service, "POST", "/", headers, json.dumps(request).encode(), {}, "us-east-1", "123456789012"
    )


def test_the_first_alarm_named_is_the_resource() -> None:
    assert (
        _resource(TARGET, {"AlarmNames": ["a", "b"]}) == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
    )


@pytest.mark.parametrize(
    ("target", "request_body", "service", "found"),
    [
        (TARGET, {}, "monitoring", "*"),
        (TARGET, {"AlarmNames": []}, "monitoring", "*"),
        ("GraniteServiceVersion20100801.GetMetricData", {"AlarmNames": ["a"]}, "monitoring", "*"),
        (TARGET, {"AlarmNames": ["a"]}, "sns", "*"),
        (TARGET, {"AlarmNames": ["a"]}, "monitoring", "arn:other"),
    ],
)
def test_anything_else_stays_as_the_emulator_has_it(
    target: str, request_body: dict[str, Any], service: str, found: str
) -> None:
    assert _resource(target, request_body, service=service, found=found) == found
