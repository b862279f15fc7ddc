"""Targets and remedies that are refused, before anything is registered."""

import json
from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.healing.targets import TargetArgs, check
from selfheal.functions.shared.contract import RemedyKind
from tests.components.support.deployments import MAPPING, REMEDIES, REMEDY, healer, target, target_for
from tests.support.pulumi_mocks import deploy


def remedy(**changes: Any) -> list[Any]:
    return [{**REMEDY, **changes}]


def remedied(kind: RemedyKind | str, **changes: Any) -> TargetArgs:
    """Return a target whose one remedy has other arguments besides, or instead."""
    wrong: Any = target_for(RemedyKind(kind))
    wrong["remedies"] = [{**wrong["remedies"][0], **changes}]
    return wrong


def refused(text: str, *targets: Any) -> None:
    with pytest.raises(ComponentError, match=text):
        check(targets)


NAMED = (RemedyKind.ENVIRONMENT, RemedyKind.OVERRIDE)
NO_NAMES = ("", "Orders", "-orders", "orders-", "or ders", "orders_1", "x" * 41, "orders\n")
LOADERS = ("AWS_LAMBDA_EXEC_WRAPPER", "AWS_ACCESS_KEY_ID", "LAMBDA_TASK_ROOT", "LD_PRELOAD", "PYTHONPATH")
KINDS = "environment, override, rollback_alias, limit_concurrency, pause_consumer, force_breaker"


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("at least one function to look after, got none", []),
        *[("a target's name must be 1 to 40 small letters", [target(name=name)]) for name in NO_NAMES],
        ("two targets are named 'orders'", [target(), target(function_name="other")]),
        # Alarms are of a function, whatever alias its traffic uses.
        (
            "function 'orders-fn' is target 'orders' and target 'again': both would act",
            [target(), target(name="again", alias="live", remedies=[])],
        ),
        # The environment of a published version never changes.
        (
            (
                r"`environment` cannot work on traffic that uses an alias.*Allowed there are override, "
                r"rollback_alias.*leave `alias` out"
            ),
            [target(alias="live")],
        ),
        (
            r"`rollback_alias` works only on traffic that uses an alias.*Give the target its `alias`",
            [target(remedies=[REMEDIES[RemedyKind.ROLLBACK_ALIAS]])],
        ),
        (f"one of {KINDS}, got 'reboot'", [target(remedies=remedy(kind="reboot"))]),
        ('sets text, got 0. Write it in quotes, such as "0"', [target(remedies=remedy(value=0))]),
        *[
            ("limit must be a whole number, 0 or more, got", [remedied("limit_concurrency", limit=limit)])
            for limit in (-1, 1.5, True, "2", None)
        ],
        *[
            ("expires_after must be a whole number, 60 to 86400, got", [remedied(kind, expires_after=given)])
            for kind in RemedyKind
            for given in (59, 86401, 60.0, "300", True, None)
        ],
        *[
            ("a variable's name must be at least two", [remedied(kind, variable=name)])
            for kind in NAMED
            for name in ("", "A", "1A", "A-B", "A B", "_HANDLER")
        ],
        *[
            (f"a remedy must not set {name}", [remedied(kind, variable=name)])
            for kind in NAMED
            for name in (*LOADERS, "NODE_OPTIONS")
        ],
        *[
            ("circuit must be 1 to 50 letters", [remedied(RemedyKind.FORCE_BREAKER, circuit=name)])
            for name in ("", "*", "pay#ments", "x" * 51, "payments\n", 3, None)
        ],
        ("probe must be the JSON text of a request, got 'GET /health'", [target(probe="GET /health")]),
        ("probe must be the JSON text", [target(probe="")]),
        ("probe must be at most 1024 bytes, got 1025", [target(probe=json.dumps("x" * 1023))]),
        ("probe must be at most 1024 bytes, got 2002", [target(probe=f'"{chr(233) * 1000}"')]),
    ],
)
def test_what_cannot_work_or_could_do_harm_is_refused(text: str, targets: list[Any]) -> None:
    refused(text, *targets)


def test_targets_that_are_fine_are_accepted() -> None:
    check([target(), target(name="a", function_name="a"), target(name="x" * 40, function_name="x")])
    check([target(alias="live", remedies=[])])
    check(
        [
            target(probe='{"path": "/health"}'),
            target(name="long", function_name="long", probe=json.dumps("x" * 1022)),
        ]
    )


@pytest.mark.parametrize("kind", list(RemedyKind))
def test_every_kind_is_accepted_on_the_traffic_that_it_is_for(kind: RemedyKind) -> None:
    check([target_for(kind)])


