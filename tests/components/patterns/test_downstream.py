"""The downstream as it is registered. What it does is in tests/functions/downstream."""

from typing import Any

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.patterns.downstream import Downstream, DownstreamArgs
from selfheal.functions.downstream.core import Setting, parse_setting
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/payments-1a2b3c4"


def registered(*, preview: bool = False, **args: Any) -> tuple[Deployment, Downstream]:
    given: DownstreamArgs = args  # pyright: ignore[reportAssignmentType]
    made: list[Downstream] = []

    def program() -> None:
        made.append(Downstream("payments", given))

    return deploy(program, preview=preview), made[0]


@pytest.mark.parametrize("preview", [True, False])
def test_the_function_has_its_table_and_may_touch_no_other(preview: bool) -> None:
    deployment, _ = registered(preview=preview)
    [table] = deployment.of("aws:dynamodb/table:Table")
    assert (table.inputs["hashKey"], table.inputs["rangeKey"]) == ("pk", "sk")
    assert table.inputs["ttl"] == {"attributeName": "expires_at", "enabled": True}
    [function] = deployment.of("aws:lambda/function:Function")
    assert function.inputs["handler"] == "selfheal.functions.downstream.handler.handle"
    assert function.inputs["environment"]["variables"] == {
        "DOWNSTREAM_TABLE": "payments-1a2b3c4",
        "RATE": "50.0",
        "BURST": "5.0",
    }
    text = deployment.named("payments-downstream-policy").inputs["policy"]
    for action in ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"):
        assert iam.allows(text, action, TABLE)
        assert not iam.allows(text, action, f"{TABLE}2")
    for action in ("dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:DeleteTable"):
        assert not iam.allows(text, action, TABLE)
    assert iam.too_wide(text) == []


def test_its_callers_get_its_url_and_need_no_permission() -> None:
    deployment, downstream = registered()
    url = f"https://payments-api-id.execute-api.{REGION}.amazonaws.com/"
    [component] = deployment.of("selfheal:index:Downstream")
    assert deployment.outputs[component.urn] == {"url": url, "tableName": "payments-1a2b3c4"}
    assert list(downstream.access.environment) == ["DOWNSTREAM_URL"]
    assert downstream.access.environment["DOWNSTREAM_URL"] is downstream.url
    assert downstream.access.statements == ()


@pytest.mark.parametrize(("rate", "burst"), [(0.1, 1), (1000, 1000), (12.5, 2)])
def test_what_the_component_allows_the_function_reads(rate: float, burst: float) -> None:
    deployment, _ = registered(rate=rate, burst=burst)
    [function] = deployment.of("aws:lambda/function:Function")
    variables = function.inputs["environment"]["variables"]
    read = parse_setting({name: variables[name.upper()] for name in ("rate", "burst")}, Setting())
    assert read == Setting(rate=rate, burst=burst)


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            {"rate": 0.09},
            r"rate must be a number from 0\.1 to 1,000 calls a second, got 0\.09\. Leave it out for 50\.",
        ),
        ({"rate": 1000.1}, "rate must be"),
        ({"rate": float("nan")}, "rate must be"),
        ({"rate": True}, "rate must be"),
        (
            {"burst": 0.5},
            r"burst must be a number from 1 to 1,000 calls at once, got 0\.5\. Leave it out for 5\.",
        ),
        ({"burst": 1001}, "burst must be"),
        ({"log_retention_days": 2}, "log_retention_days must be one of"),
    ],
)
def test_what_is_out_of_range_is_refused(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        registered(**args)
