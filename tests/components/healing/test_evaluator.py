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


EVERY, EVERY_LIKE, SOME_LIKE = (
    "ForAllValues:StringEquals",
    "ForAllValues:StringLike",
    "ForAnyValue:StringLike",
)


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        (EVERY, ["a", "b"], ["a"], True),
        (EVERY, ["a", "b"], ["a", "b"], True),
        (EVERY, ["a", "b"], ["a", "c"], False),
        (EVERY, ["a", "b"], [], True),
        (EVERY, "a*", ["ab"], False),
        (EVERY_LIKE, "a*", ["ab", "ac"], True),
        (EVERY_LIKE, "a*", ["ab", "ba"], False),
        (SOME_LIKE, "a*", ["ab", "ba"], True),
        (SOME_LIKE, "a*", ["ba"], False),
        (SOME_LIKE, "a*", [], False),
        ("Null", "false", ["a"], True),
        ("Null", "false", [], False),
        ("Null", "true", [], True),
        ("Null", "true", ["a"], False),
        *[
            (operator, wanted, given, expected)
            for operator in ("ArnEquals", "ArnLike")
            for wanted, given, expected in (
                (["arn:x:1", "arn:y:*"], ["arn:y:2"], True),
                ("arn:x:1", ["arn:x:2"], False),
                ("arn:x:1", [], False),
            )
        ],
    ],
)
def test_a_condition_holds_as_in_iam(
    operator: str, wanted: str | list[str], given: list[str], expected: bool
) -> None:
    assert holds(operator, wanted, *given) is expected


def test_several_values_without_a_quantifier_are_an_error_of_the_document() -> None:
    with pytest.raises(ValueError, match="ForAllValues or ForAnyValue"):
        holds("StringEquals", "a", "a", "b")
    with pytest.raises(ValueError, match="ForSomeValues:StringEquals"):
        holds("ForSomeValues:StringEquals", "a", "a")
