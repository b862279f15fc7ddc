"""The storage-first API as it is registered."""

import json
from typing import Any

import pulumi
import pytest
from pulumi import Output

from selfheal.components.errors import ComponentError
from selfheal.components.function import own_code
from selfheal.components.patterns import storage_first_templates as templates
from selfheal.components.patterns.callers import digests
from selfheal.components.patterns.storage_first_api import StorageFirstApi
from selfheal.components.patterns.storage_first_args import MOST_BYTES
from selfheal.functions.shared.tokens import digest
from selfheal.sandbox.provider.wire import SECRET_SIGNATURE
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:people"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:intake"
ALICE, BOB = "a" * 32, "b" * 40
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"id": {"type": "string", "maxLength": 64}},
}
READ: dict[str, Any] = {"code": own_code("downstream")}


class Queue:
    def __init__(self, name: str = "intake") -> None:
        self.queue_name = Output.from_input(name)
        self.queue_arn = Output.from_input(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
        self.queue_url = Output.from_input(f"https://sqs/{name}")


def serve(preview: bool = False, stack: str = "dev", **changes: Any) -> Deployment:
    def program() -> None:
        # In here: outputs belong to the loop of their program.
        args: dict[str, Any] = {
            "path": "orders",
            "queue": Queue(changes.pop("queue", "intake")),
            "schema": SCHEMA,
            "reader": {"code": own_code("downstream")},
            "people": PEOPLE,
            **changes,
        }
        api = StorageFirstApi("orders", args)  # pyright: ignore[reportArgumentType]
        pulumi.export("url", api.url)
        pulumi.export("apiName", api.api_name)

    return deploy(program, preview=preview, stack=stack)


def refusal(**changes: Any) -> str:
    with pytest.raises(ComponentError) as caught:
        serve(**changes)
    return str(caught.value)


@pytest.mark.parametrize("preview", [True, False])
def test_both_methods_ask_the_authorizer_unless_public(preview: bool) -> None:
    deployment = serve(preview)
    methods = {m.inputs["httpMethod"]: m.inputs for m in deployment.of("aws:apigateway/method:Method")}
    assert set(methods) == {"PUT", "GET"}
    assert {m["authorization"] for m in methods.values()} == {"CUSTOM"}
    [authorizer] = deployment.of("aws:apigateway/authorizer:Authorizer")
    assert authorizer.inputs["type"] == "TOKEN"
    assert authorizer.inputs["authorizerResultTtlInSeconds"] == 60
    [version] = deployment.of("aws:secretsmanager/secretVersion:SecretVersion")
    assert version.urn in authorizer.dependencies

    public = serve(preview, public=True, sandbox=True)
    assert {m.inputs["authorization"] for m in public.of("aws:apigateway/method:Method")} == {"NONE"}
    assert public.of("aws:apigateway/authorizer:Authorizer") == []
    assert public.of("aws:secretsmanager/secret:Secret") == []


def test_only_digests_of_tokens_are_kept_and_as_a_secret() -> None:
    deployment = serve(callers={"alice": ALICE, "bob": BOB})
    [version] = deployment.of("aws:secretsmanager/secretVersion:SecretVersion")
    assert SECRET_SIGNATURE in version.inputs["secretString"].values()
    assert json.loads(version.inputs["secretString"]["value"]) == {digest(ALICE): "alice", digest(BOB): "bob"}
    assert ALICE not in repr(deployment.resources)
    assert json.loads(digests({})) == {}


@pytest.mark.parametrize(
    ("callers", "what"),
    [
        ({"alice": "a" * 31}, "'alice' must be 32 to 1,024"),
        ({"alice": "a" * 31 + " "}, "'alice' must be 32 to 1,024"),
        ({"alice": "é" * 32}, "'alice' must be 32 to 1,024"),
        ({"al ice": ALICE}, "names of `callers`"),
        ({"": ALICE}, "names of `callers`"),
        ({"a" * 65: ALICE}, "names of `callers`"),
        ({"alice": ALICE, "bob": ALICE}, "different tokens"),
        ({BOB: "bob"}, "not shown"),
        ({BOB + "é": "bob"}, "not shown"),
    ],
)
def test_callers_that_are_not_allowed_are_refused_without_their_tokens(
    callers: dict[str, str], what: str
) -> None:
    with pytest.raises(ComponentError, match=what) as caught:
        digests(callers)
    assert not any(token in str(caught.value) for token in (ALICE, BOB, "a" * 31))


def test_a_public_api_is_refused_outside_a_sandbox() -> None:
    assert "public must be False in production, and stack dev is not said" in refusal(
        stack="dev", public=True
    )
    assert "public must be False" in refusal(stack="dev", public=True, sandbox=False)
    assert serve(stack="prod", public=True, sandbox=True).resources
    assert serve(stack="prod").resources
    assert "Remove one" in refusal(public=True, sandbox=True, callers={"alice": ALICE})


@pytest.mark.parametrize("preview", [True, False])
def test_the_role_of_the_integration_may_send_to_its_queue_and_nothing_else(preview: bool) -> None:
    deployment = serve(preview)
    policy = deployment.named("orders-put-policy").inputs["policy"]
    assert iam.statements(policy) == [{"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [QUEUE]}]
    assert deployment.named("orders-put-boundary").inputs["policy"] == policy
    trust = iam.statements(deployment.named("orders-put-role").inputs["assumeRolePolicy"])
    assert [s["Principal"] for s in trust] == [{"Service": "apigateway.amazonaws.com"}]


@pytest.mark.parametrize("preview", [True, False])
def test_the_authorizer_may_read_its_secret_and_nothing_else(preview: bool) -> None:
    deployment = serve(preview)
    policy = deployment.named("orders-authorizer-policy").inputs["policy"]
    actions = [s for s in iam.statements(policy) if not s["Action"][0].startswith(("logs:", "xray:"))]
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders-authorizer-callers-1a2b3c4-??????"
    assert actions == [{"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [secret]}]
    variables = deployment.named("orders-authorizer").inputs["environment"]["variables"]
    assert variables == {"CALLERS_SECRET": "orders-authorizer-callers-1a2b3c4"}


def test_each_function_is_open_to_one_source_only() -> None:
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:orders-api-id"
    permissions = serve().of("aws:lambda/permission:Permission")
    assert {p.name: p.inputs["sourceArn"] for p in permissions} == {
        "orders-authorizer-invoke": f"{api}/authorizers/orders-authorizer-of-api-id",
        "orders-reader-invoke": f"{api}/v1/GET/orders/*",
    }
    assert {p.inputs["principal"] for p in permissions} == {"apigateway.amazonaws.com"}


def test_further_paths_are_read_only_and_behind_the_same_authorizer() -> None:
    deployment = serve(reads={"status": READ})
    methods = [m.inputs for m in deployment.of("aws:apigateway/method:Method")]
    found = sorted((m["resourceId"], m["httpMethod"], m["authorization"]) for m in methods)
    assert found == [
        ("orders-item-id", "GET", "CUSTOM"),
        ("orders-item-id", "PUT", "CUSTOM"),
        ("orders-status-item-id", "GET", "CUSTOM"),
    ]
    assert len({m["authorizerId"] for m in methods}) == 1
    assert deployment.named("orders-status-collection").inputs["pathPart"] == "status"
    permission = deployment.named("orders-status-reader-invoke").inputs
    assert permission["sourceArn"].endswith(":orders-api-id/v1/GET/status/*")
    assert permission["function"] == "orders-status-reader-1a2b3c4"
    snapshot = deployment.named("orders-deployment")
    for part in ("status-get", "status-item", "status-get-reader", "status-reader-invoke"):
        assert deployment.named(f"orders-{part}").urn in snapshot.dependencies
    missing = deployment.named("orders-missing-authentication-token").inputs
    assert "PUT and GET of /orders/<id>, GET of /status/<id>" in json.dumps(missing["responseTemplates"])
    assert deployment.named("orders-status-reader").inputs["timeout"] == 10


def test_every_value_of_the_form_is_encoded() -> None:
    form = templates.form("$context.authorizer.principalId")
    pairs = [pair.split("=", 1) for pair in form.split("&")]
    for name, value in pairs:
        assert "$" not in name
        assert "$" not in value or (value.startswith("$util.urlEncode(") and value.endswith(")")), value
    assert dict(pairs)["MessageBody"] == "$util.urlEncode($input.body)"
    assert dict(pairs)["Action"] == "SendMessage"


def test_202_is_selected_and_502_is_for_everything_else() -> None:
    answers = {
        r.inputs["statusCode"]: r.inputs
        for r in serve().of("aws:apigateway/integrationResponse:IntegrationResponse")
    }
    assert answers.keys() == {"202", "502"}
    assert answers["202"]["selectionPattern"] == r"2\d{2}"
    assert not answers["502"].get("selectionPattern")


def test_bodies_of_any_content_type_are_validated_and_only_json_has_a_template() -> None:
    deployment = serve()
    put = deployment.named("orders-put").inputs
    assert put["requestModels"] == {"application/json": "Body", "$default": "Body"}
    integration = deployment.named("orders-put-queue").inputs
    assert integration["passthroughBehavior"] == "NEVER"
    assert list(integration["requestTemplates"]) == ["application/json"]
    assert integration["uri"] == f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/intake"
    model = json.loads(deployment.named("orders-model").inputs["schema"])
    assert model == {"$schema": "http://json-schema.org/draft-04/schema#", **SCHEMA}


def test_refusals_are_json_that_says_what_is_allowed() -> None:
    responses = serve().of("aws:apigateway/response:Response")
    bodies = {
        r.inputs["responseType"]: json.loads(r.inputs["responseTemplates"]["application/json"])
        for r in responses
    }
    assert set(bodies) >= {"BAD_REQUEST_BODY", "UNAUTHORIZED", "ACCESS_DENIED", "UNSUPPORTED_MEDIA_TYPE"}
    assert set(bodies) >= {"THROTTLED", "DEFAULT_5XX"}
    assert "$context.error.validationErrorString" in bodies["BAD_REQUEST_BODY"]["error"]
    assert all(body["allowed"] and body["requestId"] == "$context.requestId" for body in bodies.values())


def content(**changes: Any) -> str:
    """Return what decides whether the API is deployed again."""
    return serve(**changes).named("orders-deployment").inputs["triggers"]["content"]


@pytest.fixture(scope="module")
def unchanged() -> str:
    return content()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": {**SCHEMA, "required": ["id"]}},
        {"queue": "other"},
        {"path": "parcels"},
        {"public": True, "sandbox": True},
        {"rate": 7},
        {"reads": {"status": READ}},
    ],
)
def test_what_changes_the_api_is_deployed(unchanged: str, change: dict[str, Any]) -> None:
    assert content(**change) != unchanged


def test_what_changes_nothing_of_the_api_is_not_deployed(unchanged: str) -> None:
    assert content() == unchanged


def test_the_deployment_waits_for_everything_that_it_is_a_snapshot_of() -> None:
    deployment = serve()
    snapshot = deployment.named("orders-deployment")
    parts = [
        r
        for r in deployment.resources
        if r.type.startswith("aws:apigateway/")
        and r.type.rsplit(":", 1)[-1] not in {"RestApi", "Deployment", "Stage", "MethodSettings"}
    ]
    assert len(parts) >= 20
    assert {part.urn for part in parts} <= snapshot.dependencies
    assert {p.urn for p in deployment.of("aws:lambda/permission:Permission")} <= snapshot.dependencies


def test_the_stage_is_throttled_traced_and_logs_neither_body_nor_token() -> None:
    deployment = serve(rate=20, burst=40, log_retention_days=30)
    settings = deployment.named("orders-settings").inputs["settings"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (20, 40)
    assert (settings["metricsEnabled"], settings["loggingLevel"]) == (True, "OFF")
    assert settings["dataTraceEnabled"] is False
    stage = deployment.named("orders-stage").inputs
    assert stage["xrayTracingEnabled"] is True
    assert deployment.named("orders-access-logs").inputs["retentionInDays"] == 30
    line = json.loads(stage["accessLogSettings"]["format"])
    assert line["caller"] == "$context.authorizer.principalId"
    for words in ("body", "header", "validationErrorString", "$context.path"):
        assert words not in stage["accessLogSettings"]["format"]
    assert stage["accessLogSettings"]["destinationArn"] == (
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:orders-access-logs-1a2b3c4"
    )


@pytest.mark.parametrize("preview", [True, False])
def test_people_hear_of_failures(preview: bool) -> None:
    alarm = serve(preview).named("orders-failing").inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/ApiGateway", "5XXError")
    assert alarm["dimensions"] == {"ApiName": "orders-api-1a2b3c4", "Stage": "v1"}
    assert alarm["alarmActions"] == alarm["okActions"] == [PEOPLE]


def test_its_address_and_name_are_given() -> None:
    exports = serve().exports
    assert exports["url"] == f"https://orders-api-id.execute-api.{REGION}.amazonaws.com/v1"
    assert exports["apiName"] == "orders-api-1a2b3c4"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"path": "Orders"}, "path must be"),
        ({"path": "a/b"}, "path must be"),
        ({"path": ""}, "path must be"),
        ({"rate": 0}, "rate must be a number from 1 to 10,000"),
        ({"burst": 5001}, "burst must be a whole number from 1 to 5,000"),
        ({"log_retention_days": 2}, "log_retention_days must be one of"),
        ({"schema": {"type": "array"}}, "schema must have `type` object"),
        ({"schema": {**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"}}, "draft 4"),
        (
            {"schema": {**SCHEMA, "properties": {"id": {"type": "string"}}}},
            "schema.properties.id must have `maxLength`",
        ),
        (
            {"schema": {**SCHEMA, "properties": {"id": {"type": "string", "maxLength": MOST_BYTES // 12}}}},
            "schema must allow 253,952 bytes at most",
        ),
        ({"reader": {"code": None, "timeout_seconds": 30}}, "timeout_seconds of the reader"),
        ({"reads": {"status": {"code": None, "timeout_seconds": 30}}}, "timeout_seconds of status"),
        ({"reads": {"Status": READ}}, "the paths of reads must be"),
        ({"reads": {"orders": READ}}, "reads must not name 'orders'"),
    ],
)
def test_what_is_out_of_range_is_refused(changes: dict[str, Any], what: str) -> None:
    assert what in refusal(**changes)
