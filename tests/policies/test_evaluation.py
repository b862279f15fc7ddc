"""How statements are evaluated: each operator, with keys that are there, absent or not known."""

from typing import Any

import pytest
from selfheal_policies.documents import Statement, parse
from selfheal_policies.evaluation import (
    ANY,
    MAYBE,
    NO,
    OTHER,
    OWN,
    YES,
    Answer,
    Caller,
    Request,
    allowed,
    applies,
    denied,
)
from selfheal_policies.values import ABSENT, UNKNOWN

TOPIC = "arn:aws:sns:us-east-1:000000000000:wake"
CLOUDWATCH, S3 = Caller("Service", "cloudwatch.amazonaws.com"), Caller("Service", "s3.amazonaws.com")
PERSON = Caller("AWS", f"arn:{OWN}:iam::{OWN}:{OTHER}", OWN)
STRANGER = Caller("AWS", f"arn:{OWN}:iam::{OTHER}:{OTHER}", OTHER)
ONCALL = Caller("AWS", "arn:aws:iam::000000000000:role/oncall", "000000000000")
ALARM = f"arn:{OWN}:cloudwatch:{ANY}:{OTHER}:{ANY}"
"""Any alarm of a stranger."""


def statement(**given: Any) -> Statement:
    base = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}
    held = {key: value for key, value in (base | given).items() if value is not None}
    [found] = parse({"Statement": [held]})
    return found


def request(caller: Caller = CLOUDWATCH, **context: Any) -> Request:
    keys = {f"aws:{key.lower()}": value for key, value in context.items()}
    return Request(caller, "sns:Publish", TOPIC, keys)


@pytest.mark.parametrize(
    ("operator", "values", "value", "answer"),
    [
        ("StringEquals", "000000000000", "000000000000", YES),
        ("StringEquals", ["1", "000000000000"], "000000000000", YES),
        ("StringEquals", "1", "000000000000", NO),
        ("StringEquals", "1", ABSENT, NO),
        ("StringEquals", "1", UNKNOWN, MAYBE),
        ("StringEquals", [], "1", MAYBE),
        ("StringEquals", [{"a": 1}], "1", MAYBE),
        ("StringEquals", "${aws:PrincipalAccount}", "1", MAYBE),
        ("StringEquals", "*", "1", NO),
        ("StringEquals", "*", ABSENT, NO),
        ("StringEquals", "1", OTHER, NO),
        ("StringEquals", "1", ANY, MAYBE),
        ("StringEquals", "1", OWN, YES),
        ("STRINGequals", "1", "1", YES),
        ("StringEqualsIgnoreCase", "CloudWatch", "cloudwatch", YES),
        ("StringEqualsIfExists", "1", ABSENT, YES),
        ("StringEqualsIfExists", "1", OTHER, NO),
        ("StringNotEquals", "1", "1", NO),
        ("StringNotEquals", ["1", "2"], "2", NO),
        ("StringNotEquals", "1", OTHER, YES),
        ("StringNotEquals", "1", ABSENT, YES),
        ("StringNotEquals", "1", OWN, NO),
        ("StringNotEqualsIfExists", "1", ABSENT, YES),
        ("StringLike", "*", OTHER, YES),
        ("StringLike", "12*", OTHER, MAYBE),
        ("StringLike", "????????????", OTHER, MAYBE),
        ("StringLike", "000000000000", OTHER, NO),
        ("StringNotLike", "12*", OTHER, MAYBE),
        ("StringNotLike", "*", OTHER, NO),
        ("StringLike", "arn:aws:cloudwatch:*:*:alarm:*", ALARM, MAYBE),
        ("StringLike", "arn:aws:cloudwatch:*", ALARM, YES),
        ("StringLike", "arn:aws:sns:*", ALARM, NO),
        ("StringLike", "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:*", ALARM, NO),
        # An alarm of a stranger may be called x:000000000000:alarm:y.
        ("StringLike", "arn:aws:cloudwatch:*:000000000000:alarm:*", ALARM, MAYBE),
        ("ArnLike", "arn:aws:cloudwatch:*:000000000000:alarm:*", ALARM, NO),
        ("ArnEquals", "arn:aws:cloudwatch:*:000000000000:alarm:*", ALARM, NO),
        ("ArnLike", "arn:aws:cloudwatch:*:*:*", ALARM, YES),
        ("ArnLike", "*", ALARM, MAYBE),
        ("ArnLike", "arn:aws:cloudwatch:*:alarm:*", ALARM, NO),
        ("ArnNotLike", "arn:aws:cloudwatch:*:000000000000:alarm:*", ALARM, YES),
        ("ArnNotLike", "arn:aws:cloudwatch:*:000000000000:alarm:*", ABSENT, YES),
        ("ArnLike", TOPIC, TOPIC, YES),
        ("ArnLikeIfExists", TOPIC, ABSENT, YES),
        ("Bool", "false", "false", YES),
        ("Bool", False, "false", YES),
        ("Bool", "true", "false", NO),
        ("Bool", "false", ABSENT, NO),
        ("BoolIfExists", "false", ABSENT, YES),
        ("Bool", "false", UNKNOWN, MAYBE),
        ("Bool", ["maybe"], "false", MAYBE),
        ("Null", "true", ABSENT, YES),
        ("Null", True, "1", NO),
        ("Null", "false", "1", YES),
        ("Null", "false", ABSENT, NO),
        ("Null", "true", UNKNOWN, MAYBE),
        ("ForAllValues:StringEquals", "1", ABSENT, YES),
        ("ForAllValues:StringEquals", "1", "2", NO),
        ("ForAllValues:StringEqualsIfExists", "1", ABSENT, YES),
        ("ForAnyValue:StringEquals", "1", ABSENT, NO),
        ("ForAnyValue:StringNotEquals", "1", ABSENT, NO),
        ("ForAnyValue:StringLike", "1*", "12", YES),
        ("IpAddress", "10.0.0.0/8", ABSENT, NO),
        ("NotIpAddress", "10.0.0.0/8", ABSENT, YES),
        ("NotIpAddress", "10.0.0.0/8", "10.1.1.1", MAYBE),
        ("NumericLessThan", "1", "1", MAYBE),
        ("Sounds", "like", "1", MAYBE),
    ],
)
def test_a_condition(operator: str, values: Any, value: Any, answer: Answer) -> None:
    held = statement(Condition={operator: {"AWS:SourceArn": values}})
    context = {} if value is UNKNOWN else {"sourcearn": value}
    assert applies(held, request(**context)) == answer


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({}, YES),
        ("x", MAYBE),
        ({"StringEquals": "x"}, MAYBE),
        ({"StringEquals": {"aws:SourceAccount": "1"}, "StringLike": {"aws:SourceArn": "a*"}}, YES),
        ({"StringEquals": {"aws:SourceAccount": "2"}, "StringLike": {"aws:SourceArn": "a*"}}, NO),
        ({"StringEquals": {"aws:SourceAccount": "1", "aws:Nobody": "1"}}, MAYBE),
    ],
)
def test_all_conditions_must_hold(condition: Any, answer: Answer) -> None:
    asked = request(SourceAccount="1", SourceArn="abc")
    assert applies(statement(Condition=condition), asked) == answer


