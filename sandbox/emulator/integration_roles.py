"""Judges the roles with which REST APIs call SQS, where IAM is enforced.

AWS calls a service with the role that an integration names in `credentials`, and what the role may not do is
refused by the service, with 403 (API Gateway developer guide, "API Gateway permissions model for invoking an
API"). Ministack asks no role.
"""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

_SERVICE = "apigateway.amazonaws.com"

_integration: ContextVar[Mapping[str, Any] | None] = ContextVar("rest_integration", default=None)
"""The integration being run."""


class IntegrationRoles:
    """Replaces functions of ministack; `modules` holds its modules by name."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        """Keep the modules, whose private functions are called."""
        self._iam, self._evaluator = modules["iam"], modules["iam_evaluator"]
        self._sqs, self._responses = modules["sqs"], modules["responses"]

    @staticmethod
    def remembered(invoke: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_invoke_sqs_v1`, by which calls of SQS know their integration."""

        async def invoked(integration: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
            token = _integration.set(integration)
            try:
                return await invoke(integration, *rest, **named)
            finally:
                _integration.reset(token)

        return invoked

    def judged(self, dispatch: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_dispatch` of SQS, which refuses what an integration's role may not."""

        async def dispatched(action: str, data: Any, queue_url: str) -> Any:
            integration = _integration.get()
            if integration is not None:
                account, queue = queue_url.split("/")[-2:]
                region = self._responses.get_region()
                arn = f"arn:aws:sqs:{region}:{account}:{queue}"
                why = self.refusal(integration.get("credentials"), f"sqs:{action}", arn, region)
                if why:
                    raise self._sqs._Err("AccessDenied", why, 403)  # noqa: SLF001
            return await dispatch(action, data, queue_url)

        return dispatched

    def refusal(self, role_arn: str | None, action: str, resource: str, region: str) -> str | None:
        """Return why an action is refused, or None if it is allowed."""
        if not role_arn:
            return f"API Gateway has no role to call {action} with"
        account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
        roles, evaluator = self._iam._roles, self._evaluator  # noqa: SLF001
        role = roles.get_scoped(account, None, name)
        if role is None or not _trusts(role["AssumeRolePolicyDocument"]):
            return f"API Gateway cannot assume the role {role_arn}"
        session = f"arn:aws:sts::{account}:assumed-role/{name}/BackplaneAssumeRoleSession"
        context = evaluator.EvalContext(
            principal_arn=session,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=region,
        )
        policies = evaluator._gather_role_policies(name, account)  # noqa: SLF001
        boundary = evaluator._permissions_boundary(roles, name, account)  # noqa: SLF001
        if evaluator.evaluate(context, policies, *boundary).decision == "Allow":
            return None
        return (
            f"User: {session} is not authorized to perform: {action} on resource: {resource} because no "
            "identity-based policy allows it"
        )


def _trusts(document: str) -> bool:
    """Return whether a trust policy names API Gateway; its conditions are not judged."""
    statements = json.loads(document).get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and _SERVICE in (
            [services] if isinstance(services, str) else services
        ):
            return True
    return False
