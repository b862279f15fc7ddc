"""What is said of an error: our own words, and of others only what cannot hold a secret."""

import ast
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError

from selfheal.functions import healer
from selfheal.functions.shared.errors import OwnError, words
from tests.functions.support.faults import CANARY, aws_error

HEALER = Path(str(healer.__file__)).parent
SECRETS = {"variables", "environ", "environment", "token", "payload", "probe", "body"}
"""Names of what holds values of an environment, or what is sent to a service."""


class SpecialError(OwnError):
    """One of ours."""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OwnError("shop: the alarm\n is gone"), "shop: the alarm is gone"),
        (SpecialError("of ours"), "of ours"),
        (OwnError("x" * 1000), "x" * 300),
        (aws_error("AccessDenied", "Publish"), "ClientError AccessDenied Publish"),
        (ReadTimeoutError(endpoint_url=f"https://{CANARY}"), "ReadTimeoutError"),
        (ValueError(f"invalid literal: {CANARY}"), "ValueError"),
        (KeyError(CANARY), "KeyError"),
        (TypeError(CANARY), "TypeError"),
    ],
)
def test_what_is_said_of_an_error(error: Exception, text: str) -> None:
    assert words(error) == text
    assert CANARY not in words(error)


def own_errors() -> list[tuple[str, ast.Call]]:
    """Find each place where the healer makes an error in its own words."""
    return [
        (f"{path.name}:{node.lineno}", node)
        for path in sorted(HEALER.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("OwnError", "UnreadableError", "UnreadableItemError")
    ]


def test_our_own_words_name_no_value_of_an_environment() -> None:
    found = own_errors()
    assert len(found) > 10
    for where, call in found:
        names = {
            each.attr if isinstance(each, ast.Attribute) else each.id
            for each in ast.walk(call)
            if isinstance(each, (ast.Attribute, ast.Name))
        }
        assert not names & SECRETS, where
