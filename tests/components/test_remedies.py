"""Targets and remedies that are refused, before anything is registered."""

from typing import Any

import pytest

from components import remedies
from components.errors import ComponentError
from tests.support.components import REMEDY, healer, target


def remedy(**changes: Any) -> list[Any]:
    return [{**REMEDY, **changes}]


def refused(text: str, *targets: Any) -> None:
    with pytest.raises(ComponentError, match=text):
        remedies.check(targets)


def test_a_target_that_is_fine_is_accepted() -> None:
    remedies.check([target(), target(name="a"), target(name="x" * 40)])


def test_a_kind_may_be_written_as_text() -> None:
    deployment = healer(targets=[target(remedies=remedy(kind="environment"))])
    assert "lambda:UpdateFunctionConfiguration" in deployment.named("healer-policy").inputs["policy"]


def test_no_targets() -> None:
    refused("at least one function to look after, got none")


@pytest.mark.parametrize(
    "name", ["", "Orders", "-orders", "orders-", "or ders", "orders_1", "x" * 41, "orders\n"]
)
def test_a_name_that_cannot_be_a_key(name: str) -> None:
    refused("a target's name must be 1 to 40 small letters", target(name=name))


def test_a_name_given_twice() -> None:
    refused("two targets are named 'orders'", target(), target(function_name="other"))


def test_the_environment_of_a_published_version_is_frozen() -> None:
    refused("cannot work on traffic that uses an alias", target(alias="live"))
    remedies.check([target(alias="live", remedies=[])])


def test_more_than_one_remedy() -> None:
    refused("at most one remedy is tried before people are called, got 2", target(remedies=[REMEDY, REMEDY]))


@pytest.mark.parametrize("variable", ["", "A", "1A", "A-B", "A B", "_HANDLER"])
def test_a_name_that_no_variable_can_have(variable: str) -> None:
    refused("a variable's name must be at least two", target(remedies=remedy(variable=variable)))


@pytest.mark.parametrize(
    "variable",
    [
        "AWS_LAMBDA_EXEC_WRAPPER",
        "AWS_ACCESS_KEY_ID",
        "LAMBDA_TASK_ROOT",
        "LD_PRELOAD",
        "PYTHONPATH",
        "NODE_OPTIONS",
    ],
)
def test_a_variable_that_decides_what_code_runs(variable: str) -> None:
    refused(f"a remedy must not set {variable}", target(remedies=remedy(variable=variable)))


def test_a_kind_that_does_not_exist() -> None:
    refused("must be one of environment, got 'reboot'", target(remedies=remedy(kind="reboot")))


def test_the_healer_checks_its_targets_before_it_registers_anything() -> None:
    with pytest.raises(ComponentError, match="two targets"):
        healer(targets=[target(), target()])
