"""Limits that are refused, and that both sides know by the same names and defaults."""

import inspect
import json
import re
from dataclasses import asdict
from typing import Any, get_type_hints

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.guards import DEFAULT_BUDGET, GuardArgs, check_guards, guards_text
from selfheal.functions.healer.observation import Limits
from tests.support.components import healer

CODE = asdict(Limits())
SECONDS = "_seconds"
EVERYTHING: GuardArgs = {
    "target_budget": 1,
    "cool_down_seconds": 0,
    "flapping_limit": 50,
    "flapping_window_seconds": 60,
    "flapping_hold_seconds": 86400,
    "blast_radius": 1,
    "stability_seconds": 3600,
}


def given(**changes: Any) -> GuardArgs:
    return changes  # pyright: ignore[reportReturnType]


def documented() -> dict[str, float]:
    """Return the defaults as the docstrings of GuardArgs say them."""
    text = inspect.getsource(GuardArgs)
    found = re.findall(r'    (\w+): NotRequired\[\w+\]\n    """.*Default ([\d.,]+)\."""', text)
    return {key: float(value.replace(",", "")) for key, value in found}


def test_both_sides_know_the_same_limits_and_defaults() -> None:
    told = json.loads(guards_text(EVERYTHING))
    assert {"budget", *told} == set(CODE)
    assert set(EVERYTHING) == set(get_type_hints(GuardArgs))
    assert CODE["budget"] == DEFAULT_BUDGET
    assert {key.removesuffix(SECONDS): value for key, value in documented().items()} == {
        key: value for key, value in CODE.items() if key != "budget"
    }


def test_the_code_is_told_what_was_given_and_the_budget() -> None:
    [function] = healer(budget=3, guards=EVERYTHING).of("aws:lambda/function:Function")
    variables = function.inputs["environment"]["variables"]
    assert variables["BUDGET"] == "3"
    assert json.loads(variables["GUARDS"]) == {
        key.removesuffix(SECONDS): value for key, value in EVERYTHING.items()
    }
    [function] = healer(guards={"blast_radius": 0.25}).of("aws:lambda/function:Function")
    assert function.inputs["environment"]["variables"]["GUARDS"] == '{"blast_radius":0.25}'


@pytest.mark.parametrize("budget", [1, 24])
def test_limits_at_their_bounds_are_accepted(budget: int) -> None:
    check_guards(budget, EVERYTHING)
    check_guards(budget, {})


@pytest.mark.parametrize("budget", [0, 25, -1, 1.5, "12", True, None])
def test_a_budget_that_is_none(budget: Any) -> None:
    with pytest.raises(ComponentError, match=r"budget must be a whole number from 1 to 24 \(acts in a day\)"):
        healer(budget=budget)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("target_budget", 0, "from 1 to 24"),
        ("target_budget", 25, "from 1 to 24"),
        ("cool_down_seconds", -1, "from 0 to 86400"),
        ("cool_down_seconds", 86401, "from 0 to 86400"),
        ("flapping_limit", 0, "from 1 to 50"),
        ("flapping_limit", 51, "from 1 to 50"),
        ("flapping_window_seconds", 59, "from 60 to 86400"),
        ("flapping_hold_seconds", 59, "from 60 to 86400"),
        ("stability_seconds", 3601, "from 0 to 3600"),
        ("stability_seconds", 1.5, "got 1.5"),
        ("cool_down_seconds", "60", "got '60'"),
        ("flapping_limit", True, "got True"),
    ],
)
def test_a_whole_number_out_of_range(key: str, value: Any, text: str) -> None:
    with pytest.raises(ComponentError, match=f"guards: {key} must be a whole number .*{text}"):
        check_guards(1, given(**{key: value}))


@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan"), "0.5", True])
def test_a_blast_radius_that_is_no_share(share: Any) -> None:
    with pytest.raises(ComponentError, match=r"blast_radius must be a share of the targets, above 0"):
        healer(guards=given(blast_radius=share))


def test_a_limit_that_nobody_knows() -> None:
    with pytest.raises(
        ComponentError, match=r"guards: cooldown is not known\. Known are: blast_radius, cool_"
    ):
        check_guards(1, given(cooldown=1))
