"""How distributions reach REST APIs: by HTTPS, and by the API's own name. Ministack's functions are faked."""

import asyncio
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from selfheal.sandbox.emulator.distributions import Distributions, with_least_version

HOST = "a1.execute-api.us-east-1.amazonaws.com"
ORIGIN = {"domain_name": HOST, "origin_path": "/v1", "policy": "https-only"}


class UnreachableError(Exception):
    pass


class World:
    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.pinned: list[Any] = []
        cloudfront = SimpleNamespace(
            _origin_connect_target=lambda origin, _: (HOST, 443, origin["policy"] == "https-only"),
            _origin_request_headers=lambda origin, headers, *_: {"Host": origin["domain_name"], **headers},
            _multidict_from_pairs=dict,
            OriginUnreachable=UnreachableError,
        )
        gateway = SimpleNamespace(
            find_api_scope=lambda api: ("0", "r") if api == "a1" else None, handle_execute=self._execute
        )
        evaluator = SimpleNamespace(pin_request_origin=lambda *given: self.pinned.append(given))
        modules = {"cloudfront": cloudfront, "apigateway_v1": gateway, "iam_evaluator": evaluator}
        self._fetch = Distributions(modules).fetched(self._elsewhere)

    async def _execute(self, *arguments: Any) -> Any:
        self.asked.append(arguments)
        return 202, {"X": "1"}, b"{}"

    async def _elsewhere(self, origin: Any, *_: Any) -> Any:
        return 200, "OK", {}, origin["domain_name"].encode()

    def fetch(self, origin: dict[str, Any], headers: dict[str, Any] | None = None) -> Any:
        request = ("PUT", "/orders/a%20b", "x=1", headers or {}, b"body", True, "127.0.0.1", "", "arn")
        return asyncio.run(self._fetch(origin, *request))


def test_an_api_gets_path_query_body_and_headers() -> None:
    world = World()
    assert world.fetch(ORIGIN, {"Authorization": "Bearer t"}) == (202, "", {"X": "1"}, b"{}")
    headers = {"host": HOST, "authorization": "Bearer t"}
    assert world.asked == [("a1", "v1", "PUT", "/orders/a b", headers, b"body", {"x": ["1"]})]


@pytest.mark.parametrize(
    ("origin", "headers"),
    [(ORIGIN, {"Host": "d1.cloudfront.net"}), ({**ORIGIN, "domain_name": HOST.replace("a1", "b2")}, {})],
)
def test_an_api_is_found_by_its_own_name_only(origin: dict[str, Any], headers: dict[str, Any]) -> None:
    world = World()
    assert world.fetch(origin, headers)[0] == 403
    assert world.asked == []


def test_an_api_takes_no_http() -> None:
    world = World()
    with pytest.raises(UnreachableError, match=f"{HOST} does not answer HTTP"):
        world.fetch({**ORIGIN, "policy": "http-only"})
    assert world.asked == []


@pytest.mark.parametrize("domain", ["b.s3.us-east-1.amazonaws.com", "example.com"])
def test_other_origins_are_fetched_as_before_and_by_https(domain: str) -> None:
    world = World()
    assert world.fetch({"domain_name": domain})[3] == domain.encode()
    assert world.pinned == [("127.0.0.1", True)]


@pytest.mark.parametrize(
    ("own", "asked", "stored"),
    [("true", "TLSv1.2_2021", "TLSv1"), ("true", None, "TLSv1"), ("false", "TLSv1.2_2021", "TLSv1.2_2021")],
)
def test_the_own_certificate_of_cloudfront_comes_with_its_minimum(
    own: str, asked: str | None, stored: str
) -> None:
    minimum = "" if asked is None else f"<MinimumProtocolVersion>{asked}</MinimumProtocolVersion>"
    certificate = f"<CloudFrontDefaultCertificate>{own}</CloudFrontDefaultCertificate>{minimum}"
    body = f'<C xmlns="urn:x"><ViewerCertificate>{certificate}</ViewerCertificate></C>'
    root = fromstring(with_least_version(body.encode()))
    assert root.findtext("{urn:x}ViewerCertificate/{urn:x}MinimumProtocolVersion") == stored


def test_what_is_no_xml_is_left_to_cloudfront() -> None:
    assert with_least_version(b"<C") == b"<C"
