"""What the emulator's enforcement of IAM gets wrong, put right inside its process.

It may not know an action's name, the resource that a request names, or a condition key. A policy that AWS
would take is then refused, and one that AWS would refuse passes. The product's policies are written for AWS.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from selfheal.sandbox.emulator.leading_keys import leading_keys

ExtractArn = Callable[[str, str, str, dict[str, str], bytes, dict[str, Any], str, str], str]
ExtractAction = Callable[[str, str, str, dict[str, str], bytes, dict[str, Any]], str | None]
MatchRoute = Callable[[str, str, str, dict[str, Any] | None], str | None]
Enforce = Callable[..., Any]

_DESCRIBE_ALARMS = ".DescribeAlarms"
"""End of the target header; the pinned botocore speaks JSON to CloudWatch."""

_INVOCATIONS = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
"""The operations of Lambda whose action has another name (Lambda developer guide, "Fine-tuning the Resources
and Conditions sections of policies")."""

_UNQUALIFIED_PARTS = 7
"""Of a function's ARN that ends with its name; a version or alias is the eighth."""

_MAPPING = ":event-source-mapping:"


def resources_named(extract: ExtractArn) -> ExtractArn:
    """Return the emulator's look-up of a request's resource, taught about alarms and about qualifiers.

    AWS checks cloudwatch:DescribeAlarms against the alarms that are named (Service Authorization Reference,
    "Actions, resources, and condition keys for Amazon CloudWatch"), so a policy may be scoped to them. The
    emulator looks at `*` only, and would refuse every scoped policy. One resource is all that it can check
    for a request of CloudWatch: of several alarms the first one counts.

    A call that names a version or alias by `Qualifier` is about that qualified ARN: a policy on the ARN of
    the function itself does not allow it (Lambda developer guide, "Fine-tuning the Resources and Conditions
    sections of policies"). The emulator leaves the qualifier out, and would let it pass.
    """

    def extracted(  # noqa: PLR0917 - ministack's own signature
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        arn = extract(service, method, path, headers, body, query_params, region, account_id)
        if service == "lambda":
            return _qualified(arn, query_params)
        target = headers.get("x-amz-target", "")
        if arn != "*" or service != "monitoring" or not target.endswith(_DESCRIBE_ALARMS):
            return arn
        names: list[str] = json.loads(body).get("AlarmNames") or []
        return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{names[0]}" if names else arn

    return extracted


def lambda_actions(extract: ExtractAction, match: MatchRoute) -> ExtractAction:
    """Return the emulator's look-up of a request's action, taught all actions of Lambda by botocore's routes.

    The emulator takes GetAlias and UpdateAlias for ListAliases, all of reserved concurrency for
    PutFunctionConcurrency, GetEventSourceMapping for ListEventSourceMappings, and
    PutFunctionEventInvokeConfig for UpdateFunctionCode; changes of event source mappings pass unchecked.
    """

    def extracted(  # noqa: PLR0917 - ministack's own signature
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
    ) -> str | None:
        operation = match(service, method, path, query_params) if service == "lambda" else None
        if operation is None:
            return extract(service, method, path, headers, body, query_params)
        return f"lambda:{_INVOCATIONS.get(operation, operation)}"

    return extracted


def with_condition_keys(enforce: Enforce, mappings: Any) -> Enforce:
    """Return the emulator's check of one authorization, with the condition keys that it does not set.

    They are `dynamodb:LeadingKeys`, and `lambda:FunctionArn` for an existing event source mapping; `mappings`
    is the emulator's store of those, by their UUID.
    """

    def enforced(  # noqa: PLR0917 - ministack's own signature
        access_key_id: str,
        iam_action: str,
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
        return enforce(
            access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=context
        )

    return enforced


def _qualified(arn: str, query_params: Mapping[str, Any]) -> str:
    given = query_params.get("Qualifier")
    qualifier = given[0] if isinstance(given, list) and given else given
    if not qualifier or ":function:" not in arn or len(arn.split(":")) != _UNQUALIFIED_PARTS:
        return arn
    return f"{arn}:{qualifier}"


def _function_of(resource_arn: str, mappings: Any) -> dict[str, str]:
    mapping = mappings.get(resource_arn.rsplit(":", 1)[-1]) if _MAPPING in resource_arn else None
    return {"lambda:FunctionArn": str(mapping["FunctionArn"])} if mapping else {}
