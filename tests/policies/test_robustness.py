"""No input makes a rule crash, and no unknown is an answer."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi_policy.proxy import unknown_checking_proxy
from selfheal_policies import arns, documents, grants, types
from selfheal_policies.actions import CONTROL, DATA, READ, RECORD, TELL, WAKE, meaning
from selfheal_policies.arns import parse_arn
from selfheal_policies.graph import Graph
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, flag, get, number, plain, text

from selfheal.sandbox.provider.wire import UNKNOWN as SENTINEL
from tests.policies.support.healers import ROUTES, healer
from tests.policies.support.resilience import resilient
from tests.policies.support.scene import RULES, Scene, judged

pytestmark = pytest.mark.slow

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.just(UNKNOWN),
    st.text(max_size=8),
    st.sampled_from(
        [
            "arn:aws:lambda:us-east-1:1:function:x:live",
            "arn:aws:sns:::",
            "arn:",
            "{}",
            '{"Statement": [1, null, {"Action": {"a": 1}}]}',
            '{"detail": 1, "source": {"x": []}}',
            "[[[[",
            "*",
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Statement",
                    "detail",
                    "onFailure",
                    "destination",
                    "FunctionName",
                    "States",
                    "Retry",
                    "Catch",
                    "x",
                ]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@cache
def stacks() -> dict[str, list[Resource]]:
    """Make the stacks that are changed: not on import, which every process of the tests does."""
    by_route = {route: healer(Scene(), route).resources() for route in ROUTES}
    return by_route | {"all": resilient().resources()}


@cache
def keys() -> list[str]:
    """Return the properties that are changed."""
    return sorted(
        {key for stack in stacks().values() for each in stack for key in each.props}
        | {"kmsMasterKeyId", "managedPolicyArns", "inlinePolicies", "alarmRule", "metricQueries", "state"}
        | {"filterPolicy", "filterCriteria", "enabled", "actionsEnabled"}
        | {"name", "arn", "timeout", "environment"}
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_generated_stack_makes_a_rule_crash(data: Any) -> None:
    base = stacks()[data.draw(st.sampled_from(sorted(stacks())))]
    changed: list[Resource] = []
    urns = [each.urn for each in base]
    for each in base:
        props = dict(each.props)
        if data.draw(st.booleans()):
            props[data.draw(st.sampled_from(keys()))] = data.draw(values)
            if props and data.draw(st.booleans()):
                props[data.draw(st.sampled_from(sorted(props)))] = data.draw(values)
        changed.append(Resource(each.urn, each.type, each.name, props, each.references))
    extra = data.draw(st.dictionaries(st.sampled_from(keys()), values, max_size=6))
    references = {key: tuple(data.draw(st.lists(st.sampled_from(urns), max_size=3))) for key in extra}
    type_ = data.draw(
        st.sampled_from(
            [*types.WORDS, types.ALIAS, types.KEY, types.POLICY, types.ROLE_POLICIES, *grants.ATTACHMENTS]
        )
    )
    changed.append(Resource("urn:pulumi:s::p::t::extra", type_, "extra", extra, references))
    graph = Graph(changed)
    for rule in RULES.values():
        findings = judged(rule, graph, rule.defaults, changed)
        assert all(isinstance(finding.message, str) and finding.message for finding in findings)


@given(values)
def test_no_value_makes_a_reader_crash(value: Any) -> None:
    for read in (plain, text, number, flag, entries):
        read(value)
    get(value, "x", 0, "y")
    for statement in documents.parse(value):
        statement.principals("Service")


@given(st.text(max_size=60))
def test_no_text_makes_a_parser_crash(given_: str) -> None:
    parse_arn(given_)
    meaning(given_)
    documents.parse(given_)
    documents.action_matches(given_, "lambda:GetFunction")
    documents.resource_matches(given_, given_)


def test_unknown_and_absent_are_told_apart_under_the_sdks_proxy() -> None:
    proxy = unknown_checking_proxy(
        {"a": SENTINEL, "b": {"c": [1.0, SENTINEL]}, "d": None, "e": f"arn:{SENTINEL}:x", "f": []}
    )
    value = plain(proxy)
    assert value == {"a": UNKNOWN, "b": {"c": [1.0, UNKNOWN]}, "d": None, "e": UNKNOWN, "f": []}
    assert get(value, "a", "deeper") is UNKNOWN
    assert get(value, "b", "c", 0) == 1.0
    assert get(value, "b", "c", 1) is UNKNOWN
    assert get(value, "b", "c", 2) is ABSENT
    assert get(value, "d") is ABSENT
    assert get(value, "z") is ABSENT
    assert not UNKNOWN
    assert not ABSENT


def test_documents_are_read_in_every_spelling() -> None:
    lone = documents.parse(
        '{"Statement": {"Effect": "allow", "Action": "lambda:*", "Resource": "*", "Principal": "*"}}'
    )
    (statement,) = lone
    assert statement.allows
    assert statement.actions == ("lambda:*",)
    assert statement.principals("AWS") == ("*",)
    assert documents.parse({"Statement": [{"NotAction": ["iam:*"], "Resource": UNKNOWN}]}).statements[
        0
    ].resources == (UNKNOWN,)
    assert "not known at preview" in documents.parse(UNKNOWN).problem
    assert "no JSON" in documents.parse("{").problem
    assert "no policy document" in documents.parse("[]").problem
    assert documents.parse(json.dumps({"Statement": ["x"]})).problem == "has a malformed statement"
    assert documents.parse(ABSENT).statements == ()


@pytest.mark.parametrize("key", ["Action", "NotAction"])
@pytest.mark.parametrize("answer", [True, False])
def test_an_action_that_is_not_known_counts_as_the_asker_says(key: str, answer: bool) -> None:
    [statement] = documents.parse({"Statement": [{key: [UNKNOWN, "s3:GetObject"], "Resource": "*"}]})
    assert statement.covers("iam:PassRole", if_unknown=answer) is answer


def test_patterns_of_iam_know_two_wildcards_and_no_others() -> None:
    assert documents.action_matches("LAMBDA:Update*", "lambda:UpdateFunctionCode")
    assert documents.action_matches("lambda:Get?unction", "lambda:GetFunction")
    assert not documents.resource_matches("arn:[a]", "arn:a")
    assert not documents.resource_matches("arn:A", "arn:a")


def test_actions_are_what_they_do() -> None:
    for action, kind in {
        "lambda:GetFunction": READ,
        "cloudwatch:Describe*": READ,
        "logs:PutLogEvents": RECORD,
        "cloudwatch:PutMetricData": TELL,
        "sns:Publish": WAKE,
        "dynamodb:PutItem": DATA,
        "lambda:UpdateFunctionConfiguration": CONTROL,
        "lambda:*": CONTROL,
        "*": CONTROL,
        "iam:PassRole": CONTROL,
        "sts:AssumeRole": CONTROL,
        "lambda:G*": CONTROL,
    }.items():
        assert meaning(action) == kind, action


@pytest.mark.parametrize(
    ("text_", "kind", "name"),
    [
        ("https://sqs.us-east-1.amazonaws.com/123456789012/work", arns.QUEUE, "work"),
        ("http://127.0.0.1:4566/000000000000/work", arns.QUEUE, "work"),
        ("arn:aws:s3:::lost/letters/*", arns.BUCKET, "lost"),
        ("arn:aws:kinesis:us-east-1:1:stream/clicks", arns.STREAM, "clicks"),
        (
            "arn:aws:dynamodb:us-east-1:1:table/circuits/stream/2026-01-01T00:00:00.000",
            arns.TABLE,
            "circuits",
        ),
        ("arn:aws:events:us-east-1:1:event-bus/orders", arns.BUS, "orders"),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/x:*", arns.LOG_GROUP, "/aws/x"),
    ],
)
def test_arns_and_urls_are_read_for_what_they_name(text_: str, kind: str, name: str) -> None:
    found = parse_arn(text_)
    assert found
    assert (found.kind, found.name) == (kind, name)


def test_the_page_of_a_pager_is_no_queue() -> None:
    assert parse_arn("https://events.pager.example.com/integration/1234/enqueue") is None