@pytest.mark.parametrize(
    ("principal", "caller", "answer"),
    [
        ("*", STRANGER, YES),
        ({"AWS": "*"}, CLOUDWATCH, YES),
        ({"Service": "cloudwatch.amazonaws.com"}, CLOUDWATCH, YES),
        ({"Service": ["s3.amazonaws.com", "CloudWatch.amazonaws.com"]}, CLOUDWATCH, YES),
        ({"Service": "cloudwatch.eu-south-1.amazonaws.com"}, CLOUDWATCH, YES),
        ({"Service": "cloudwatch.amazonaws.com"}, S3, NO),
        ({"Service": "cloudwatch.amazonaws.com"}, PERSON, NO),
        ({"AWS": "000000000000"}, CLOUDWATCH, NO),
        ({"AWS": "000000000000"}, PERSON, YES),
        ({"AWS": "arn:aws:iam::000000000000:root"}, PERSON, YES),
        ({"AWS": "arn:aws:iam::000000000000:root"}, STRANGER, NO),
        ({"AWS": "arn:aws:iam::000000000000:role/oncall"}, PERSON, NO),
        ({"AWS": "arn:aws:iam::000000000000:role/oncall"}, ONCALL, YES),
        ({"AWS": UNKNOWN}, PERSON, MAYBE),
        ({"Federated": "cognito-identity.amazonaws.com"}, PERSON, NO),
        (UNKNOWN, PERSON, MAYBE),
        ("arn:aws:iam::000000000000:role/oncall", ONCALL, MAYBE),
        (None, PERSON, MAYBE),
    ],
)
def test_a_principal(principal: Any, caller: Caller, answer: Answer) -> None:
    assert applies(statement(Principal=principal), request(caller)) == answer
    if principal is not None:
        held = statement(Principal=None, NotPrincipal=principal)
        assert applies(held, request(caller)) == answer.opposite


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"Action": ["sns:Subscribe", "SNS:pub*"]}, YES),
        ({"Action": "sns:Subscribe"}, NO),
        ({"Action": [UNKNOWN]}, MAYBE),
        ({"Action": None, "NotAction": "sns:Subscribe"}, YES),
        ({"Action": None, "NotAction": "sns:*"}, NO),
        ({"Resource": "*"}, YES),
        ({"Resource": "arn:aws:sns:*:*:wake"}, YES),
        ({"Resource": [TOPIC + "2"]}, NO),
        ({"Resource": UNKNOWN}, MAYBE),
        ({"Resource": None}, MAYBE),
        ({"Resource": None, "NotResource": TOPIC}, NO),
        ({"Resource": None, "NotResource": TOPIC + "2"}, YES),
    ],
)
def test_an_action_and_a_resource(given: dict[str, Any], answer: Answer) -> None:
    assert applies(statement(**given), request()) == answer


def test_a_denial_wins_and_what_nothing_allows_is_not_allowed() -> None:
    every, unless = statement(), statement(Effect="Deny", Condition={"Bool": {"aws:S": "true"}})
    assert allowed([every], request()) == YES
    assert allowed([every, unless], request(S="true")) == NO
    assert allowed([every, unless], request(S="false")) == YES
    assert allowed([every, unless], request()) == MAYBE
    assert allowed([unless], request(S="false")) == NO
    assert denied([every, unless], request(S="true")) == YES
    assert denied([every], request()) == NO


def test_a_value_may_compare_itself() -> None:
    asked = Request(CLOUDWATCH, "sns:Publish", lambda given: YES if given in (UNKNOWN, "x") else NO)
    assert applies(statement(Resource="x"), asked) == YES
    assert applies(statement(Resource=UNKNOWN), asked) == YES
    assert applies(statement(Resource="y"), asked) == NO


def test_a_long_text_is_no_burden_and_no_answer() -> None:
    long = "a*" * 45_000
    held = statement(Condition={"StringLike": {"aws:SourceArn": [long, long.replace("*", ":")]}})
    assert applies(held, request(SourceArn=ALARM)) == MAYBE
    assert applies(held, request(SourceArn="b" * 200)) == MAYBE
