"""What REST APIs of API Gateway put into templates, and how they treat content types, as AWS documents it.

Sources: API Gateway developer guide, "Variables for data transformations for API Gateway", "Request
validation for REST APIs in API Gateway" and "Method request behavior for payloads without mapping templates".
"""

import json
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from selfheal.sandbox.emulator.model_errors import validation_errors

_request: ContextVar[dict[str, Any] | None] = ContextVar("rest_request", default=None)
"""Ministack's record of the request being served."""

_context: ContextVar[Mapping[str, Any] | None] = ContextVar("rest_context", default=None)
"""`$context` of the integration being run."""

_SHORT = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"} | {c: f"\\{c}" for c in "'\"\\/"}


class RestApis:
    """Replaces functions of ministack's REST APIs; `gateway` is its module."""

    def __init__(self, gateway: Any) -> None:
        """Keep the module, whose private functions are called."""
        self._gateway = gateway

    def remembered(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_execute_in_scope`, which answers with the id of the request."""

        async def executed(request: dict[str, Any], *rest: Any) -> Any:
            token = _request.set(request)
            try:
                response = await execute(request, *rest)
            finally:
                _request.reset(token)
            if isinstance(response, tuple):
                response[1].setdefault("x-amzn-RequestId", request["request_id"])
            return response

        return executed

    def with_context(self, invoke: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_invoke_sqs_v1`, which tells the templates of the request."""

        async def invoked(*arguments: Any, **named: Any) -> Any:
            token = _context.set(self._context_of(arguments, named))
            try:
                return await invoke(*arguments, **named)
            finally:
                _context.reset(token)

        return invoked

    @staticmethod
    def mapped(respond: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_service_integration_response`, which maps `context.*` to headers.

        Ministack sends the name of the variable as the header's value. Source: API Gateway developer guide,
        "Parameter mapping source reference for REST APIs".
        """

        def responded(*arguments: Any, **named: Any) -> tuple[int, dict[str, str], bytes]:
            status, headers, body = respond(*arguments, **named)
            context = _context.get() or {}
            values = {
                name: context.get(value.removeprefix("context.")) if value.startswith("context.") else value
                for name, value in headers.items()
            }
            return status, {name: value for name, value in values.items() if value is not None}, body

        return responded

    def _context_of(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        _, api_id, stage_name, _, resource, path, method, headers, *_ = arguments
        request = _request.get() or {}
        find = self._gateway._header_ci  # noqa: SLF001
        now = time.time()
        identity = {
            "sourceIp": (find(headers, "x-forwarded-for") or "127.0.0.1").split(",")[0].strip(),
            "userAgent": find(headers, "user-agent"),
            "apiKey": find(headers, "x-api-key"),
            **(named.get("caller_identity") or {}),
        }
        return {
            "accountId": named.get("owner_account_id"),
            "apiId": api_id,
            "authorizer": named.get("authorizer_context") or {},
            "domainName": find(headers, "host"),
            "httpMethod": method,
            "identity": identity,
            "path": f"/{stage_name}{path}",
            "protocol": "HTTP/1.1",
            "requestId": request.get("request_id"),
            "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": resource.get("id"),
            "resourcePath": resource["path"],
            "stage": stage_name,
        }

    @staticmethod
    def rendered(render: Callable[..., str]) -> Callable[..., str]:
        """Return the replacement of `_render_request_template_v1`, for request and response templates."""

        def render_with_context(
            template: str, body: str, params: Mapping[str, Any], context: Any = None
        ) -> str:
            return render(template, body, params, {**(context or {}), **(_context.get() or {})})

        return render_with_context

    def escaping(self, util: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_vtl_util`, which knows `$util.escapeJavaScript`."""

        def called(steps: Any, state: Any) -> Any:
            if not steps or steps[0][0] != "escapeJavaScript" or steps[0][1] is None:
                return util(steps, state)
            arguments = self._gateway._vtl_split_args(steps[0][1])  # noqa: SLF001
            value = self._gateway._vtl_value(arguments[0], state) if arguments else None  # noqa: SLF001
            return escape_javascript(self._gateway._vtl_str(value))  # noqa: SLF001

        return called

    def validated(self, check: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_check_request_validation`.

        A body whose content type no model is for is not validated, unless a model is for `$default`. What is
        wrong with one that was refused is kept for the gateway response.
        """

        def checked(  # noqa: PLR0917  (ministack's signature)
            method: dict[str, Any], api_id: str, request: Any, headers: Any, body: Any, query: Any
        ) -> Any:
            models = method.get("requestModels") or {}
            find = self._gateway._header_ci  # noqa: SLF001
            content_type = (find(headers, "content-type") or "application/json").split(";", 1)[0].strip()
            model = models.get(content_type) or models.get("$default")
            applied = {**method, "requestModels": {"application/json": model} if model else {}}
            refused = check(applied, api_id, request, headers, body, query)
            if refused is not None and refused.response_type == "BAD_REQUEST_BODY":
                refused.why = self._why(api_id, model, body) or refused.message
            return refused

        return checked

    def _why(self, api_id: str, model: str | None, body: bytes) -> str | None:
        try:
            document = json.loads(body)
        except ValueError:
            return None
        schema = self._gateway._model_schema(api_id, model)  # noqa: SLF001
        errors = validation_errors(schema, document, self._gateway._resolve_schema_ref)  # noqa: SLF001
        return f"[{', '.join(errors)}]" if errors else None

    @staticmethod
    def explained(respond: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_gateway_error_response`, which fills in `validationErrorString`.

        The text is escaped, so that it may stand in quotes in a template for JSON.
        """

        def responded(error: Any, request: Any) -> tuple[int, dict[str, str], bytes]:
            status, headers, body = respond(error, request)
            why = json.dumps(getattr(error, "why", ""))[1:-1].encode()
            for form in (b"${context.error.validationErrorString}", b"$context.error.validationErrorString"):
                body = body.replace(form, why)
            return status, headers, body

        return responded


def escape_javascript(text: str) -> str:
    """Return the text by the rules of JavaScript strings, as `$util.escapeJavaScript` does."""
    return "".join(_SHORT.get(c) or (c if " " <= c <= "~" else _escaped(c)) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex().upper()}" for i in range(0, len(units), 2))
