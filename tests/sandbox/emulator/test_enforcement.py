"""Which resource, action and condition keys the emulator checks a policy against."""

import json
from typing import Any

import pytest

from selfheal.sandbox.emulator.enforcement import lambda_actions, resources_named, with_condition_keys
from selfheal.sandbox.emulator.leading_keys import CONDITION_KEY, KeyedArn

TARGET = "GraniteServiceVersion20100801.DescribeAlarms"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
MAPPING = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:u-1"


def _resource(
    target: str,
    request: dict[str, Any],
    *,
    service: str = "monitoring",
    found: str = "*",
    query: dict[str, Any] | None = None,
) -> str:
    extract = resources_named(lambda *_: found)
    headers = {"x-amz-target": target}
    return extract(
        service, "POST", "/", headers, json.dumps(request).encode(), query or {}, "us-east-1", "123456789012"
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


@pytest.mark.parametrize(
    ("found", "query", "expected"),
    [
        (FUNCTION, {"Qualifier": ["live"]}, f"{FUNCTION}:live"),
        (FUNCTION, {"Qualifier": "7"}, f"{FUNCTION}:7"),
        (FUNCTION, {}, FUNCTION),
        (FUNCTION, {"Qualifier": []}, FUNCTION),
        (f"{FUNCTION}:live", {"Qualifier": ["live"]}, f"{FUNCTION}:live"),
        (MAPPING, {"Qualifier": ["live"]}, MAPPING),
        ("*", {"Qualifier": ["live"]}, "*"),
    ],
)
def test_a_qualifier_is_part_of_the_resource(found: str, query: dict[str, Any], expected: str) -> None:
    assert _resource("", {}, service="lambda", found=found, query=query) == expected


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("lambda", "GetAlias", "lambda:GetAlias"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        ("lambda", None, "as before"),
        ("sqs", "Invoke", "as before"),
    ],
)
def test_an_action_of_lambda_is_its_operation(service: str, operation: str | None, expected: str) -> None:
    extract = lambda_actions(lambda *_: "as before", lambda *_: operation)
    assert extract(service, "GET", "/", {}, b"", {}) == expected


def test_condition_keys_join_those_of_the_emulator() -> None:
    seen: list[dict[str, Any]] = []
    enforce = with_condition_keys(
        lambda *request: seen.append({request[4]: request[5]}),
        {"u-1": {"FunctionArn": FUNCTION}},
    )
    table = KeyedArn("arn:table")
    table.keys = ["mode"]
    enforce("key", "a", "dynamodb", "r", resource_arn=table, service_context={"x": "y"})
    enforce("key", "a", "lambda", "r", resource_arn=MAPPING)
    enforce("key", "a", "lambda", "r", resource_arn=MAPPING.replace("u-1", "gone"))
    enforce("key", "a", "sqs", "r")
    assert seen == [
        {"arn:table": {"x": "y", CONDITION_KEY: ["mode"]}},
        {MAPPING: {"lambda:FunctionArn": FUNCTION}},
        {MAPPING.replace("u-1", "gone"): {}},
        {"*": {}},
    ]
