"""A REST API, made by the provider, that puts requests into a queue, with no code in between."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider import AwsProvider
from tests.sandbox.provider.cases import QUEUE
from tests.sandbox.provider.rest_cases import (
    API,
    DEPLOYMENT,
    INTEGRATION,
    INTEGRATION_RESPONSE,
    METHOD,
    METHOD_RESPONSE,
    MODEL,
    RESOURCE,
    RESPONSE,
    SETTINGS,
    STAGE,
    VALIDATOR,
)

pytestmark = pytest.mark.slow

Make = Callable[[str, dict[str, Any]], dict[str, Any]]
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}},
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def make(provider: AwsProvider) -> Make:
    def _make(type_: str, given: dict[str, Any]) -> dict[str, Any]:
        inputs = provider.check(type_, "orders", given, None, secrets.token_hex(16))
        id_, outputs = provider.create(type_, inputs)
        return {"inputs": inputs, **outputs, "id": id_}

    return _make


def _put(url: str, body: dict[str, Any]) -> tuple[int, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_request_is_stored_in_the_queue_and_a_wrong_one_is_refused_at_the_door(
    provider: AwsProvider, clients: Clients, make: Make
) -> None:
    queue, api = make(QUEUE, {}), make(API, {})
    in_api = {"restApi": api["id"]}
    make(MODEL, {**in_api, "name": "Order", "contentType": "application/json", "schema": json.dumps(SCHEMA)})
    checks = make(VALIDATOR, {**in_api, "validateRequestBody": True})
    orders = make(RESOURCE, {**in_api, "parentId": api["rootResourceId"], "pathPart": "orders"})
    order = make(RESOURCE, {**in_api, "parentId": orders["id"], "pathPart": "{id}"})
    assert order["path"] == "/orders/{id}"
    at = {**in_api, "resourceId": order["id"], "httpMethod": "PUT"}
    method = {"authorization": "NONE", "requestValidatorId": checks["id"]}
    with pytest.raises(ProviderError, match=r"BadRequestException: The REST API doesn't contain any methods"):
        make(DEPLOYMENT, in_api)
    make(METHOD, {**at, **method, "requestModels": {"application/json": "Order"}})
    with pytest.raises(ProviderError, match=r"BadRequestException: No integration defined for method"):
        make(DEPLOYMENT, in_api)
    send = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    form = "'application/x-www-form-urlencoded'"
    integration = make(
        INTEGRATION,
        {
            **at,
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": f"arn:aws:apigateway:us-east-1:sqs:path/000000000000/{queue['name']}",
            "passthroughBehavior": "NEVER",
            "requestParameters": {"integration.request.header.Content-Type": form},
            "requestTemplates": {"application/json": "Action=Nothing"},
        },
    )
    make(METHOD_RESPONSE, {**at, "statusCode": "202"})
    stored = {"application/json": '{"id": "$input.params(\'id\')"}'}
    make(INTEGRATION_RESPONSE, {**at, "statusCode": "202", "responseTemplates": stored})
    wrong = {"application/json": '{"wrong": $context.error.messageString}'}
    said = {"responseType": "BAD_REQUEST_BODY", "statusCode": "422", "responseTemplates": wrong}
    make(RESPONSE, {"restApiId": api["id"], **said})
    # A change of a template, by patch, is what is then deployed.
    changed = integration["inputs"] | {"requestTemplates": {"application/json": send}}
    provider.update(INTEGRATION, integration["id"], integration["inputs"], changed)
    deployment = make(DEPLOYMENT, in_api)
    stage = make(STAGE, {**in_api, "deployment": deployment["id"], "stageName": "live"})
    with pytest.raises(ProviderError, match=r"DeleteDeployment: BadRequestException: Active stages pointing"):
        provider.delete(DEPLOYMENT, deployment["id"], deployment["inputs"])

    assert _put(f"{stage['invokeUrl']}/orders/7", {"id": "7"}) == (202, {"id": "7"})
    assert _put(f"{stage['invokeUrl']}/orders/7", {"id": 7}) == (422, {"wrong": "Invalid request body"})
    messages = clients.get("sqs").receive_message(QueueUrl=queue["url"], MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"]) for message in messages] == [{"id": "7"}]

    none = {"settings": {"throttlingRateLimit": 0, "throttlingBurstLimit": 0}}
    make(SETTINGS, {**in_api, "stageName": "live", "methodPath": "orders/{id}/PUT", **none})
    assert _put(f"{stage['invokeUrl']}/orders/8", {"id": "8"})[0] == 429
