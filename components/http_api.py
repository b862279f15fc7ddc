"""An HTTP API in front of one function, which answers every path and method."""

import json

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.security import Security

LOG_FORMAT = json.dumps(
    {
        name: f"$context.{variable}"
        for name, variable in {
            "requestId": "requestId",
            "time": "requestTime",
            "sourceIp": "identity.sourceIp",
            "method": "httpMethod",
            "path": "path",
            "status": "status",
            "integrationStatus": "integration.status",
            "latency": "responseLatency",
            "error": "error.message",
        }.items()
    }
)
"""Of the access log: who asked what, and what came of it. Source: API Gateway developer guide, "Customize
HTTP API access logs"."""


def http_api(
    name: str,
    function: aws.lambda_.Function,
    alias: aws.lambda_.Alias | None,
    *,
    security: Security,
    log_retention_days: int,
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Register the API, and return its URL, for example https://abc123.execute-api.us-east-1.amazonaws.com/.

    Everybody who knows the URL can call it.

    Args:
        name: Prefix of the logical names.
        function: What it invokes.
        alias: The function's alias that it invokes. None: the unpublished code and configuration.
        security: Key of its access log.
        log_retention_days: One of RETENTION_DAYS.
        parent: The parent component.

    """
    options = pulumi.ResourceOptions(parent=parent)
    api = aws.apigatewayv2.Api(f"{name}-api", protocol_type="HTTP", opts=options)
    integration = aws.apigatewayv2.Integration(
        f"{name}-integration",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=alias.arn if alias else function.arn,
        payload_format_version="2.0",
        opts=options,
    )
    # `/{proxy+}` does not match the root.
    routes = [
        aws.apigatewayv2.Route(
            f"{name}-{suffix}",
            api_id=api.id,
            route_key=key,
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=options,
        )
        for suffix, key in (("root", "ANY /"), ("proxy", "ANY /{proxy+}"))
    ]
    permission = aws.lambda_.Permission(
        f"{name}-invoke",
        action="lambda:InvokeFunction",
        function=function.name,
        qualifier=alias.name if alias else None,
        principal="apigateway.amazonaws.com",
        source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
        opts=options,
    )
    logs = aws.cloudwatch.LogGroup(
        f"{name}-access-logs",
        retention_in_days=log_retention_days,
        kms_key_id=security.key,
        opts=options,
    )
    stage = aws.apigatewayv2.Stage(
        f"{name}-stage",
        api_id=api.id,
        name="$default",
        auto_deploy=True,
        access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
            destination_arn=Arns(parent).log_group(logs.name), format=LOG_FORMAT
        ),
        # So that the function answers as soon as the URL is known.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*routes, permission]),
    )
    return stage.invoke_url
