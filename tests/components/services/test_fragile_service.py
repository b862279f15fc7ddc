"""The fragile service as it is registered."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.services.fragile_service import FragileService, FragileServiceArgs, Traffic
from selfheal.functions.shared.contract import FaultMode
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fragile-1a2b3c4"
API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}"


def serve(preview: bool = False, **changes: Any) -> tuple[Deployment, FragileService]:
    base: dict[str, Any] = {"failure_rate": 0.3}
    args: FragileServiceArgs = base | changes  # pyright: ignore[reportAssignmentType]
    made: list[FragileService] = []

    def program() -> None:
        made.append(FragileService("fragile", args))

    return deploy(program, preview=preview), made[0]


def variables_of(deployment: Deployment) -> Mapping[str, str]:
    [function] = deployment.of("aws:lambda/function:Function")
    return function.inputs["environment"]["variables"]


@pytest.mark.parametrize("preview", [True, False])
def test_the_function(preview: bool) -> None:
    deployment, _ = serve(preview)
    [function] = deployment.of("aws:lambda/function:Function")
    assert function.inputs["timeout"] == 3
    assert function.inputs["environment"]["variables"] == {"FAILURE_RATE": "0.3", "FAULT_MODE": "exception"}
    assert function.inputs["publish"] is False


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0"), (0.0, "0"), (1.0, "1"), (0.3, "0.3"), (0.1234567, "0.1234567"), (1e-7, "1e-07")],
)
def test_the_rate_reaches_the_function_exactly(rate: float, text: str) -> None:
    deployment, _ = serve(failure_rate=rate)
    assert deployment.named("fragile-stage").parent == deployment.of("selfheal:index:FragileService")[0].urn
    assert variables_of(deployment)["FAILURE_RATE"] == text
    assert float(text) == rate


@pytest.mark.parametrize("mode", list(FaultMode))
def test_every_fault_mode_reaches_the_function(mode: FaultMode) -> None:
    deployment, _ = serve(fault_mode=mode)
    assert variables_of(deployment)["FAULT_MODE"] == mode.value


@pytest.mark.parametrize("preview", [True, False])
def test_both_the_root_and_every_other_path_reach_the_function(preview: bool) -> None:
    deployment, _ = serve(preview)
    routes = deployment.of("aws:apigatewayv2/route:Route")
    assert {route.inputs["routeKey"] for route in routes} == {"ANY /", "ANY /{proxy+}"}
    [integration] = deployment.of("aws:apigatewayv2/integration:Integration")
    assert integration.inputs["integrationType"] == "AWS_PROXY"
    assert integration.inputs["payloadFormatVersion"] == "2.0"
    assert all(integration.urn in route.dependencies for route in routes)
    [stage] = deployment.of("aws:apigatewayv2/stage:Stage")
    assert (stage.inputs["name"], stage.inputs["autoDeploy"]) == ("$default", True)
    logs = deployment.named("fragile-access-logs").inputs
    assert stage.inputs["accessLogSettings"]["destinationArn"].endswith(
        ":log-group:fragile-access-logs-1a2b3c4"
    )
    assert logs["retentionInDays"] == 14
    logged = json.loads(stage.inputs["accessLogSettings"]["format"])
    assert {"requestId", "sourceIp", "status", "error"} <= logged.keys()
    assert all(value.startswith("$context.") for value in logged.values())
    # So that an address that is known also answers.
    [permission] = deployment.of("aws:lambda/permission:Permission")
    assert {*(route.urn for route in routes), permission.urn} <= stage.dependencies


def test_with_latest_there_is_no_alias() -> None:
    deployment, service = serve()
    assert service.alias_name is None
    assert deployment.of("aws:lambda/alias:Alias") == []
    [integration] = deployment.of("aws:apigatewayv2/integration:Integration")
    assert integration.inputs["integrationUri"] == FUNCTION_ARN


def test_with_an_alias_the_api_invokes_a_published_version() -> None:
    deployment, service = serve(traffic=Traffic.ALIAS)
    assert service.alias_name is not None
    [function] = deployment.of("aws:lambda/function:Function")
    assert function.inputs["publish"] is True
    [alias] = deployment.of("aws:lambda/alias:Alias")
    assert (alias.inputs["name"], alias.inputs["functionVersion"]) == ("live", "1")
    [integration] = deployment.of("aws:apigatewayv2/integration:Integration")
    assert integration.inputs["integrationUri"] == f"{FUNCTION_ARN}:live"
    [permission] = deployment.of("aws:lambda/permission:Permission")
    assert permission.inputs["qualifier"] == "live"


@pytest.mark.parametrize("traffic", list(Traffic))
def test_only_this_api_may_invoke_the_function(traffic: Traffic) -> None:
    deployment, _ = serve(traffic=traffic)
    [permission] = deployment.of("aws:lambda/permission:Permission")
    text = iam.permission_document(permission.inputs, FUNCTION_ARN)
    resource = FUNCTION_ARN + (":live" if traffic is Traffic.ALIAS else "")

    def invoke(service: str, source: str, on: str = resource) -> iam.Verdict:
        context = {"aws:SourceArn": source}
        request = iam.Request("lambda:InvokeFunction", on, service=service, context=context)
        return iam.resource_policy(text, request)

    gateway = "apigateway.amazonaws.com"
    assert invoke(gateway, f"{API}:fragile-api-id/$default/GET/") is iam.Verdict.ALLOWED
    assert invoke(gateway, f"{API}:other-api/$default/GET/") is iam.Verdict.NOT_ALLOWED
    assert invoke(gateway, f"{API}:fragile-api-id2/$default/GET/") is iam.Verdict.NOT_ALLOWED
    assert invoke("sns.amazonaws.com", f"{API}:fragile-api-id/$default/GET/") is iam.Verdict.NOT_ALLOWED
    assert (
        invoke(gateway, f"{API}:fragile-api-id/$default/GET/", f"{FUNCTION_ARN}:other")
        is iam.Verdict.NOT_ALLOWED
    )


@pytest.mark.parametrize("preview", [True, False])
def test_the_role_can_only_write_its_own_logs_and_traces(preview: bool) -> None:
    deployment, _ = serve(preview)
    logs, traces = iam.statements(deployment.named("fragile-policy").inputs["policy"])
    assert set(traces["Action"]) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert set(logs["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert logs["Resource"] == [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:fragile-logs-1a2b3c4:*"]


def test_without_overrides_it_reads_none() -> None:
    deployment, _ = serve()
    assert not any(key.startswith("OVERRIDES") for key in variables_of(deployment))
    assert "dynamodb" not in deployment.named("fragile-policy").inputs["policy"]


@pytest.mark.parametrize("preview", [True, False])
def test_it_may_read_its_own_override_and_nothing_else_of_the_ledger(preview: bool) -> None:
    deployment, _ = serve(preview, overrides={"table": "ledger", "target": "orders"})
    variables = variables_of(deployment)
    assert (variables["OVERRIDES_TABLE"], variables["OVERRIDES_TARGET"]) == ("ledger", "orders")
    text = deployment.named("fragile-policy").inputs["policy"]
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"

    def may(action: str, *keys: str, on: str = table) -> bool:
        return iam.allows(text, action, on, *keys)

    get = "dynamodb:GetItem"
    assert may(get, "override#orders")
    for keys in (("override#users",), ("override#orders2",), ("mode",), ("target#orders",), ()):
        assert not may(get, *keys)
    assert not may(get, "override#orders", "mode")
    assert not may(get, "override#orders", on=f"{table}-other")
    for action in ("dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem"):
        assert not may(action, "override#orders")


RATE = r"failure_rate must be a number from 0 .* to 1 .*, got"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        *[({"failure_rate": rate}, RATE) for rate in (-0.1, 1.5, float("nan"), float("inf"), True)],
        ({"log_retention_days": 10}, r"log_retention_days must be one of 1, 3, .*, got 10\."),
        *[
            ({"overrides": {"table": "ledger", "target": name}}, "a target's name must be")
            for name in ("*", "ord*", "", "Orders")
        ],
    ],
)
def test_an_argument_out_of_range_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        serve(**changes)


def test_every_resource_belongs_to_the_component_and_it_registers_its_outputs() -> None:
    deployment, _ = serve()
    [component] = deployment.of("selfheal:index:FragileService")
    assert component.inputs["failure_rate"] == 0.3
    assert {resource.parent for resource in deployment.resources if resource != component} == {component.urn}
    assert deployment.outputs[component.urn] == {
        "functionName": "fragile-1a2b3c4",
        "url": f"https://fragile-api-id.execute-api.{REGION}.amazonaws.com/",
    }