def test_several_remedies_are_accepted_in_any_order() -> None:
    kinds = [kind for kind in RemedyKind if kind is not RemedyKind.ENVIRONMENT]
    check([target(alias="live", remedies=[REMEDIES[kind] for kind in kinds])])
    check([target(alias="live", remedies=[REMEDIES[kind] for kind in reversed(kinds)])])
    check([target(remedies=remedy(variable="ONE") + remedy(variable="TWO") + remedy(kind="override"))])


def test_a_kind_may_be_written_as_text() -> None:
    deployment = healer(targets=[target(remedies=remedy(kind="environment"))])
    assert "lambda:UpdateFunctionConfiguration" in deployment.named("healer-policy").inputs["policy"]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (RemedyKind.ENVIRONMENT, "`environment` on FAILURE_RATE"),
        (RemedyKind.OVERRIDE, "`override` on FAILURE_RATE"),
        (RemedyKind.ROLLBACK_ALIAS, "`rollback_alias` on live"),
        (RemedyKind.LIMIT_CONCURRENCY, "`limit_concurrency`"),
        (RemedyKind.PAUSE_CONSUMER, f"`pause_consumer` on {MAPPING}"),
        (RemedyKind.FORCE_BREAKER, "`force_breaker` on payments"),
    ],
)
def test_one_setting_given_twice(kind: RemedyKind, what: str) -> None:
    twice = target_for(kind)
    twice["remedies"] = [*twice["remedies"], *twice["remedies"]]
    refused(f"{what} is listed twice", twice)


def test_one_mapping_given_twice_before_it_exists() -> None:
    def program() -> None:
        later = pulumi.Output.from_input(MAPPING)
        one: Any = {"kind": RemedyKind.PAUSE_CONSUMER, "mapping": later}
        refused("`pause_consumer` is listed twice", target(remedies=[one, one]))

    deploy(program)


@pytest.mark.parametrize(
    ("kind", "key", "needed"),
    [
        (RemedyKind.ENVIRONMENT, "variable", "variable, value"),
        (RemedyKind.ENVIRONMENT, "value", "variable, value"),
        (RemedyKind.OVERRIDE, "variable", "variable, value"),
        (RemedyKind.OVERRIDE, "value", "variable, value"),
        (RemedyKind.LIMIT_CONCURRENCY, "limit", "limit"),
        (RemedyKind.PAUSE_CONSUMER, "mapping", "mapping"),
        (RemedyKind.FORCE_BREAKER, "circuit", "circuit, circuit_table"),
        (RemedyKind.FORCE_BREAKER, "circuit_table", "circuit, circuit_table"),
    ],
)
def test_an_argument_that_is_missing(kind: RemedyKind, key: str, needed: str) -> None:
    short = {name: value for name, value in REMEDIES[kind].items() if name != key}
    refused(f"`{kind}` needs {needed} and takes .*: {key} is missing", target(remedies=[short]))


@pytest.mark.parametrize(
    ("kind", "foreign", "takes"),
    [
        (RemedyKind.ENVIRONMENT, {"limit": 2}, "baseline, revert_safe, expires_after"),
        (RemedyKind.OVERRIDE, {"mapping": MAPPING}, "baseline, revert_safe, expires_after"),
        (RemedyKind.ROLLBACK_ALIAS, {"value": "3"}, "revert_safe, expires_after"),
        (RemedyKind.ROLLBACK_ALIAS, {"baseline": "3"}, "revert_safe, expires_after"),
        (RemedyKind.LIMIT_CONCURRENCY, {"variable": "LIMIT"}, "baseline, revert_safe, expires_after"),
        (RemedyKind.PAUSE_CONSUMER, {"limit": 0}, "revert_safe, expires_after"),
        (RemedyKind.PAUSE_CONSUMER, {"baseline": "Enabled"}, "revert_safe, expires_after"),
        (RemedyKind.FORCE_BREAKER, {"revert_safe": False}, "expires_after"),
        (RemedyKind.FORCE_BREAKER, {"baseline": "closed"}, "expires_after"),
        (RemedyKind.OVERRIDE, {"reverse_safe": True}, "baseline, revert_safe, expires_after"),
    ],
)
def test_an_argument_of_another_kind(kind: RemedyKind, foreign: dict[str, Any], takes: str) -> None:
    refused(f"takes {takes} besides: {next(iter(foreign))} is not its own", remedied(kind, **foreign))


def test_the_healer_checks_its_targets_before_it_registers_anything() -> None:
    with pytest.raises(ComponentError, match="two targets"):
        healer(targets=[target(), target()])
