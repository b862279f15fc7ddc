"""Targets and remedies that are refused, before anything is registered."""

import json
from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.targets import check
from selfheal.functions.shared.contract import RemedyKind
from tests.components.support.deployments import MAPPING, REMEDIES, REMEDY, healer, target, target_for
from tests.support.pulumi_mocks import deploy


def remedy(**changes: Any) -> list[Any]:
    return [{**REMEDY, **changes}]


def refused(text: str, *targets: Any) -> None:
    with pytest.raises(ComponentError, match=text):
        check(targets)


def test_a_target_that_is_fine_is_accepted() -> None:
    check([target(), target(name="a"), target(name="x" * 40)])


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
    refused(
        r"`environment` cannot work on traffic that uses an alias.*Allowed there are override, "
        r"rollback_alias.*pulumi config set --path 'remedies\[0\]' override",
        target(alias="live"),
    )
    check([target(alias="live", remedies=[])])


def test_latest_has_no_version_to_go_back_to() -> None:
    refused(
        r"`rollback_alias` works only on traffic that uses an alias.*pulumi config set traffic alias",
        target(remedies=[REMEDIES[RemedyKind.ROLLBACK_ALIAS]]),
    )


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (RemedyKind.ENVIRONMENT, "`environment` on FAILURE_RATE"),
        (RemedyKind.OVERRIDE, "`override` on FAILURE_RATE"),
        (RemedyKind.ROLLBACK_ALIAS, "`rollback_alias` on live"),
        (RemedyKind.LIMIT_CONCURRENCY, "`limit_concurrency`"),
        (RemedyKind.PAUSE_CONSUMER, f"`pause_consumer` on {MAPPING}"),
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
        (RemedyKind.OVERRIDE, {"reverse_safe": True}, "baseline, revert_safe, expires_after"),
    ],
)
def test_an_argument_of_another_kind(kind: RemedyKind, foreign: dict[str, Any], takes: str) -> None:
    wrong: Any = target_for(kind)
    wrong["remedies"] = [{**REMEDIES[kind], **foreign}]
    refused(f"takes {takes} besides: {next(iter(foreign))} is not its own", wrong)


@pytest.mark.parametrize("limit", [-1, 1.5, True, "2", None])
def test_a_limit_that_is_none(limit: Any) -> None:
    wrong: Any = {"kind": RemedyKind.LIMIT_CONCURRENCY, "limit": limit}
    refused("limit must be a whole number, 0 or more, got", target(remedies=[wrong]))


@pytest.mark.parametrize("kind", list(RemedyKind))
@pytest.mark.parametrize("seconds", [59, 86401, 60.0, "300", True, None])
def test_an_expiry_out_of_range(kind: RemedyKind, seconds: Any) -> None:
    wrong = target_for(kind)
    wrong["remedies"] = [{**REMEDIES[kind], "expires_after": seconds}]
    refused("expires_after must be a whole number, 60 to 86400, got", wrong)


def test_a_value_that_is_no_text() -> None:
    refused('sets text, got 0. Write it in quotes, such as "0"', target(remedies=remedy(value=0)))


NAMED = [RemedyKind.ENVIRONMENT, RemedyKind.OVERRIDE]


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("variable", ["", "A", "1A", "A-B", "A B", "_HANDLER"])
def test_a_name_that_no_variable_can_have(kind: RemedyKind, variable: str) -> None:
    refused("a variable's name must be at least two", target(remedies=remedy(kind=kind, variable=variable)))


@pytest.mark.parametrize("kind", NAMED)
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
def test_a_variable_that_decides_what_code_runs(kind: RemedyKind, variable: str) -> None:
    refused(f"a remedy must not set {variable}", target(remedies=remedy(kind=kind, variable=variable)))


def test_a_kind_that_does_not_exist() -> None:
    refused(
        "one of environment, override, rollback_alias, limit_concurrency, pause_consumer, got 'reboot'",
        target(remedies=remedy(kind="reboot")),
    )


def test_a_probe_is_json_and_short() -> None:
    check([target(probe='{"path": "/health"}'), target(name="long", probe=json.dumps("x" * 1022))])
    refused("probe must be the JSON text of a request, got 'GET /health'", target(probe="GET /health"))
    refused("probe must be the JSON text", target(probe=""))
    refused("probe must be at most 1024 bytes, got 1025", target(probe=json.dumps("x" * 1023)))
    refused("probe must be at most 1024 bytes, got 2002", target(probe=f'"{chr(233) * 1000}"'))


def test_the_healer_checks_its_targets_before_it_registers_anything() -> None:
    with pytest.raises(ComponentError, match="two targets"):
        healer(targets=[target(), target()])
