"""What the healer's code is told, and that it understands it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.healing.healer import Healer, HealerArgs
from selfheal.components.healing.targets import TargetArgs
from selfheal.functions.healer.target import AlarmRule, Remedy, Target, parse_targets
from selfheal.functions.shared.contract import AlarmKind, Invocation, RemedyKind
from tests.components.support.deployments import MAPPING, REMEDIES, healer, target, target_for
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-topic-1a2b3c4"
PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:healer-escalation-1a2b3c4"


def variables_of(deployment: Deployment) -> Mapping[str, Any]:
    [function] = deployment.of("aws:lambda/function:Function")
    return function.inputs["environment"]["variables"]


@pytest.mark.parametrize("preview", [True, False])
def test_the_code_understands_what_it_is_told(preview: bool) -> None:
    targets = [
        target(
            instrumented=True, natural_error_rate=0.002, timeout_seconds=300, invocation=Invocation.QUEUED
        ),
        target(name="users", function_name="users-fn"),
    ]
    variables = variables_of(healer(preview, targets=targets))
    assert {key: value for key, value in variables.items() if key != "TARGETS"} == {
        "LEDGER_TABLE": "ledger",
        "TOPIC_ARN": TOPIC,
        "ESCALATION_TOPIC_ARN": PEOPLE,
        "MODE": "act",
        "BUDGET": "12",
        "GUARDS": "{}",
    }
    orders, users = parse_targets(variables["TARGETS"])
    assert (orders.name, orders.function, orders.natural_error_rate) == ("orders", "orders-fn", 0.002)
    assert [alarm.name for alarm in orders.alarms] == [
        "healer-orders-fast-1a2b3c4",
        "healer-orders-backstop-1a2b3c4",
        "healer-orders-slow-1a2b3c4",
    ]
    assert orders.alarms[1] == AlarmRule("healer-orders-backstop-1a2b3c4", AlarmKind.BACKSTOP, 60, 7, 6, 0.05)
    assert orders.alarms[2] == AlarmRule("healer-orders-slow-1a2b3c4", AlarmKind.SLOW, 3600, 1, 5, 0.5)
    assert (orders.timeout, orders.invocation) == (300, Invocation.QUEUED)
    assert [alarm.name for alarm in users.alarms] == [
        "healer-users-backstop-1a2b3c4",
        "healer-users-slow-1a2b3c4",
    ]
    assert (users.timeout, users.invocation) == (60, Invocation.SYNCHRONOUS)
    assert orders.remedies == (Remedy("environment", "FAILURE_RATE", "0"),)
    assert orders.probe is None
    assert ": " not in variables["TARGETS"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "understood"),
    [
        (RemedyKind.ENVIRONMENT, Remedy("environment", "FAILURE_RATE", "0")),
        (RemedyKind.OVERRIDE, Remedy("override", "FAILURE_RATE", "0")),
        (RemedyKind.ROLLBACK_ALIAS, Remedy("rollback_alias", "live", None)),
        (RemedyKind.LIMIT_CONCURRENCY, Remedy("limit_concurrency", "", "2")),
        (RemedyKind.PAUSE_CONSUMER, Remedy("pause_consumer", MAPPING, "Disabled", expires_after=300)),
        (
            RemedyKind.FORCE_BREAKER,
            Remedy("force_breaker", "payments", "open", revert_safe=True, expires_after=300),
        ),
    ],
)
def test_the_code_understands_every_kind_of_remedy(kind: RemedyKind, understood: Remedy) -> None:
    [found] = told(target_for(kind))
    assert found.remedies == (understood,)
    more: Any = target_for(kind)
    # A circuit may always be released, and is asked nothing.
    safe: Any = {} if kind is RemedyKind.FORCE_BREAKER else {"revert_safe": True}
    more["remedies"] = [{**more["remedies"][0], **safe, "expires_after": 600}]
    [found] = told(more)
    assert found.remedies == (replace(understood, revert_safe=True, expires_after=600),)


def told(*targets: TargetArgs) -> tuple[Target, ...]:
    variables = variables_of(healer(targets=list(targets)))
    return parse_targets(variables["TARGETS"])


def test_remedies_keep_their_order_and_the_rest_arrives() -> None:
    [found] = told(
        target(
            alias="live",
            probe='{"path": "/"}',
            remedies=[
                REMEDIES[RemedyKind.ROLLBACK_ALIAS],
                {**REMEDIES[RemedyKind.OVERRIDE], "baseline": "0.3"},
            ],
        )
    )
    assert [str(remedy.setting) for remedy in found.remedies] == [
        "rollback_alias:live",
        "override:FAILURE_RATE",
    ]
    assert found.remedies[1].baseline == "0.3"
    assert found.probe == '{"path": "/"}'


def test_a_mapping_that_does_not_exist_yet_hides_nothing_but_the_targets() -> None:
    """At preview its UUID is unknown; a guard must still read the mode and the budget."""

    def program() -> None:
        later = pulumi.Output.from_input(pulumi.output.UNKNOWN)
        paused: Any = {"kind": RemedyKind.PAUSE_CONSUMER, "mapping": later}
        args: HealerArgs = {"targets": [target(remedies=[paused])], "ledger_name": "ledger"}
        Healer("healer", args)

    variables = variables_of(deploy(program, preview=True))
    assert (variables["MODE"], variables["BUDGET"]) == ("observe", "12")
    assert isinstance(variables["TARGETS"], pulumi.output.Unknown)


@pytest.mark.slow
def test_eight_targets_with_every_alarm_fit() -> None:
    targets = [
        target(
            name=f"checkout-{n}",
            function_name=f"checkout-{n}-1a2b3c4",
            instrumented=True,
            timeout_seconds=900,
            invocation=Invocation.ASYNCHRONOUS,
            alias="live",
            remedies=[REMEDIES[RemedyKind.ROLLBACK_ALIAS]],
        )
        for n in range(8)
    ]
    assert len(told(*targets)) == 8


@pytest.mark.slow
def test_more_targets_than_the_environment_holds_are_refused() -> None:
    targets = [target(name=f"service-number-{n}", function_name=f"service-number-{n}") for n in range(20)]
    with pytest.raises(
        ComponentError, match=r"environment is \d+ bytes.* for 20 targets; Lambda allows 4096"
    ):
        healer(targets=targets)
