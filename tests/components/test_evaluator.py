"""The evaluator that other tests rely on: it follows IAM, and refuses to guess."""

import json
from collections.abc import Sequence

import pytest

from tests.components.support import iam
from tests.components.support.iam import Request, Verdict


def holds(operator: str, wanted: str | list[str], *given: str) -> bool:
    """Return whether a statement with a condition on key `k` speaks for a request; nothing given: no key."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"k": wanted}}}
    context: dict[str, str | Sequence[str]] = {"k": given} if given else {}
    text = json.dumps({"Statement": [statement]})
    return iam.identity_policy(text, Request("a:b", "c", context=context)) is Verdict.ALLOWED


def test_the_evaluator_refuses_to_guess() -> None:
    unknown = '{"Statement": [{"Effect": "Allow", "NotAction": "a:b", "Action": "*", "Resource": "*"}]}'
    with pytest.raises(ValueError, match="does not know"):
        iam.identity_policy(unknown, Request("a:b", "*"))
    condition = unknown.replace('"NotAction": "a:b"', '"Condition": {"DateLessThan": {"x": "y"}}')
    with pytest.raises(ValueError, match="DateLessThan"):
        iam.identity_policy(condition, Request("a:b", "*", context={"x": "y"}))


def test_for_all_values_holds_if_every_value_matches_and_also_if_there_is_none() -> None:
    every = "ForAllValues:StringEquals"
    assert holds(every, ["a", "b"], "a")
    assert holds(every, ["a", "b"], "a", "b")
    assert not holds(every, ["a", "b"], "a", "c")
    assert holds(every, ["a", "b"])
    assert not holds(every, "a*", "ab")
    assert holds("ForAllValues:StringLike", "a*", "ab", "ac")
    assert not holds("ForAllValues:StringLike", "a*", "ab", "ba")


def test_for_any_value_holds_if_one_value_matches() -> None:
    some = "ForAnyValue:StringLike"
    assert holds(some, "a*", "ab", "ba")
    assert not holds(some, "a*", "ba")
    assert not holds(some, "a*")


def test_null_is_about_whether_there_is_a_value() -> None:
    assert holds("Null", "false", "a")
    assert not holds("Null", "false")
    assert holds("Null", "true")
    assert not holds("Null", "true", "a")


def test_arns_are_matched_with_wildcards_by_either_operator() -> None:
    for operator in ("ArnEquals", "ArnLike"):
        assert holds(operator, ["arn:x:1", "arn:y:*"], "arn:y:2")
        assert not holds(operator, "arn:x:1", "arn:x:2")
        assert not holds(operator, "arn:x:1")


def test_several_values_without_a_quantifier_are_an_error_of_the_document() -> None:
    with pytest.raises(ValueError, match="ForAllValues or ForAnyValue"):
        holds("StringEquals", "a", "a", "b")
    with pytest.raises(ValueError, match="ForSomeValues:StringEquals"):
        holds("ForSomeValues:StringEquals", "a", "a")
