"""A static site with an API in the emulator, through the loopback front."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from selfheal.components.patterns.security_headers import CONTENT_SECURITY_POLICY
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.front import MOST_BYTES, Front
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "support" / "sited"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
TOKEN = {"Authorization": "Bearer " + "a" * 32}
JSON = {"Content-Type": "application/json"}


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    clients: Clients
    outputs: dict[str, Any]
    front: Front

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request as a browser would that has opened the front's address."""
        connection = http.client.HTTPConnection(str(urlsplit(self.front.url).netloc), timeout=20)
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, dict(headers or {}))
        answer = connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as emulator:
        clients = emulator.clients
        with Front(emulator.endpoint) as front:
            yield Site(clients, deploy(PROGRAM, AwsProvider(clients), stack="dev"), front)


def test_the_files_are_served_with_their_types(site: Site) -> None:
    index, script = site.ask("/"), site.ask("/app/page.js")
    assert index.status == script.status == 200
    assert index.body == (PROGRAM / "pages" / "index.html").read_bytes()
    assert index.headers["Content-Type"] == "text/html; charset=utf-8"
    assert index.headers["Cache-Control"] == "no-cache"
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.headers["Cache-Control"] == "max-age=60, must-revalidate"
    assert site.ask("/", headers={"If-None-Match": index.headers["ETag"]}).status == 304
    assert site.ask("/", "HEAD").body == b""


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/missing.js", {}, 403),
        ("/orders/o-1", TOKEN, 200),
        ("/orders/o-1", {}, 401),
        ("/orders/", TOKEN, 404),
    ],
)
def test_every_answer_has_the_security_headers(
    site: Site, path: str, headers: dict[str, str], status: int
) -> None:
    answer = site.ask(path, headers=headers)
    assert answer.status == status, answer.body
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "Access-Control-Allow-Origin" not in answer.headers


SECURITY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def test_the_api_answers_under_the_same_address(site: Site) -> None:
    stored = site.ask("/orders/o-1", "PUT", {"id": "o-1"}, TOKEN | JSON)
    assert (stored.status, stored.document["state"]) == (202, "stored")
    [message] = site.clients.get("sqs").receive_message(
        QueueUrl=site.clients.get("sqs").list_queues()["QueueUrls"][0], MessageAttributeNames=["All"]
    )["Messages"]
    assert json.loads(message["Body"]) == {"id": "o-1"}
    assert message["MessageAttributes"]["caller"]["StringValue"] == "alice"
    assert site.ask("/orders/a%20b?x=1", headers=TOKEN).document == {"id": "a b", "caller": "alice"}


def test_the_apis_own_errors_stay(site: Site) -> None:
    """None of them becomes index.html."""
    refused = site.ask("/orders/o-1", "PUT", {"id": 1}, TOKEN | JSON)
    assert refused.status == 400
    assert "instance type (integer)" in refused.document["error"]
    stranger = site.ask("/orders/o-1", headers={"Authorization": "Bearer " + "b" * 32})
    assert stranger.status == 403
    assert "Authorization: Bearer" in stranger.document["allowed"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "a.b.localhost:{port}", ""])
def test_another_host_is_refused(site: Site, host: str) -> None:
    answer = site.ask("/", headers={"Host": host.format(port=site.front.port)})
    assert answer.status == 421
    assert b"<title>" not in answer.body


@pytest.mark.parametrize("path", ["/_ministack/reset", "//_ministack/reset", "/%5Fministack/reset", "*"])
def test_the_emulators_own_paths_are_not_shown(site: Site, path: str) -> None:
    assert site.ask(path, "POST").status == 403
    assert site.ask("/").status == 200


def test_a_site_has_an_address_of_its_own(site: Site) -> None:
    own = f"{site.outputs['distribution']}.localhost:{site.front.port}"
    assert site.ask("/", headers={"Host": own}).status == 200
    other = site.ask("/", headers={"Host": f"other.localhost:{site.front.port}"})
    assert other.status == 404
    assert f"http://{own.lower()}" in other.body.decode()


def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(site: Site) -> None:
    large = {"Content-Length": str(MOST_BYTES + 1)}
    assert site.ask("/orders/o-1", "PUT", headers=large).status == 413
    assert site.ask("/orders/o-1", "PUT", headers={"Transfer-Encoding": "chunked"}).status == 411


def test_nothing_differs_once_it_is_deployed(site: Site) -> None:
    """With its own certificate CloudFront says TLSv1, which is no difference."""
    id_ = site.outputs["distribution"]
    live = site.clients.get("cloudfront").get_distribution(Id=id_)["Distribution"]["DistributionConfig"]
    assert live["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1"
    provider = AwsProvider(site.clients)
    found = provider.lookup(DISTRIBUTION, id_, {})
    assert found is not None
    again = provider.read(DISTRIBUTION, id_, {**found[1], "viewerCertificate": OWN_CERTIFICATE})
    assert again is not None
    assert again[0]["viewerCertificate"] == OWN_CERTIFICATE


OWN_CERTIFICATE = {"cloudfrontDefaultCertificate": True}


def test_only_this_distribution_reads_the_bucket(site: Site) -> None:
    """Last: it takes the policy away."""
    s3, bucket = site.clients.get("s3"), site.outputs["bucket"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    another = policy.replace(site.outputs["distribution"], "EANOTHER")
    s3.put_bucket_policy(Bucket=bucket, Policy=another)
    assert site.ask("/").status == 403
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert site.ask("/").status == 200
    s3.delete_bucket_policy(Bucket=bucket)
    assert site.ask("/").status == 403
