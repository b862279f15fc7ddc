"""Limits that are refused."""

import inspect
import json
import re
from dataclasses import asdict
from typing import Any, get_type_hints

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.healing.limits import GuardArgs, check_guards
from selfheal.functions.shared.contract import LIMIT_RANGES, Limits
from tests.components.support.deployments import healer

EVERYTHING: GuardArgs = {
    "target_budget": 1,
    "cool_down_seconds": 0,
    "flapping_limit": 50,
    "flapping_window_seconds": 60,
    "flapping_hold_seconds": 86400,
    "blast_radius": 1,
    "stability_seconds": 3600,
    "remind_seconds": 604800,
}


def given(**changes: Any) -> GuardArgs:
    return changes  # pyright: ignore[reportReturnType]


def documented() -> dict[str, float]:
    """Return the defaults as the docstrings of GuardArgs say them."""
    text = inspect.getsource(GuardArgs)
    found = re.findall(r'    (\w+): NotRequired\[\w+\]\n    """.*Default ([\d.,]+)\."""', text)
    return {key: float(value.replace(",", "")) for key, value in found}


def test_the_arguments_are_the_contracts_limits_and_say_their_defaults() -> None:
    limits = asdict(Limits())
    assert {"budget", *get_type_hints(GuardArgs)} == set(limits) == {*LIMIT_RANGES, "blast_radius"}
    assert {"budget": Limits.budget, **documented()} == limits


@pytest.mark.slow
def test_the_code_is_told_what_was_given_and_the_budget() -> None:
    [function] = healer(budget=3, guards=EVERYTHING).of("aws:lambda/function:Function")
    variables = function.inputs["environment"]["variables"]
    assert variables["BUDGET"] == "3"
    assert Limits(**json.loads(variables["GUARDS"])) == Limits(**EVERYTHING)
    [function] = healer(guards={"blast_radius": 0.25}).of("aws:lambda/function:Function")
    assert function.inputs["environment"]["variables"]["GUARDS"] == '{"blast_radius":0.25}'


@pytest.mark.parametrize("budget", [1, 24])
def test_limits_at_their_bounds_are_accepted(budget: int) -> None:
    check_guards(budget, EVERYTHING)
    check_guards(budget, {})


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("target_budget", 0, "must be a whole number from 1 to 24"),
        ("target_budget", 25, "from 1 to 24"),
        ("cool_down_seconds", -1, "from 0 to 86400"),
        ("cool_down_seconds", 86401, "from 0 to 86400"),
        ("flapping_limit", 0, "from 1 to 50"),
        ("flapping_limit", 51, "from 1 to 50"),
        ("flapping_window_seconds", 59, "from 60 to 86400"),
        ("flapping_hold_seconds", 59, "from 60 to 86400"),
        ("stability_seconds", 3601, "from 0 to 3600"),
        ("stability_seconds", 1.5, "got 1.5"),
        ("remind_seconds", 3599, "from 3600 to 604800"),
        ("remind_seconds", 604801, "from 3600 to 604800"),
        ("cool_down_seconds", "60", "got '60'"),
        ("flapping_limit", True, "got True"),
        *[
            ("blast_radius", share, "must be a share of the targets, above 0")
            for share in (0, -0.1, 1.1, float("nan"), "0.5", True)
        ],
        ("cooldown", 1, r"is not known\. Known are: blast_radius, cool_"),
    ],
)
def test_a_limit_that_is_refused(key: str, value: Any, text: str) -> None:
    with pytest.raises(ComponentError, match=f"guards: {key} .*{text}"):
        check_guards(1, given(**{key: value}))


@pytest.mark.parametrize("budget", [0, 25, -1, 1.5, "12", True, None])
def test_a_budget_that_is_refused(budget: Any) -> None:
    with pytest.raises(ComponentError, match=r"budget must be a whole number from 1 to 24 \(acts in a day\)"):
        healer(budget=budget)


def test_the_healer_checks_its_guards() -> None:
    with pytest.raises(ComponentError, match="blast_radius"):
        healer(guards=given(blast_radius=0))
