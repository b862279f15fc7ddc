"""REST APIs: what their templates know of a request, and how they refuse a body."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator.model_errors import validation_errors
from selfheal.sandbox.emulator.rest_apis import escape_javascript
from tests.support.emulator_functions import deploy

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["id", "amount"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^o-", "maxLength": 5, "minLength": 2},
        "amount": {"type": "integer", "minimum": 1, "maximum": 9},
        "kind": {"enum": ["a", "b"]},
        "lines": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": ["number"]}},
    },
}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ([], ['instance type (array) does not match any allowed primitive type (allowed: ["object"])']),
        ({}, ['object has missing required properties (["amount","id"])']),
        (
            {"id": "o-1", "amount": 1, "z": 1, "y": 1},
            ['object instance has properties which are not allowed by the schema: ["y","z"]'],
        ),
        (
            {"id": "x", "amount": 0},
            [
                'string "x" is too short (length: 1, required minimum: 2)',
                'ECMA 262 regex "^o-" does not match input string "x"',
                "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
            ],
        ),
        (
            {"id": "o-2345", "amount": 10, "kind": "c"},
            [
                'string "o-2345" is too long (length: 6, maximum allowed: 5)',
                "numeric instance is greater than the required maximum (maximum: 9, found: 10)",
                'instance value ("c") not found in enum (possible values: ["a","b"])',
            ],
        ),
        (
            {"id": "o-1", "amount": True, "lines": []},
            [
                'instance type (boolean) does not match any allowed primitive type (allowed: ["integer"])',
                "array is too short: must have at least 1 elements but instance has 0 elements",
            ],
        ),
        (
            {"id": "o-1", "amount": 1, "lines": [1, 2.5, "x"]},
            [
                "array is too long: must have at most 2 elements but instance has 3 elements",
                'instance type (string) does not match any allowed primitive type (allowed: ["number"])',
            ],
        ),
        ({"id": "o-1", "amount": 1, "lines": [1.5]}, []),
    ],
)
def test_a_body_is_explained(body: Any, errors: list[str]) -> None:
    assert validation_errors(SCHEMA, body, lambda *_: ({}, {})) == errors


def test_references_are_followed_and_loops_end() -> None:
    schema = {"$ref": "#/definitions/whole"}
    assert validation_errors(schema, "x", lambda *_: ({"type": "integer"}, {}))
    assert validation_errors(schema, "x", lambda *_: (schema, {})) == []


def test_javascript_is_escaped() -> None:
    assert escape_javascript("a'b\"c\\d/e\n\x01é😀") == r"a\'b\"c\\d\/e\n\u0001\u00E9\uD83D\uDE00"


AUTHORIZER = """
def handle(event, context):
    return {"principalId": "alice", "context": {"tenant": "t-1"}, "policyDocument": {
        "Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}]}}
"""

TEMPLATE = (
    'Action=SendMessage&MessageBody=$util.urlEncode("$context.requestId|$context.identity.sourceIp|'
    "$context.identity.userAgent|$context.authorizer.principalId|$context.authorizer.tenant|"
    "$context.httpMethod|$context.resourcePath|$context.stage|"
    "$util.escapeJavaScript($input.params('id'))\")"
)


@pytest.fixture(scope="module")
def url(clients: Clients) -> str:
    """Return an API whose PUT /orders/{id} goes into the queue `orders`, behind an authorizer."""
    clients.get("sqs").create_queue(QueueName="orders")
    function = deploy(clients, "authorizer", AUTHORIZER)
    gateway = clients.get("apigateway")
    api = gateway.create_rest_api(name="orders")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    orders = gateway.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    order = gateway.create_resource(restApiId=api, parentId=orders, pathPart="{id}")["id"]
    gateway.create_model(
        restApiId=api, name="Order", contentType="application/json", schema=json.dumps(SCHEMA)
    )
    validator = gateway.create_request_validator(restApiId=api, name="body", validateRequestBody=True)["id"]
    authorizer = gateway.create_authorizer(
        restApiId=api,
        name="a",
        type="TOKEN",
        authorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
        identitySource="method.request.header.Authorization",
    )["id"]
    gateway.put_method(
        restApiId=api,
        resourceId=order,
        httpMethod="PUT",
        authorizationType="CUSTOM",
        authorizerId=authorizer,
        requestValidatorId=validator,
        requestModels={"application/json": "Order"},
    )
    gateway.put_integration(
        restApiId=api,
        resourceId=order,
        httpMethod="PUT",
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:sqs:path/000000000000/orders",
        passthroughBehavior="NEVER",
        requestTemplates={"application/json": TEMPLATE},
    )
    gateway.put_method_response(restApiId=api, resourceId=order, httpMethod="PUT", statusCode="202")
    gateway.put_integration_response(
        restApiId=api,
        resourceId=order,
        httpMethod="PUT",
        statusCode="202",
        responseTemplates={"application/json": '{"request": "$context.requestId"}'},
    )
    gateway.put_gateway_response(
        restApiId=api,
        responseType="BAD_REQUEST_BODY",
        responseTemplates={"application/json": '{"why": "$context.error.validationErrorString"}'},
    )
    gateway.create_deployment(restApiId=api, stageName="v1")
    return f"{clients.endpoint}/_aws/execute-api/{api}/v1/orders/"


def _put(url: str, body: bytes, content_type: str) -> tuple[int, Any, Any]:
    headers = {"Content-Type": content_type, "Authorization": "token", "User-Agent": "curl/8"}
    request = urllib.request.Request(url, body, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


ORDER = json.dumps({"id": "o-1", "amount": 1}).encode()


@pytest.mark.slow
def test_templates_know_the_request_its_caller_and_how_to_escape(clients: Clients, url: str) -> None:
    status, answer, headers = _put(url + urllib.parse.quote("it's"), ORDER, "application/json; charset=utf-8")
    assert status == 202
    queue = clients.get("sqs").get_queue_url(QueueName="orders")["QueueUrl"]
    [message] = clients.get("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    request_id, *rest = message["Body"].split("|")
    assert request_id == answer["request"] == headers["x-amzn-RequestId"] != ""
    assert rest == ["127.0.0.1", "curl/8", "alice", "t-1", "PUT", "/orders/{id}", "v1", r"it\'s"]


@pytest.mark.slow
def test_a_refusal_says_what_is_wrong(url: str) -> None:
    status, answer, _ = _put(url + "1", b'{"id": "o-1"}', "application/json")
    assert (status, answer) == (400, {"why": '[object has missing required properties (["amount"])]'})
    status, answer, _ = _put(url + "1", b"no json", "application/json")
    assert (status, answer) == (400, {"why": "Invalid request body"})


@pytest.mark.slow
@pytest.mark.parametrize("body", [ORDER, b"no json"])
def test_a_content_type_that_nothing_is_for_is_unsupported_and_not_validated(url: str, body: bytes) -> None:
    status, _, _ = _put(url + "1", body, "text/plain")
    assert status == 415
