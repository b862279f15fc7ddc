"""What a static site registers: who reads the bucket, what is served how, and what is never cached."""

from pathlib import Path
from typing import Any

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.patterns.site_files import CONTENT_TYPES
from selfheal.components.patterns.static_site import StaticSite, StaticSiteArgs
from tests.components.support import iam
from tests.conftest import ROOT
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

BUCKET = "site-files-1a2b3c4"
API = {"id": "a1b2c3d4", "stage": "v1", "paths": ["/orders/*", "/status/*"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "app" / "page.js").write_text("1;")
    (tmp_path / "style.css").write_text("a {}")
    return tmp_path


def site(folder: Path, *, preview: bool = False, **more: Any) -> Deployment:
    args: StaticSiteArgs = {"folder": str(folder), **more}  # type: ignore[typeddict-item]
    return deploy(lambda: StaticSite("site", args) and None, preview=preview)


def distribution(deployment: Deployment) -> Any:
    return deployment.named("site-distribution").inputs


def test_each_file_is_one_object_and_the_index_comes_last(folder: Path) -> None:
    deployment = site(folder)
    objects = {each.inputs["key"]: each for each in deployment.of("aws:s3/bucketObjectv2:BucketObjectv2")}
    assert {key: (o.inputs["contentType"], o.inputs["cacheControl"]) for key, o in objects.items()} == {
        "index.html": ("text/html; charset=utf-8", "no-cache"),
        "style.css": ("text/css; charset=utf-8", "max-age=60, must-revalidate"),
        "app/page.js": ("text/javascript; charset=utf-8", "max-age=60, must-revalidate"),
    }
    index = objects.pop("index.html")
    assert {each.urn for each in objects.values()} <= index.dependencies
    closed = {deployment.named(f"site-files-{name}").urn for name in ("private", "encryption", "versions")}
    assert all(closed <= each.dependencies for each in objects.values())


@pytest.mark.parametrize("preview", [True, False])
def test_the_bucket_is_private_encrypted_and_keeps_old_versions_for_a_while(
    folder: Path, preview: bool
) -> None:
    deployment = site(folder, preview=preview)
    block = deployment.named("site-files-private").inputs
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert block == {"bucket": BUCKET, **dict.fromkeys(flags, True)}
    [rule] = deployment.named("site-files-encryption").inputs["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    versions = deployment.named("site-files-versions").inputs["versioningConfiguration"]
    assert versions == {"status": "Enabled"}
    [kept] = deployment.named("site-files-lifecycle").inputs["rules"]
    assert kept["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert "expiration" not in kept


def test_only_this_distribution_reads_and_only_by_tls(folder: Path) -> None:
    policy = site(folder).named("site-files-policy").inputs["policy"]
    own = f"arn:aws:cloudfront::{ACCOUNT}:distribution/site-distribution-id"

    def said(action: str, arn: str, **context: str) -> iam.Verdict:
        known = {"aws:SecureTransport": "true", "AWS:SourceArn": arn, **context}
        object_ = f"arn:aws:s3:::{BUCKET}/index.html"
        return iam.resource_policy(
            policy, iam.Request(action, object_, service="cloudfront.amazonaws.com", context=known)
        )

    assert said("s3:GetObject", own) is iam.Verdict.ALLOWED
    assert said("s3:GetObject", own.replace("site-", "other-")) is iam.Verdict.NOT_ALLOWED
    assert said("s3:GetObject", own.replace(ACCOUNT, "210987654321")) is iam.Verdict.NOT_ALLOWED
    assert said("s3:PutObject", own) is iam.Verdict.NOT_ALLOWED
    assert said("s3:GetObject", own, **{"aws:SecureTransport": "false"}) is iam.Verdict.DENIED


@pytest.mark.parametrize("preview", [True, False])
def test_requests_to_the_bucket_are_always_signed(folder: Path, preview: bool) -> None:
    deployment = site(folder, preview=preview)
    access = deployment.named("site-access")
    assert access.inputs["originAccessControlOriginType"] == "s3"
    assert access.inputs["signingBehavior"] == "always"
    assert access.inputs["signingProtocol"] == "sigv4"
    assert access.urn in deployment.named("site-distribution").dependencies


def test_the_files_are_read_only_compressed_and_by_https(folder: Path) -> None:
    inputs = distribution(site(folder))
    [origin] = inputs["origins"]
    assert origin == {
        "originId": "files",
        "domainName": f"{BUCKET}.s3.{REGION}.amazonaws.com",
        "originAccessControlId": "site-access-id",
    }
    default = inputs["defaultCacheBehavior"]
    assert default["viewerProtocolPolicy"] == "redirect-to-https"
    assert default["allowedMethods"] == ["GET", "HEAD"]
    assert default["compress"] is True
    assert default["responseHeadersPolicyId"] == "site-headers-id"
    assert inputs["httpVersion"] == "http2and3"
    assert inputs["defaultRootObject"] == "index.html"
    assert inputs["orderedCacheBehaviors"] == []


def test_the_api_is_reached_by_its_own_name_and_https_and_never_cached(folder: Path) -> None:
    inputs = distribution(site(folder, api=API))
    origin = inputs["origins"][1]
    assert origin == {
        "originId": "api",
        "domainName": f"a1b2c3d4.execute-api.{REGION}.amazonaws.com",
        "originPath": "/v1",
        "customOriginConfig": {
            "httpPort": 80,
            "httpsPort": 443,
            "originProtocolPolicy": "https-only",
            "originSslProtocols": ["TLSv1.2"],
        },
    }
    behaviors = inputs["orderedCacheBehaviors"]
    assert [each["pathPattern"] for each in behaviors] == API["paths"]
    for each in behaviors:
        assert each["targetOriginId"] == "api"
        assert each["viewerProtocolPolicy"] == "https-only"
        assert "PUT" in each["allowedMethods"]
        # CachingDisabled and AllViewerExceptHostHeader, by AWS's ids.
        assert each["cachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        assert each["originRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
        assert each["responseHeadersPolicyId"] == "site-headers-id"


def test_an_error_is_neither_replaced_nor_kept(folder: Path) -> None:
    """Of those codes that CloudFront keeps although the origin asks for nothing."""
    errors = distribution(site(folder, api=API))["customErrorResponses"]
    kept_by_default = {404, 414, 500, 501, 502, 503, 504}
    assert {each["errorCode"] for each in errors} == kept_by_default
    assert all(set(each) == {"errorCode", "errorCachingMinTtl"} for each in errors)
    assert {each["errorCachingMinTtl"] for each in errors} == {0}


@pytest.mark.parametrize("preview", [True, False])
def test_the_headers_allow_no_code_within_the_page_and_nothing_from_elsewhere(
    folder: Path, preview: bool
) -> None:
    security = site(folder, preview=preview).named("site-headers").inputs["securityHeadersConfig"]
    policy = security["contentSecurityPolicy"]["contentSecurityPolicy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert security["strictTransportSecurity"] == {"accessControlMaxAgeSec": 31536000, "override": True}
    assert security["frameOptions"] == {"frameOption": "DENY", "override": True}
    assert security["referrerPolicy"] == {"referrerPolicy": "no-referrer", "override": True}
    assert security["contentTypeOptions"] == {"override": True}


def test_a_name_of_ones_own_comes_with_tls_1_2(folder: Path) -> None:
    certificate = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/c"
    deployment = site(folder, domain={"name": "orders.example.com", "certificate_arn": certificate})
    inputs = distribution(deployment)
    assert inputs["aliases"] == ["orders.example.com"]
    assert inputs["viewerCertificate"] == {
        "acmCertificateArn": certificate,
        "sslSupportMethod": "sni-only",
        "minimumProtocolVersion": "TLSv1.2_2021",
    }
    [outputs] = [found for found in deployment.outputs.values() if "distributionId" in found]
    assert outputs["url"] == "https://orders.example.com"


def test_without_one_nothing_is_asked_for_that_cloudfront_would_not_give(folder: Path) -> None:
    deployment = site(folder)
    assert distribution(deployment)["viewerCertificate"] == {"cloudfrontDefaultCertificate": True}
    [outputs] = [found for found in deployment.outputs.values() if "distributionId" in found]
    assert outputs["url"] == "https://d-site-distribution-id.cloudfront.net"


@pytest.mark.parametrize("name", [".env", ".git/config.txt", "notes.md", "key.pem", "Makefile"])
def test_what_is_not_to_be_served_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("secret")
    with pytest.raises(ComponentError, match=f"got {name} in .*Everything there becomes public"):
        site(folder)


def test_a_link_is_refused(folder: Path) -> None:
    (folder / "linked.txt").symlink_to(folder.parent / "elsewhere.txt")
    with pytest.raises(ComponentError, match=r"no links, got linked\.txt"):
        site(folder)


def test_a_folder_without_an_index_is_refused(folder: Path) -> None:
    (folder / "index.html").unlink()
    with pytest.raises(ComponentError, match=r"folder must hold index\.html"):
        site(folder)
    with pytest.raises(ComponentError, match=r"nothing', which is no folder"):
        site(folder / "nothing")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/*", "must be of the form /orders/\\*.*got '/\\*'"),
        ("orders/*", "got 'orders/\\*'"),
        ("/orders", "got '/orders'"),
        ("/a/b/*", "got '/a/b/\\*'"),
        ("/app/*", "must not hide files of the site, got '/app/\\*', below which is app/page.js"),
    ],
)
def test_a_path_that_would_hide_files_is_refused(folder: Path, path: str, text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        site(folder, api={**API, "paths": [path]})


def test_the_page_of_the_orders_service_can_be_served_with_its_api() -> None:
    deployment = site(ROOT / "web", api=API)
    objects = deployment.of("aws:s3/bucketObjectv2:BucketObjectv2")
    assert len(objects) == len([each for each in (ROOT / "web").rglob("*") if each.is_file()])
    assert {Path(each.inputs["key"]).suffix for each in objects} <= set(CONTENT_TYPES)
