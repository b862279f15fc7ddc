"""Which experiment templates are accepted, and the faults that they stand for."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.sandbox.emulator.fis_templates import (
    TemplateError,
    checked,
    faults_of,
    seconds_of,
    split_arn,
    windows,
)
from selfheal.sandbox.emulator.invocation_faults import Action, InvocationFault

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
GIVEN: dict[str, Any] = {
    "description": "d",
    "roleArn": "arn:aws:iam::000000000000:role/r",
    "stopConditions": [{"source": "none"}],
    "targets": {
        "one": {"resourceType": "aws:lambda:function", "resourceArns": [ARN], "selectionMode": "ALL"}
    },
    "actions": {
        "a": {
            "actionId": "aws:lambda:invocation-error",
            "parameters": {"duration": "PT2M", "invocationPercentage": "10", "preventExecution": "true"},
            "targets": {"Functions": "one"},
        }
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(GIVEN)
    *parents, last = path.split("/")
    inner: Any = found
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return found


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("PT1M", 60),
        ("PT90S", 90),
        ("PT1H30M", 5400),
        ("P1DT1H", 90000),
        ("P", 0),
        ("PT", 0),
        ("1M", 0),
        ("PT-1M", 0),
        ("", 0),
    ],
)
def test_durations_are_those_of_iso_8601(duration: str, seconds: float) -> None:
    assert seconds_of(duration) == seconds


@given(st.integers(0, 40), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    assert seconds_of(f"PT{hours}H{minutes}M{seconds}S") == hours * 3600 + minutes * 60 + seconds


def test_defaults_are_aws_and_what_is_given_stays() -> None:
    found = checked(GIVEN)
    assert found["experimentOptions"] == {
        "accountTargeting": "single-account",
        "emptyTargetResolutionMode": "fail",
    }
    assert {key: found[key] for key in GIVEN} == GIVEN
    assert found["tags"] == {}
    assert "logConfiguration" not in checked(GIVEN | {"logConfiguration": {}})


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("description", "", "description must have 1 to 512 characters"),
        ("description", "d" * 513, "description must have"),
        ("roleArn", "r", "roleArn must be the ARN of a role, got 'r'"),
        ("stopConditions", [], "stopConditions must have at least one"),
        ("stopConditions", [{"source": "alarm"}], "none or aws:cloudwatch:alarm, got 'alarm'"),
        ("stopConditions", [{"source": "aws:cloudwatch:alarm", "value": "a"}], "must be the ARN of an alarm"),
        ("experimentReportConfiguration", {}, "have no experimentReportConfiguration"),
        ("experimentOptions", {"accountTargeting": "multi-account"}, "in a single account"),
        ("targets/one/resourceType", "aws:ec2:instance", "the emulator has aws:lambda:function"),
        ("targets/one/resourceTags", {"a": "b"}, "selects by resourceArns only"),
        ("targets/one/resourceArns", [], "resourceArns must be 1 to 5, got 0"),
        ("targets/one/resourceArns", ["f"], "must be ARNs of Lambda functions, got 'f'"),
        ("targets/one/selectionMode", "COUNT(0)", r"must be ALL, COUNT\(n\) or PERCENT\(n\)"),
        ("actions", {}, "actions must have at least one"),
        ("actions/a/actionId", "aws:ec2:stop-instances", "got 'aws:ec2:stop-instances'"),
        ("actions/a/targets", {"Functions": "two"}, "Functions with the name of a target"),
        ("actions/a/targets", {}, "Functions with the name of a target"),
        ("actions/a/startAfter", ["b"], "startAfter names no action: b"),
        ("actions/a/startAfter", ["a"], "actions wait for each other: a"),
        ("actions/a/parameters", {}, "needs duration"),
        ("actions/a/parameters/duration", "PT59S", "from PT1M to PT12H, got 'PT59S'"),
        ("actions/a/parameters/duration", "PT12H1S", "from PT1M to PT12H"),
        ("actions/a/parameters/invocationPercentage", "0", "from 1 to 100, got '0'"),
        ("actions/a/parameters/invocationPercentage", "²", "from 1 to 100"),
        ("actions/a/parameters/preventExecution", "yes", "true or false, got 'yes'"),
        ("actions/a/parameters/statusCode", "500", "has duration, invocationPercentage, preventExecution"),
        ("logConfiguration", {"logSchemaVersion": 3}, "logSchemaVersion must be 1 or 2, got 3"),
        (
            "logConfiguration",
            {"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": "arn:x"}},
            r"end with ':\*'",
        ),
    ],
)
def test_a_wrong_template_is_refused_with_what_is_allowed(path: str, value: Any, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        checked(changed(path, value))


def test_an_action_begins_once_those_before_it_have_ended() -> None:
    actions = {
        "c": {"parameters": {"duration": "PT1M"}, "startAfter": ["a", "b"]},
        "b": {"parameters": {"duration": "PT3M"}},
        "a": {"parameters": {"duration": "PT2M"}},
    }
    assert windows(actions, 1000) == {"a": (1000, 1120), "b": (1000, 1180), "c": (1180, 1240)}


def test_the_faults_of_a_template_have_its_parameters_and_their_defaults() -> None:
    functions = frozenset({(ARN, None)})
    [fault] = faults_of(GIVEN["actions"], {"one": functions}, 1000)
    assert fault == InvocationFault(Action.ERROR, functions, 1000, 1120, percent=10, prevents=True)
    delay = {"d": {**GIVEN["actions"]["a"], "actionId": Action.DELAY, "parameters": {"duration": "PT1M"}}}
    [fault] = faults_of(delay, {"one": functions}, 0)
    assert (fault.percent, fault.delay_seconds, fault.prevents) == (100, 1.0, False)


def test_an_arn_has_a_qualifier_or_none() -> None:
    assert split_arn(ARN) == (ARN, None)
    assert split_arn(f"{ARN}:live") == (ARN, "live")
    assert split_arn(f"{ARN}:$LATEST") == (ARN, "$LATEST")
