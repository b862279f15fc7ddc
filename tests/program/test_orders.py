"""The orders stack: what it registers, what its functions may do, and what it exports for commands."""

import json
from typing import Any

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.services.orders import MAXIMUM_CONCURRENCY, Orders, OrdersArgs
from tests.components.support import iam
from tests.program.test_program import run
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, RefusedError, deploy

pytestmark = pytest.mark.slow

TOKENS = json.dumps({"ann": "a" * 32})


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return run("orders", changes={"callers": TOKENS, "analytics": "true"})


@pytest.fixture(scope="module")
def previewed() -> Deployment:
    return run("orders", changes={"callers": TOKENS, "analytics": "true"}, preview=True)


def variables(deployment: Deployment) -> dict[str, dict[str, str]]:
    functions = deployment.of("aws:lambda/function:Function")
    return {each.name: each.inputs["environment"]["variables"] for each in functions}


def test_the_small_stack_stays_small() -> None:
    assert len(run("dev").resources) <= 43
    assert not run("dev").of("aws:sqs/queueRedriveAllowPolicy:QueueRedriveAllowPolicy")


def test_it_exports_what_the_commands_need(deployment: Deployment) -> None:
    exports = deployment.exports
    assert exports["url"] == f"https://orders-api-api-id.execute-api.{REGION}.amazonaws.com/v1"
    assert set(exports["deadLetters"]) == {
        *(
            "intake",
            "intake-evicted",
            "bus",
            "fulfilment",
            "fulfilment-evicted",
            "billing",
            "billing-evicted",
        ),
        "analytics",
    }
    assert exports["deadLetters"]["analytics"].startswith("s3://")
    assert exports["sandbox"] is True
    assert exports["circuits"] == {"orders-downstream": "orders-downstream-circuit-1a2b3c4"}
    assert set(exports["buses"]["orders"]["rules"]) == {"fulfilment", "billing", "analytics"}


@pytest.mark.parametrize("site", [True, False])
def test_a_page_is_served_in_front_of_the_api_if_it_is_configured(deployment: Deployment, site: bool) -> None:
    given = deployment if site else run("orders", changes={"site": "false"})
    found = given.of("aws:cloudfront/distribution:Distribution")
    assert len(found) == site
    assert ("siteUrl" in given.exports) is site
    for each in found:
        api = each.inputs["origins"][1]
        assert given.exports["url"] == f"https://{api['domainName']}{api['originPath']}"
        patterns = [behavior["pathPattern"] for behavior in each.inputs["orderedCacheBehaviors"]]
        assert patterns == ["/orders/*", "/status/*"]
        assert given.exports["siteUrl"] == "https://d-orders-site-distribution-id.cloudfront.net"


def test_tokens_in_plain_text_are_warned_of_and_never_shown(deployment: Deployment) -> None:
    [warning] = deployment.warnings
    assert "selfheal:callers is plain text" in warning
    assert "pulumi config set --secret --path callers.ann TOKEN" in warning
    assert "a" * 32 not in warning
    assert run("orders").warnings == []


def test_the_shares_of_the_downstreams_rate_sum_to_one(deployment: Deployment) -> None:
    """What a consumer may call a second is its concurrency over the seconds that each message takes."""
    found = variables(deployment)
    [rate] = [float(each["RATE"]) for each in found.values() if "RATE" in each]
    consumers = {"fulfilment": "orders-fulfilment-consumer", "billing": "orders-billing-consumer"}
    shares = {
        name: MAXIMUM_CONCURRENCY[name] / float(found[function]["SECONDS_PER_MESSAGE"]) / rate
        for name, function in consumers.items()
    }
    assert sum(shares.values()) == pytest.approx(1)


def test_nobody_may_do_everything(deployment: Deployment, previewed: Deployment) -> None:
    for each in (deployment, previewed):
        for resource in each.of("aws:iam/rolePolicy:RolePolicy"):
            assert "*" not in json.loads(resource.inputs["policy"])["Statement"][0]["Action"], resource.name


@pytest.mark.parametrize(
    ("function", "action", "allowed"),
    [
        ("publisher", "dynamodb:PutItem", True),
        ("publisher", "dynamodb:GetItem", False),
        ("fulfilment", "dynamodb:UpdateItem", True),
        ("fulfilment", "dynamodb:PutItem", False),
        ("billing", "dynamodb:UpdateItem", True),
        ("reader", "dynamodb:GetItem", True),
        ("reader", "dynamodb:UpdateItem", False),
        ("analytics", "dynamodb:PutItem", False),
    ],
)
def test_each_function_does_only_its_own_with_an_order(
    previewed: Deployment, function: str, action: str, allowed: bool
) -> None:
    handler = f"selfheal.functions.orders.{function}.handle"
    [name] = [
        each.name
        for each in previewed.of("aws:lambda/function:Function")
        if each.inputs["handler"] == handler
    ]
    text = previewed.named(f"{name}-policy").inputs["policy"]
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-table-1a2b3c4"
    assert iam.allows(text, action, table, "order#ann#1") is allowed
    assert not iam.allows(text, "dynamodb:DeleteItem", table, "order#ann#1")


@pytest.mark.parametrize(("rate", "batch"), [(0.5, 1), (2, 5), (20, 10), (1000, 10)])
def test_every_rate_that_is_allowed_can_be_deployed(rate: float, batch: int) -> None:
    deployment = run("orders", changes={"downstreamRate": str(rate)})
    assert deployment.named("orders-fulfilment-mapping").inputs["batchSize"] == batch


def test_analytics_is_optional_because_it_costs_money() -> None:
    assert run("orders").of("aws:kinesis/stream:Stream") == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rate": 0.1}, "rate must be from 0.5 to 1000 calls a second, got 0.1"),
        ({"rate": True}, "rate must be"),
        ({"articles": []}, "articles must name at least one, without commas, got none"),
        ({"articles": ["a,b"]}, r"got \['a,b'\]"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], text: str) -> None:
    args: OrdersArgs = {"people": "arn:aws:sns:us-east-1:000000000000:on-call", **changes}  # type: ignore[typeddict-item]
    with pytest.raises(ComponentError, match=text):
        deploy(lambda: Orders("orders", args) and None)


@pytest.mark.parametrize("key", ["downstreamRate", "callers", "articles"])
def test_configuration_that_cannot_be_used_is_refused_by_key(key: str) -> None:
    with pytest.raises((RefusedError, Exception), match=f"selfheal:{key}"):
        run("orders", changes={key: "[1"})
