"""What distributions of CloudFront do otherwise than ministack's, as AWS documents it.

Sources: API Gateway developer guide, "Invoke REST APIs in API Gateway" (the address of an API, which takes
HTTPS only and goes by the Host); CloudFront developer guide, "Require HTTPS for communication between
CloudFront and your Amazon S3 origin"; CloudFront API reference, "ViewerCertificate".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.etree.ElementTree import fromstring, tostring

_REST_API = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")

_LEAST = "TLSv1"
"""The minimum protocol version with CloudFront's own certificate, whatever is asked for."""


class Distributions:
    """Replaces functions of ministack; `modules` holds its modules by name."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        """Keep the modules, whose private functions are called."""
        self._cloudfront, self._gateway = modules["cloudfront"], modules["apigateway_v1"]
        self._evaluator = modules["iam_evaluator"]

    def fetched(self, fetch: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_fetch_from_origin`, which finds the REST APIs of the emulator.

        Ministack refuses every address of AWS but those of load balancers and functions.
        """

        async def fetching(origin: dict[str, Any], *request: Any) -> Any:
            method, uri, query, headers, body, secure, client, forwarded, _ = request
            api = _REST_API.fullmatch(origin["domain_name"].lower())
            if api is None or origin.get("s3_bucket"):
                # By HTTPS where the viewer's request came by it. Ministack tells policies of buckets so only
                # where IAM is enforced.
                self._evaluator.pin_request_origin(client, secure)
                return await fetch(origin, *request)
            edge = self._cloudfront
            if not edge._origin_connect_target(origin, secure)[2]:  # noqa: SLF001
                raise edge.OriginUnreachable(f"{api[0]} does not answer HTTP")
            sent = edge._origin_request_headers(origin, headers, client, forwarded)  # noqa: SLF001
            path = unquote((origin.get("origin_path") or "") + uri)
            status, answered, data = await self._ask(api[1], method, path, query, _lowered(sent), body)
            return status, "", edge._multidict_from_pairs(answered.items()), data  # noqa: SLF001

        return fetching

    async def _ask(self, api: str, method: str, path: str, *request: Any) -> tuple[int, Any, Any]:
        query, headers, body = request
        known = self._gateway.find_api_scope(api) is not None
        # With the viewer's Host, API Gateway finds no API either.
        if not known or not headers["host"].lower().startswith(f"{api}.execute-api."):
            kind = {"content-type": "application/json", "x-amzn-errortype": "ForbiddenException"}
            return 403, kind, b'{"message":"Forbidden"}'
        stage, _, rest = path.lstrip("/").partition("/")
        parameters = parse_qs(query, keep_blank_values=True)
        return await self._gateway.handle_execute(api, stage, method, f"/{rest}", headers, body, parameters)

    @staticmethod
    def certified(store: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of a function that stores a configuration, whose last argument it is."""

        def storing(*arguments: Any) -> Any:
            return store(*arguments[:-1], with_least_version(arguments[-1]))

        return storing


def with_least_version(body: bytes) -> bytes:
    """Return a configuration in which CloudFront's own certificate comes with TLSv1."""
    try:
        root = fromstring(body)  # noqa: S314 - of the machine's own user
    except SyntaxError:
        return body
    for certificate in root.iter():
        parts = {part.tag.rpartition("}")[2]: part for part in certificate}
        own = parts.get("CloudFrontDefaultCertificate")
        if own is not None and own.text == "true":
            asked = parts.get("MinimumProtocolVersion")
            if asked is None:
                space = own.tag.removesuffix("CloudFrontDefaultCertificate")
                asked = own.makeelement(f"{space}MinimumProtocolVersion", {})
                certificate.append(asked)
            asked.text = _LEAST
    return tostring(root)


def _lowered(headers: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}
