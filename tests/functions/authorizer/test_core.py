"""Who is let in, and how API Gateway is told."""

import json
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.functions.authorizer.core import UnauthorizedError, answer, parse_callers, token_of
from selfheal.functions.shared.tokens import TOKEN, digest

ARN = "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/PUT/orders/o-1"
ALICE = "a" * 32
CALLERS = {digest(ALICE): "alice"}


def test_a_known_token_may_use_both_methods_of_its_api_and_no_other() -> None:
    given_ = answer(f"Bearer {ALICE}", ARN, CALLERS)
    assert given_["principalId"] == "alice"
    [statement] = given_["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    api = "arn:aws:execute-api:us-east-1:123456789012:abc123"

    def covered(arn: str) -> bool:
        return any(fnmatchcase(arn, resource) for resource in statement["Resource"])

    assert covered(f"{api}/v1/PUT/orders/o-2")
    assert covered(f"{api}/v1/GET/orders/o-2")
    assert not covered(f"{api}/v2/GET/orders/o-2")
    assert not covered(f"{api}/v1/DELETE/orders/o-2")
    assert not covered(f"{api.replace('abc123', 'other')}/v1/GET/orders/o-2")


def test_an_unknown_token_is_denied_everything() -> None:
    given_ = answer(f"Bearer {'b' * 32}", ARN, CALLERS)
    [statement] = given_["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert given_["principalId"] == "nobody"
    assert answer(f"Bearer {ALICE}", ARN, {})["policyDocument"]["Statement"][0]["Effect"] == "Deny"


@given(st.text(min_size=1))
def test_only_the_token_itself_is_let_in(text: str) -> None:
    header = f"Bearer {text}"
    try:
        effect = answer(header, ARN, CALLERS)["policyDocument"]["Statement"][0]["Effect"]
    except UnauthorizedError:
        effect = "Deny"
    assert effect == ("Allow" if text == ALICE else "Deny")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Basic {ALICE}", ALICE, "Bearer short", f"Bearer  {ALICE}", "Bearer é"],
)
def test_what_is_no_token_is_unauthorized_in_the_word_that_api_gateway_knows(header: str) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        token_of(header)
    assert str(caught.value) == "Unauthorized"


def test_the_scheme_may_be_written_as_people_do() -> None:
    assert token_of(f"bearer {ALICE}") == ALICE
    assert TOKEN.fullmatch("a" * 1025) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"short": "alice"}', json.dumps({digest("x"): "a b"}), json.dumps({digest("x"): 1})],
)
def test_a_secret_that_is_something_else_is_an_error_that_does_not_quote_it(text: str) -> None:
    with pytest.raises(ValueError, match="deploy the stack again") as caught:
        parse_callers(text)
    assert digest("x") not in str(caught.value)


def test_a_secret_is_read() -> None:
    assert parse_callers(json.dumps(CALLERS)) == CALLERS
    assert parse_callers("{}") == {}
