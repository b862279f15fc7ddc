"""One life of a resource of every type of API Gateway's REST APIs: see `cases.py`."""

import json
from typing import Any

from tests.sandbox.provider.cases import Case, policy

API = "aws:apigateway/restApi:RestApi"
RESOURCE = "aws:apigateway/resource:Resource"
MODEL = "aws:apigateway/model:Model"
VALIDATOR = "aws:apigateway/requestValidator:RequestValidator"
METHOD = "aws:apigateway/method:Method"
METHOD_RESPONSE = "aws:apigateway/methodResponse:MethodResponse"
INTEGRATION = "aws:apigateway/integration:Integration"
INTEGRATION_RESPONSE = "aws:apigateway/integrationResponse:IntegrationResponse"
RESPONSE = "aws:apigateway/response:Response"
DEPLOYMENT = "aws:apigateway/deployment:Deployment"
STAGE = "aws:apigateway/stage:Stage"
SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
ACCOUNT = "aws:apigateway/account:Account"
AUTHORIZER = "aws:apigateway/authorizer:Authorizer"

AT: dict[str, Any] = {"restApi": "{api.id}", "resourceId": "{orders.id}", "httpMethod": "PUT"}
NEEDS_API = {"api": (API, {})}
NEEDS_RESOURCE = {
    **NEEDS_API,
    "orders": (RESOURCE, {"restApi": "{api.id}", "parentId": "{api.rootResourceId}", "pathPart": "orders"}),
}
NEEDS_METHOD = {**NEEDS_RESOURCE, "put": (METHOD, {**AT, "authorization": "NONE"})}
MOCK = {**AT, "type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
NEEDS_INTEGRATION = {**NEEDS_METHOD, "mock": (INTEGRATION, MOCK)}
NEEDS_DEPLOYMENT = {**NEEDS_INTEGRATION, "deployment": (DEPLOYMENT, {"restApi": "{api.id}"})}
NEEDS_STAGE = {
    **NEEDS_DEPLOYMENT,
    "stage": (STAGE, {"restApi": "{api.id}", "deployment": "{deployment.id}", "stageName": "live"}),
}


def replaced(path: str, value: str) -> list[dict[str, str]]:
    return [{"op": "replace", "path": path, "value": value}]


def where(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"restApiId": inputs["restApi"], "resourceId": inputs["resourceId"], "httpMethod": "PUT"}


REST_CASES = [
    Case(
        API,
        {
            "description": "d",
            "endpointConfiguration": {"types": "REGIONAL"},
            "binaryMediaTypes": ["image/png"],
            "policy": policy("execute-api:Invoke", "*"),
            "minimumCompressionSize": "1024",
        },
        {
            "description": "e",
            "endpointConfiguration": {"types": "EDGE"},
            "binaryMediaTypes": ["image/png", "text/csv"],
            "disableExecuteApiEndpoint": True,
            "policy": policy("execute-api:*", "*"),
            "minimumCompressionSize": None,
        },
        lambda c, id_, _: c.get("apigateway").update_rest_api(
            restApiId=id_, patchOperations=replaced("/disableExecuteApiEndpoint", "false")
        ),
        "disableExecuteApiEndpoint",
        many=True,
    ),
    Case(
        RESOURCE,
        {"restApi": "{api.id}", "parentId": "{api.rootResourceId}", "pathPart": "orders"},
        {"pathPart": "{proxy+}"},
        lambda c, id_, i: c.get("apigateway").update_resource(
            restApiId=i["restApi"], resourceId=id_, patchOperations=replaced("/pathPart", "x")
        ),
        "pathPart",
        NEEDS_API,
        taken="ConflictException",
        import_id="{restApi}/{id}",
    ),
    Case(
        MODEL,
        {
            "restApi": "{api.id}",
            "name": "Order",
            "contentType": "application/json",
            "schema": json.dumps({"type": "object", "required": ["id"]}, indent=1),
        },
        {"schema": json.dumps({"type": "object"}), "description": "an order"},
        lambda c, _, i: c.get("apigateway").update_model(
            restApiId=i["restApi"], modelName=i["name"], patchOperations=replaced("/schema", "{}")
        ),
        "schema",
        NEEDS_API,
        taken="ConflictException: Model name already exists",
        import_id="{restApi}/{name}",
    ),
    Case(
        VALIDATOR,
        {"restApi": "{api.id}", "validateRequestBody": True},
        {"validateRequestParameters": True, "name": "all"},
        lambda c, id_, i: c.get("apigateway").update_request_validator(
            restApiId=i["restApi"],
            requestValidatorId=id_,
            patchOperations=replaced("/validateRequestBody", "false"),
        ),
        "validateRequestBody",
        NEEDS_API,
        many=True,
        import_id="{restApi}/{id}",
    ),
    Case(
        AUTHORIZER,
        {
            "restApi": "{api.id}",
            "authorizerUri": "arn:aws:apigateway:us-east-1:lambda:path/functions/f/invocations",
        },
        {"authorizerResultTtlInSeconds": 0, "identitySource": "method.request.header.X-Key"},
        lambda c, id_, i: c.get("apigateway").update_authorizer(
            restApiId=i["restApi"],
            authorizerId=id_,
            patchOperations=replaced("/authorizerResultTtlInSeconds", "60"),
        ),
        "authorizerResultTtlInSeconds",
        NEEDS_API,
        taken="ConflictException: Authorizer name must be unique",
        import_id="{restApi}/{id}",
    ),
    Case(
        METHOD,
        {
            **AT,
            "authorization": "NONE",
            "requestModels": {"application/json": "Order", "text/xml": "Empty"},
            "requestParameters": {"method.request.header.Idempotency-Key": True},
        },
        {
            "authorization": "AWS_IAM",
            "apiKeyRequired": True,
            "operationName": "PutOrder",
            "requestValidatorId": "v",
            "requestModels": {"application/json": "Other", "$default": "Order"},
            "requestParameters": {
                "method.request.header.Idempotency-Key": False,
                "method.request.path.id": True,
            },
        },
        lambda c, _, i: c.get("apigateway").update_method(
            **where(i), patchOperations=replaced("/apiKeyRequired", "false")
        ),
        "apiKeyRequired",
        NEEDS_RESOURCE,
        taken="ConflictException: Method already exists",
        import_id="{restApi}/{resourceId}/{httpMethod}",
    ),
    Case(
        METHOD_RESPONSE,
        {**AT, "statusCode": "202", "responseModels": {"application/json": "Empty"}},
        {"responseModels": None, "responseParameters": {"method.response.header.Location": True}},
        lambda c, _, i: c.get("apigateway").delete_method_response(**where(i), statusCode="202"),
        None,
        NEEDS_METHOD,
        taken="ConflictException: Response already exists",
        import_id="{restApi}/{resourceId}/{httpMethod}/{statusCode}",
    ),
    Case(
        INTEGRATION,
        {
            **AT,
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:sqs:path/000000000000/q",
            "credentials": "arn:aws:iam::000000000000:role/r",
            "passthroughBehavior": "NEVER",
            "requestTemplates": {"application/json": "Action=SendMessage"},
            "requestParameters": {
                "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
            },
        },
        {
            "requestTemplates": {"application/json": "Action=SendMessage&MessageBody=x", "text/csv": "x"},
            "passthroughBehavior": "WHEN_NO_TEMPLATES",
            "timeoutMilliseconds": 5000,
            "requestParameters": None,
        },
        lambda c, _, i: c.get("apigateway").update_integration(
            **where(i), patchOperations=replaced("/timeoutInMillis", "50")
        ),
        "timeoutMilliseconds",
        NEEDS_METHOD,
        import_id="{restApi}/{resourceId}/{httpMethod}",
    ),
    Case(
        INTEGRATION_RESPONSE,
        {**AT, "statusCode": "202", "responseTemplates": {"application/json": "{}"}},
        {"selectionPattern": "2\\d{2}", "responseTemplates": {"application/json": '{"id": 1}'}},
        lambda c, _, i: c.get("apigateway").put_integration_response(
            **where(i), statusCode="202", selectionPattern="5..", responseTemplates=i["responseTemplates"]
        ),
        "selectionPattern",
        NEEDS_INTEGRATION,
        import_id="{restApi}/{resourceId}/{httpMethod}/{statusCode}",
    ),
    Case(
        RESPONSE,
        {
            "restApiId": "{api.id}",
            "responseType": "BAD_REQUEST_BODY",
            "statusCode": "400",
            "responseTemplates": {"application/json": '{"message": $context.error.messageString}'},
        },
        {"statusCode": "422", "responseParameters": {"gatewayresponse.header.X": "'y'"}},
        lambda c, _, i: c.get("apigateway").delete_gateway_response(
            restApiId=i["restApiId"], responseType="BAD_REQUEST_BODY"
        ),
        None,
        NEEDS_API,
        import_id="{restApiId}/{responseType}",
    ),
    Case(
        DEPLOYMENT,
        {"restApi": "{api.id}", "triggers": {"everything": "hash"}},
        {"description": "first"},
        lambda c, id_, i: c.get("apigateway").update_deployment(
            restApiId=i["restApi"], deploymentId=id_, patchOperations=replaced("/description", "x")
        ),
        "description",
        NEEDS_INTEGRATION,
        many=True,
        import_id="{restApi}/{id}",
    ),
    Case(
        STAGE,
        {
            "restApi": "{api.id}",
            "deployment": "{deployment.id}",
            "stageName": "live",
            "variables": {"queue": "q"},
            "accessLogSettings": {
                "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:l",
                "format": "$context.requestId",
            },
        },
        {
            "description": "changed",
            "variables": {"Queue": "r"},
            "xrayTracingEnabled": True,
            "accessLogSettings": None,
        },
        lambda c, _, i: c.get("apigateway").update_stage(
            restApiId=i["restApi"], stageName="live", patchOperations=replaced("/tracingEnabled", "false")
        ),
        "xrayTracingEnabled",
        NEEDS_DEPLOYMENT,
        taken="ConflictException: Stage already exists",
        import_id="{restApi}/{stageName}",
    ),
    Case(
        SETTINGS,
        {
            "restApi": "{api.id}",
            "stageName": "{stage.stageName}",
            "methodPath": "*/*",
            "settings": {"throttlingRateLimit": 50, "throttlingBurstLimit": 10, "metricsEnabled": True},
        },
        {"settings": {"throttlingRateLimit": 2.5, "loggingLevel": "ERROR"}},
        lambda c, _, i: c.get("apigateway").update_stage(
            restApiId=i["restApi"],
            stageName="live",
            patchOperations=replaced("/*/*/throttling/rateLimit", "9"),
        ),
        "settings",
        NEEDS_STAGE,
        import_id="{restApi}/{stageName}/{methodPath}",
    ),
    Case(
        ACCOUNT,
        {"cloudwatchRoleArn": "arn:aws:iam::000000000000:role/logs"},
        {"cloudwatchRoleArn": "arn:aws:iam::000000000000:role/other"},
        lambda c, _id, _i: c.get("apigateway").update_account(
            patchOperations=replaced("/cloudwatchRoleArn", "arn:aws:iam::000000000000:role/third")
        ),
        "cloudwatchRoleArn",
        stays=True,
    ),
]
