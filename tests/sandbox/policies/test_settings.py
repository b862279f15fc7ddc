"""Levels and configuration, in the real engine's order, without a process."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import PolicyPackError
from sandbox.policies import schema
from sandbox.policies.settings import Policy, Setting, read, settle

POLICY = Policy(
    "thing-small",
    "mandatory",
    whole_stack=False,
    properties={
        "most": {"type": "integer", "minimum": 1, "default": 10},
        "names": {"type": "array", "items": {"type": "string"}, "default": []},
    },
)
POLICIES = {POLICY.name: POLICY}
DEFAULTS = {"most": 10, "names": []}


def settled(given: dict[str, Any], initial: dict[str, Setting] | None = None) -> Setting:
    return settle(POLICIES, initial or {}, given)["thing-small"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Setting("mandatory", DEFAULTS)),
        ({"all": "disabled"}, Setting("disabled", DEFAULTS)),
        ({"all": "disabled", "thing-small": "advisory"}, Setting("advisory", DEFAULTS)),
        ({"thing-small": {"most": 3}}, Setting("mandatory", {"most": 3, "names": []})),
        (
            {"thing-small": {"enforcementLevel": "advisory", "names": ["a"]}},
            Setting("advisory", {"most": 10, "names": ["a"]}),
        ),
    ],
)
def test_configuration_wins_over_defaults(given: dict[str, Any], expected: Setting) -> None:
    assert settled(given) == expected


def test_the_packs_own_configuration_lies_between() -> None:
    initial = {"thing-small": Setting("disabled", {"most": 5})}
    assert settled({}, initial) == Setting("disabled", {"most": 5, "names": []})
    assert settled({"thing-small": "mandatory"}, initial) == Setting("mandatory", {"most": 5, "names": []})


def test_initial_configuration_without_a_level_downgrades_as_pulumi_does() -> None:
    # Number 0 is what a missing level reads as, and 0 is advisory.
    assert settled({}, {"thing-small": Setting("advisory", {"most": 5})}).level == "advisory"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"thing-smal": "mandatory"}, "Did you mean thing-small?"),
        ({"other": "mandatory"}, "There are: thing-small."),
        ({"thing-small": "strict"}, "one of advisory, mandatory, disabled, remediate, and is 'strict'"),
        ({"thing-small": None}, "must be one of advisory"),
        ({"thing-small": {"most": 0}}, ".most must be at least 1, and is 0"),
        ({"thing-small": {"most": "3"}}, ".most must be of type integer, and is '3'"),
        ({"thing-small": {"most": True}}, "must be of type integer"),
        ({"thing-small": {"names": ["a", 1]}}, ".names[1] must be of type string, and is 1"),
        ({"thing-small": {"least": 3}}, "unknown least; known are most, names"),
        ({"all": {"most": 3}}, "`all` sets a level"),
    ],
)
def test_wrong_configuration_is_refused_by_name(given: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyPackError) as raised:
        settled(given)
    assert told in str(raised.value)


def test_what_is_required_and_has_no_default_must_be_given() -> None:
    policies = {"a": Policy("a", "mandatory", whole_stack=True, properties={"x": {}}, required=("x",))}
    with pytest.raises(PolicyPackError, match="policy a needs x"):
        settle(policies, {}, {})
    assert settle(policies, {}, {"a": {"x": 1}})["a"].properties == {"x": 1}
    assert settle(policies, {}, {"a": "disabled"})["a"].level == "disabled"


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        ({"enum": ["a", "b"]}, "a", "c"),
        ({"const": 1}, 1, 2),
        ({"maximum": 3}, 3, 4),
        ({"exclusiveMinimum": 0}, 1, 0),
        ({"exclusiveMaximum": 1}, 0.5, 1),
        ({"pattern": "^a+$"}, "aa", "ab"),
        ({"minLength": 2}, "aa", "a"),
        ({"maxLength": 2}, "aa", "aaa"),
        ({"minItems": 1}, [1], []),
        ({"maxItems": 1}, [1], [1, 2]),
        ({"type": ["string", "null"]}, None, 1),
        ({"type": "number"}, 0.5, "0.5"),
        ({"type": "boolean"}, False, 0),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": "b"}, {"a": 1}),
        ({"required": ["a"]}, {"a": 1}, {}),
    ],
)
def test_each_keyword_of_a_schema(allowed: dict[str, Any], good: Any, bad: Any) -> None:
    assert schema.problem(allowed, good, "it") is None
    assert schema.problem(allowed, bad, "it") is not None


def test_a_keyword_that_is_not_checked_is_refused() -> None:
    with pytest.raises(PolicyPackError, match="oneOf"):
        schema.problem({"oneOf": []}, 1, "it")


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot be read: No such file"), ("{", "is no JSON"), ("[]", "must be an object")],
)
def test_an_unusable_file_is_named(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "policies.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(PolicyPackError, match=told) as raised:
        read(file)
    assert str(file) in str(raised.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "policies.json").write_text('{"all": "mandatory"}')
    assert read(tmp_path / "policies.json") == {"all": "mandatory"}
