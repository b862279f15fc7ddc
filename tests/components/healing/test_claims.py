"""One function has one target of one healer."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from selfheal.components.healing.healer import Healer
from tests.components.support.deployments import target
from tests.support.pulumi_mocks import deploy

SAYS = "both would act on one failure"


def two(*healers: list[Any], preview: bool = True) -> None:
    """Register healers, in one program, with targets whose late names are outputs."""

    def program() -> None:
        for number, targets in enumerate(healers):
            given = [{**each, "function_name": each["function_name"]()} for each in targets]
            args: Any = {"targets": given, "ledger_name": f"ledger-{number}"}
            Healer(f"healer-{number}", args)

    deploy(program, preview=preview)


def known(name: str) -> Callable[[], str]:
    return lambda: name


def late(name: str) -> Callable[[], pulumi.Output[str]]:
    return lambda: pulumi.Output.from_input(name)


def unknown() -> pulumi.Output[str]:
    later: Any = pulumi.output.UNKNOWN
    return pulumi.Output.from_input(later)


@pytest.mark.parametrize("preview", [True, False])
def test_two_targets_of_one_healer_cannot_be_one_function_that_is_known_late(preview: bool) -> None:
    first, again = (
        target(function_name=late("orders-fn")),
        target(name="again", function_name=known("orders-fn")),
    )
    with pytest.raises(Exception, match=SAYS):
        two([first, again], preview=preview)


@pytest.mark.parametrize("preview", [True, False])
def test_two_healers_of_one_program_cannot_have_one_function(preview: bool) -> None:
    same = [target(function_name=known("orders-fn"))]
    says = "target 'orders' of healer 'healer-[01]' and target 'orders' of healer 'healer-[01]'"
    with pytest.raises(Exception, match=says):
        two(same, same, preview=preview)


@pytest.mark.slow
def test_healers_with_different_functions_and_the_next_program_are_fine() -> None:
    orders, users = (target(name=name, function_name=known(f"{name}-fn")) for name in ("orders", "users"))
    two([orders], [users])
    two([orders])
    two([target(function_name=unknown)], [orders])
