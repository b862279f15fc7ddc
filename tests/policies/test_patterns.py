"""Event patterns match as EventBridge documents it, and what is not understood accepts."""

from typing import Any

import pytest
from selfheal_policies.patterns import ANY, accepts, glob, may_match, named
from selfheal_policies.values import UNKNOWN

EVENT: dict[str, Any] = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh"],
    "account": "123456789012",
    "detail": {"alarmName": "ServerCpuTooHigh", "state": {"value": "ALARM", "reason": ANY}},
}


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        UNKNOWN,
        {"source": ["aws.ec2", "aws.cloudwatch"]},
        {"source": [{"prefix": "aws.c"}]},
        {"source": [{"prefix": {"equals-ignore-case": "AWS.C"}}]},
        {"source": [{"suffix": "watch"}]},
        {"source": [{"suffix": {"equals-ignore-case": "WATCH"}}]},
        {"source": [{"wildcard": "aws.*watch"}]},
        {"source": [{"equals-ignore-case": "AWS.CloudWatch"}]},
        {"source": [{"anything-but": "aws.ec2"}]},
        {"source": [{"anything-but": ["aws.ec2", "aws.s3"]}]},
        {"source": [{"anything-but": {"prefix": "aws.e"}}]},
        {"source": [{"anything-but": {"prefix": ["aws.e", "aws.s"]}}]},
        {"source": [{"anything-but": {"suffix": "2"}}]},
        {"source": [{"anything-but": {"wildcard": "*ec2*"}}]},
        {"source": [{"anything-but": {"equals-ignore-case": ["AWS.EC2"]}}]},
        {"source": [{"exists": True}]},
        {"version": [{"exists": False}]},
        {"resources": [{"wildcard": "*:alarm:Server*"}]},
        {"detail": {"state": {"value": ["OK", "ALARM"], "reason": [{"prefix": "Threshold"}]}}},
        {"$or": [{"source": ["aws.ec2"]}, {"detail": {"state": {"value": ["ALARM"]}}}]},
        {"detail": {"$or": [{"alarmName": ["x"]}, {"alarmName": [{"prefix": "Server"}]}]}},
        {"source": [{"sounds-like": "cloud watch"}]},
        {"source": [{"prefix": UNKNOWN}]},
        {"source": [{"anything-but": UNKNOWN}]},
        {"source": [UNKNOWN]},
    ],
    ids=str,
)
def test_it_matches(pattern: Any) -> None:
    assert may_match(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.CloudWatch"]},
        {"source": []},
        {"source": [{"prefix": "AWS."}]},
        {"source": [{"suffix": "aws"}]},
        {"source": [{"wildcard": "aws.*2"}]},
        {"source": [{"anything-but": ["aws.ec2", "aws.cloudwatch"]}]},
        {"source": [{"anything-but": {"prefix": "aws."}}]},
        {"source": [{"anything-but": {"prefix": ["aws.e", "aws.c"]}}]},
        {"source": [{"anything-but": {"suffix": "watch"}}]},
        {"source": [{"anything-but": {"wildcard": "aws.*"}}]},
        {"source": [{"anything-but": {"equals-ignore-case": "AWS.CLOUDWATCH"}}]},
        {"source": [{"exists": False}]},
        {"version": [{"exists": True}]},
        {"version": ["0"]},
        {"version": [{"anything-but": "1"}]},
        {"source": [{"numeric": [">", 0]}]},
        {"source": [{"cidr": "10.0.0.0/24"}]},
        {"source": [None]},
        {"resources": [{"suffix": ":alarm:Other"}]},
        {"detail": {"state": {"value": ["OK"]}}},
        {"detail": {"severity": ["high"]}},
        {"detail": {"order": {"id": [{"exists": True}]}}},
        {"$or": [{"source": ["aws.ec2"]}, {"source": ["aws.s3"]}]},
        {"source": ["aws.cloudwatch"], "$or": [{"account": ["1"]}]},
    ],
    ids=str,
)
def test_it_does_not_match(pattern: Any) -> None:
    assert not may_match(pattern, EVENT)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("*", "", True),
        ("ab*ab", "ab", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("a?c", "abc", False),
        ("a[b]c", "abc", False),
    ],
)
def test_a_star_is_the_only_wildcard(pattern: str, text: str, expected: bool) -> None:
    assert glob(pattern, text) is expected


def test_naming_is_more_than_not_excluding() -> None:
    for matchers in (["aws.cloudwatch"], [{"prefix": "aws."}], [{"wildcard": "*watch"}]):
        assert named(matchers, "aws.cloudwatch")
    for matchers in (
        [{"prefix": ""}],
        [{"wildcard": "*"}],
        [{"anything-but": "aws.ec2"}],
        [{"exists": True}],
    ):
        assert accepts(matchers, "aws.cloudwatch")
        assert not named(matchers, "aws.cloudwatch")
