"""`StorageFirstApi`: an API that puts requests straight into a queue, with no code of ours in between."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from selfheal.components import names
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.function import DEFAULT_RETENTION_DAYS
from selfheal.components.iam import allow, service_role
from selfheal.components.patterns import storage_first_templates as templates
from selfheal.components.patterns.alarms import alarm
from selfheal.components.patterns.callers import authorizer_function
from selfheal.components.patterns.function import FunctionArgs, pattern_function
from selfheal.components.patterns.schema_size import DRAFT
from selfheal.components.patterns.storage_first_args import (
    DEFAULT_BURST,
    DEFAULT_RATE,
    StorageFirstApiArgs,
    check,
    reader_of,
    reads_of,
)
from selfheal.components.security import Security, Store

Part = TypeVar("Part", bound=pulumi.CustomResource)

_MODEL = "Body"
"""Given, because only letters and digits are allowed."""

STAGE = "v1"
"""Name of the stage: the first part of every path."""

AUTHORIZER_TTL_SECONDS = 60
"""How long API Gateway reuses the authorizer's answer for a token. A token that was withdrawn is accepted for
this time and the minute for which the authorizer knows the secret."""


class StorageFirstApi(pulumi.ComponentResource):
    """A regional REST API: PUT /<path>/{id} answers 202 once the queue has the request; GET asks a function.

    The id is the client's, and the idempotency key: whoever got no answer sends the same again. What is not
    JSON of the schema is 400 with the reason, another content type 415; what the queue did not take is 502,
    whatever the reason, and never 202. Space in a body is not limited by its schema: it is by the queue's
    maximum message size.

    API Gateway writes access logs with a role that is set once for an account and region, which this
    component leaves alone, because other stacks use it as well: `up` fails with "CloudWatch Logs role ARN
    must be set in account settings" where there is none. Set it in one stack with `aws.apigateway.Account`,
    and a role that apigateway.amazonaws.com can assume, with the managed policy
    AmazonAPIGatewayPushToCloudWatchLogs.
    """

    url: Output[str]
    """Of the stage, without a slash at the end: `<url>/<path>/<id>`."""

    api_name: Output[str]
    """Name of the API: the dimension ApiName of its metrics."""

    api_id: Output[str]
    """Id of the API."""

    failing_alarm: Output[str]
    """Name of the alarm on the share of requests that fail."""

    reader_name: Output[str]
    """Name of the function that answers GET."""

    read_names: Mapping[str, Output[str]]
    """Names of the further functions, by their path."""

    def __init__(
        self, name: str, args: StorageFirstApiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the API with its authorizer, reader, logs and alarm.

        Raises:
            ComponentError: when an argument is out of its range, a part of the schema has no limit, or a
                public API is outside a sandbox.

        """
        # Without the arguments, which would be in the state as they are: they hold tokens.
        super().__init__("selfheal:index:StorageFirstApi", name, None, opts)
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        self._name, self._args = name, args
        self._path, self._public = args["path"], args.get("public", False)
        self._rate, self._burst = args.get("rate", DEFAULT_RATE), args.get("burst", DEFAULT_BURST)
        size = check(args)
        self._arns = Arns(self)
        self._security = Security(args, self._arns)
        self._options = pulumi.ResourceOptions(parent=self)
        self._parts: list[pulumi.CustomResource] = []
        self._names: list[Input[str]] = []  # of what the parts refer to

        self._api = aws.apigateway.RestApi(
            f"{name}-api",
            description=f"PUT and GET of /{self._path}/{{id}}; what is put is stored before it is answered",
            endpoint_configuration=aws.apigateway.RestApiEndpointConfigurationArgs(types="REGIONAL"),
            opts=self._options,
        )
        self._item = self._resources("", self._path)
        authorization = {"authorization": "NONE"} if self._public else self._authorizer()
        self._put(authorization)
        self.reader_name = self._get(authorization, self._item, self._path, "", reader_of(args))
        self.read_names = {
            path: self._get(authorization, self._resources(f"{path}-", path), path, f"{path}-", read)
            for path, read in reads_of(args).items()
        }
        responses = templates.gateway_responses(
            self._path, tuple(self.read_names), size, self._rate, public=self._public
        )
        for kind, response in responses.items():
            self._part(
                aws.apigateway.Response(
                    f"{name}-{kind.lower().replace('_', '-')}",
                    rest_api_id=self._api.id,
                    response_type=kind,
                    opts=self._options,
                    **response,
                )
            )
        stage = self._stage(self._deployment(responses))
        self.url, self.api_name, self.api_id = stage.invoke_url, self._api.name, self._api.id
        failing = alarm(
            name,
            "failing",
            description=(
                f"Of the requests to API {name}, 1 % or more failed (5xx): what clients sent was not stored, "
                "or they do not know whether it was. In the access log integrationStatus 4xx is the queue or "
                "the role that may send to it, AUTHORIZER_FAILURE is the authorizer, and method GET the "
                "reader. Mend that; nothing else has to be repaired, as clients send again."
            ),
            namespace="AWS/ApiGateway",
            metric="5XXError",
            dimensions={"ApiName": self.api_name, "Stage": STAGE},
            statistic="Average",
            threshold=0.01,
            people=args["people"],
            parent=self,
        )
        self.failing_alarm = failing.name
        self.register_outputs(
            {
                "url": self.url,
                "apiName": self.api_name,
                "apiId": self.api_id,
                "readerName": self.reader_name,
            }
        )

    def _part(self, resource: Part) -> Part:
        """Return a resource that a deployment of the API must wait for, and that changes what it serves."""
        self._parts.append(resource)
        return resource

    def _resources(self, prefix: str, path: str) -> aws.apigateway.Resource:
        """Register a path, and return its resource `{id}`."""
        collection = self._resource(f"{prefix}collection", self._api.root_resource_id, path)
        return self._resource(f"{prefix}item", collection.id, f"{{{templates.ID}}}")

    def _resource(self, what: str, parent: Input[str], part: str) -> aws.apigateway.Resource:
        return self._part(
            aws.apigateway.Resource(
                f"{self._name}-{what}",
                rest_api=self._api.id,
                parent_id=parent,
                path_part=part,
                opts=self._options,
            )
        )

    def _authorizer(self) -> dict[str, Any]:
        """Register who lets callers in, and return what a method says of it."""
        name = f"{self._name}-authorizer"
        function, version = authorizer_function(
            name, self._args.get("callers", {}), arns=self._arns, security=self._security, parent=self
        )
        authorizer = self._part(
            aws.apigateway.Authorizer(
                f"{name}-of-api",
                rest_api=self._api.id,
                type="TOKEN",
                authorizer_uri=self._arns.invocation(self._arns.function(function.name)),
                authorizer_result_ttl_in_seconds=AUTHORIZER_TTL_SECONDS,
                identity_source="method.request.header.Authorization",
                identity_validation_expression=templates.TOKEN_PATTERN,
                # The function does not start without a value of its secret.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[version]),
            )
        )
        self._names.append(function.name)
        self._invocation(name, function, Output.concat("authorizers/", authorizer.id))
        return {"authorization": "CUSTOM", "authorizer_id": authorizer.id}

    def _invocation(self, name: str, function: aws.lambda_.Function, source: Input[str]) -> None:
        """Let this API invoke a function, for one authorizer or method."""
        self._part(
            aws.lambda_.Permission(
                f"{name}-invoke",
                action="lambda:InvokeFunction",
                function=function.name,
                principal="apigateway.amazonaws.com",
                source_arn=Output.concat(self._api.execution_arn, "/", source),
                opts=self._options,
            )
        )

    def _put(self, authorization: Mapping[str, Any]) -> None:
        """Register PUT, which sends to the queue."""
        name, queue = f"{self._name}-put", self._args["queue"]
        send = [allow(["sqs:SendMessage"], [queue.queue_arn]), *self._security.writes(Store.QUEUE)]
        role, policy = service_role(name, "apigateway.amazonaws.com", send, self, self._security.boundary)
        self._names += [queue.queue_name, role.name]
        model = self._part(
            aws.apigateway.Model(
                f"{self._name}-model",
                rest_api=self._api.id,
                name=_MODEL,
                content_type=templates.CONTENT_TYPE,
                schema=json.dumps({"$schema": DRAFT, **self._args["schema"]}),
                opts=self._options,
            )
        )
        validator = self._part(
            aws.apigateway.RequestValidator(
                f"{self._name}-validator",
                rest_api=self._api.id,
                validate_request_body=True,
                validate_request_parameters=True,
                opts=self._options,
            )
        )
        method = self._part(
            aws.apigateway.Method(
                name,
                rest_api=self._api.id,
                resource_id=self._item.id,
                http_method="PUT",
                request_parameters={f"method.request.path.{templates.ID}": True},
                # Without a model for its content type a body is not validated at all: `$default` is for those
                # that the integration would take for JSON and the validator would not.
                request_models=dict.fromkeys((templates.CONTENT_TYPE, "$default"), model.name),
                request_validator_id=validator.id,
                opts=self._options,
                **authorization,
            )
        )
        where: dict[str, Any] = {
            "rest_api": self._api.id,
            "resource_id": self._item.id,
            "http_method": method.http_method,
        }
        caller = f"'{templates.PUBLIC_CALLER}'" if self._public else "$context.authorizer.principalId"
        integration = self._part(
            aws.apigateway.Integration(
                f"{name}-queue",
                type="AWS",
                integration_http_method="POST",
                uri=self._arns.integration(
                    Output.concat("sqs:path/", self._arns.account, "/", queue.queue_name)
                ),
                credentials=role.arn,
                passthrough_behavior="NEVER",  # what no template is for is 415
                request_parameters={"integration.request.header.Content-Type": f"'{templates.FORM}'"},
                request_templates={templates.CONTENT_TYPE: templates.form(caller)},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
                **where,
            )
        )
        for status, response in templates.INTEGRATION_RESPONSES.items():
            headers = dict.fromkeys(response.get("response_parameters", {}), True)
            declared = self._part(
                aws.apigateway.MethodResponse(
                    f"{name}-{status}",
                    status_code=status,
                    response_parameters=headers,
                    opts=self._options,
                    **where,
                )
            )
            self._part(
                aws.apigateway.IntegrationResponse(
                    f"{name}-queue-{status}",
                    status_code=declared.status_code,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[integration]),
                    **where,
                    **response,
                )
            )

    def _get(
        self,
        authorization: Mapping[str, Any],
        item: aws.apigateway.Resource,
        path: str,
        prefix: str,
        args: FunctionArgs,
    ) -> Output[str]:
        """Register GET of an item, which invokes a function, and return the function's name."""
        name, reads = f"{self._name}-{prefix}get", f"{self._name}-{prefix}reader"
        reader = pattern_function(
            reads, args, Access(), arns=self._arns, security=self._security, parent=self
        )
        method = self._part(
            aws.apigateway.Method(
                name,
                rest_api=self._api.id,
                resource_id=item.id,
                http_method="GET",
                request_parameters={f"method.request.path.{templates.ID}": True},
                opts=self._options,
                **authorization,
            )
        )
        self._part(
            aws.apigateway.Integration(
                f"{name}-reader",
                rest_api=self._api.id,
                resource_id=item.id,
                http_method=method.http_method,
                type="AWS_PROXY",
                integration_http_method="POST",
                uri=self._arns.invocation(self._arns.function(reader.name)),
                opts=self._options,
            )
        )
        self._names.append(reader.name)
        self._invocation(reads, reader, f"{STAGE}/GET/{path}/*")
        return reader.name

    def _deployment(self, responses: Mapping[str, Any]) -> aws.apigateway.Deployment:
        """Register a snapshot of the API, which a change of anything in it replaces."""
        # What is written here, and the ids of what was made: another authorizer or method has another id.
        paths = [self._path, *self.read_names]
        plain = [templates.INTEGRATION_RESPONSES, responses, self._args["schema"], paths, self._public]
        content = [plain, templates.form(""), templates.TOKEN_PATTERN, AUTHORIZER_TTL_SECONDS]
        known = [*self._names, *(part.id for part in self._parts)]
        return aws.apigateway.Deployment(
            f"{self._name}-deployment",
            rest_api=self._api.id,
            description="All that the API serves",
            triggers={"content": Output.json_dumps([content, known]).apply(_hash)},
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._parts),
        )

    def _stage(self, deployment: aws.apigateway.Deployment) -> aws.apigateway.Stage:
        logs = aws.cloudwatch.LogGroup(
            f"{self._name}-access-logs",
            retention_in_days=self._args.get("log_retention_days", DEFAULT_RETENTION_DAYS),
            kms_key_id=self._security.key,
            opts=self._options,
        )
        stage = aws.apigateway.Stage(
            f"{self._name}-stage",
            rest_api=self._api.id,
            deployment=deployment.id,
            stage_name=STAGE,
            access_log_settings=aws.apigateway.StageAccessLogSettingsArgs(
                destination_arn=self._arns.log_group(logs.name), format=templates.LOG_FORMAT
            ),
            xray_tracing_enabled=True,
            opts=self._options,
        )
        aws.apigateway.MethodSettings(
            f"{self._name}-settings",
            rest_api=self._api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings=aws.apigateway.MethodSettingsSettingsArgs(
                metrics_enabled=True,
                # Execution logs would hold bodies.
                logging_level="OFF",
                data_trace_enabled=False,
                throttling_rate_limit=self._rate,
                throttling_burst_limit=self._burst,
            ),
            opts=self._options,
        )
        return stage


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
