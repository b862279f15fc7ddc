"""Corrects the emulator's enforcement of IAM.

Ministack does not know every action, resource and condition key by AWS's name. It would then refuse a policy
that AWS accepts, or accept one that AWS refuses.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from selfheal.sandbox.emulator.leading_keys import leading_keys

_ACTIONS = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
"""The operations of Lambda whose action has another name (Lambda developer guide, "Fine-tuning the Resources
and Conditions sections of policies")."""

_UNQUALIFIED_PARTS = 7
"""Of a function's ARN that ends with its name; a version or alias is the eighth."""


def resources_named(extract: Callable[..., str]) -> Callable[..., str]:
    """Return the replacement of `extract_resource_arn`, which knows alarms and qualifiers.

    AWS checks cloudwatch:DescribeAlarms against the alarms that a request names (Service Authorization
    Reference, "Actions, resources, and condition keys for Amazon CloudWatch"). Ministack checks it against
    `*` and would refuse every policy that is scoped to alarms. Of several alarms only the first is checked,
    as ministack checks one resource per request.

    A call with a `Qualifier` is about that version or alias, which a policy on the unqualified function's ARN
    does not allow (Lambda developer guide, as above). Ministack ignores the qualifier and would allow it.

    AWS checks ssm:GetParameters against the parameters that a request names (Service Authorization Reference,
    the same of AWS Systems Manager). Ministack checks it against `*`. Here, too, only the first is checked.

    AWS FIS, which ministack does not know, is checked against the template or the experiment that a call is
    about (the same of AWS Fault Injection Service). StartExperiment is checked against the template only; AWS
    checks it against experiments as well.
    """

    def extracted(*request: Any) -> str:
        arn = extract(*request)
        service, _, _, headers, body, query_params, region, account_id = request
        if service == "lambda":
            return _qualified(arn, query_params)
        if service == "fis":
            return _experiment(request[2], body, region, account_id)
        describes = headers.get("x-amz-target", "").endswith(".DescribeAlarms")  # botocore speaks JSON to it
        if arn == "*" and headers.get("x-amz-target", "").endswith(".GetParameters"):
            return _parameter(json.loads(body).get("Names") or [], region, account_id)
        if arn != "*" or service != "monitoring" or not describes:
            return arn
        names: list[str] = json.loads(body).get("AlarmNames") or []
        return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{names[0]}" if names else arn

    return extracted


def lambda_actions(
    extract: Callable[..., str | None], match: Callable[..., str | None]
) -> Callable[..., str | None]:
    """Return the replacement of `extract_iam_action`, which knows all actions of Lambda by botocore's routes.

    Ministack takes GetAlias and UpdateAlias for ListAliases, every operation on reserved concurrency for
    PutFunctionConcurrency, GetEventSourceMapping for ListEventSourceMappings, and
    PutFunctionEventInvokeConfig for UpdateFunctionCode. It does not check changes of event source mappings.
    """

    def extracted(*request: Any) -> str | None:
        service, method, path, _, _, query_params = request
        operation = match(service, method, path, query_params) if service == "lambda" else None
        return extract(*request) if operation is None else f"lambda:{_ACTIONS.get(operation, operation)}"

    return extracted


def batches_as_single(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return the replacement of `extract_iam_action`, which knows the batches of SQS by their actions.

    SendMessageBatch is allowed by sqs:SendMessage, and the others alike (SQS developer guide, "Amazon SQS API
    permissions: Actions and resource reference"). Ministack asks for an action that no policy can name.
    """

    def extracted(*request: Any) -> str | None:
        action = extract(*request)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return extracted


def with_condition_keys(enforce: Callable[..., Any], mappings: Any) -> Callable[..., Any]:
    """Return the replacement of `enforce`, which sets condition keys that ministack does not.

    They are `dynamodb:LeadingKeys`, and `lambda:FunctionArn` for an existing event source mapping; `mappings`
    is ministack's store of those by UUID.
    """

    def enforced(  # noqa: PLR0917  (ministack's signature)
        access_key_id: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = {
            **(service_context or {}),
            **leading_keys(resource_arn),
            **_function_of(resource_arn, mappings),
        }
        return enforce(access_key_id, action, service, region, resource_arn, context)

    return enforced


def _parameter(names: list[str], region: str, account_id: str) -> str:
    if not names or names[0].startswith("arn:"):
        return names[0] if names else "*"
    return f"arn:aws:ssm:{region}:{account_id}:parameter/{names[0].removeprefix('/')}"


def _experiment(path: str, body: bytes, region: str, account_id: str) -> str:
    kind, _, id_ = path.strip("/").partition("/")
    if kind == "tags":
        return unquote(id_)
    if kind == "experiments" and not id_ and body:
        kind, id_ = "experimentTemplates", str(json.loads(body).get("experimentTemplateId"))
    resource = {"experimentTemplates": "experiment-template", "experiments": "experiment"}.get(kind)
    return f"arn:aws:fis:{region}:{account_id}:{resource}/{id_ or '*'}" if resource else "*"


def _qualified(arn: str, query_params: Mapping[str, Any]) -> str:
    given = query_params.get("Qualifier")
    qualifier = given[0] if isinstance(given, list) and given else given
    if not qualifier or ":function:" not in arn or len(arn.split(":")) != _UNQUALIFIED_PARTS:
        return arn
    return f"{arn}:{qualifier}"


def _function_of(resource_arn: str, mappings: Any) -> dict[str, str]:
    is_mapping = ":event-source-mapping:" in resource_arn
    mapping = mappings.get(resource_arn.rsplit(":", 1)[-1]) if is_mapping else None
    return {"lambda:FunctionArn": str(mapping["FunctionArn"])} if mapping else {}
