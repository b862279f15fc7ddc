"""One life of a resource of every type of CloudFront: see `cases.py`."""

from typing import Any

from selfheal.sandbox.clients import Clients
from tests.sandbox.provider.cases import Case

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
ACCESS = "aws:cloudfront/originAccessControl:OriginAccessControl"
HEADERS = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"

SIGNED = {
    "originAccessControlOriginType": "s3",
    "signingBehavior": "always",
    "signingProtocol": "sigv4",
}
BEHAVIOR: dict[str, Any] = {
    "targetOriginId": "files",
    "viewerProtocolPolicy": "redirect-to-https",
    "allowedMethods": ["HEAD", "GET"],
    "cachedMethods": ["GET", "HEAD"],
    "compress": True,
    "cachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
}
FILES = {
    "originId": "files",
    "domainName": "b.s3.us-east-1.amazonaws.com",
    "originAccessControlId": "{access.id}",
}
ELSEWHERE = {
    "originId": "api",
    "domainName": "a.execute-api.us-east-1.amazonaws.com",
    "originPath": "/v1",
    "customOriginConfig": {
        "httpPort": 80,
        "httpsPort": 443,
        "originProtocolPolicy": "https-only",
        "originSslProtocols": ["TLSv1.2"],
    },
}


def behavior(path: str) -> dict[str, Any]:
    return {**BEHAVIOR, "targetOriginId": "api", "pathPattern": path}


def headers(seconds: int) -> dict[str, Any]:
    return {
        "contentSecurityPolicy": {"contentSecurityPolicy": "default-src 'none'", "override": True},
        "contentTypeOptions": {"override": True},
        "frameOptions": {"frameOption": "DENY", "override": True},
        "referrerPolicy": {"referrerPolicy": "no-referrer", "override": True},
        "strictTransportSecurity": {"accessControlMaxAgeSec": seconds, "override": True},
    }


def _order_turned(clients: Clients, id_: str, _: dict[str, Any]) -> None:
    api = clients.get("cloudfront")
    live = api.get_distribution_config(Id=id_)
    live["DistributionConfig"]["CacheBehaviors"]["Items"].reverse()
    api.update_distribution(Id=id_, IfMatch=live["ETag"], DistributionConfig=live["DistributionConfig"])


def _delete(noun: str) -> Any:
    def drift(clients: Clients, id_: str, _: dict[str, Any]) -> None:
        api = clients.get("cloudfront")
        etag = getattr(api, f"get_{noun}")(Id=id_)["ETag"]
        getattr(api, f"delete_{noun}")(Id=id_, IfMatch=etag)

    return drift


def _framed(clients: Clients, id_: str, _: dict[str, Any]) -> None:
    api = clients.get("cloudfront")
    live = api.get_response_headers_policy_config(Id=id_)
    config = live["ResponseHeadersPolicyConfig"]
    config["SecurityHeadersConfig"]["FrameOptions"]["FrameOption"] = "SAMEORIGIN"
    api.update_response_headers_policy(Id=id_, IfMatch=live["ETag"], ResponseHeadersPolicyConfig=config)


CLOUDFRONT_CASES = [
    Case(
        ACCESS,
        {**SIGNED, "description": "one"},
        {"description": "two", "signingBehavior": "no-override"},
        _delete("origin_access_control"),
        None,
        taken="OriginAccessControlAlreadyExists",
    ),
    Case(
        HEADERS,
        {"comment": "one", "securityHeadersConfig": headers(60)},
        {"comment": "two", "securityHeadersConfig": headers(120)},
        _framed,
        "securityHeadersConfig",
        taken="ResponseHeadersPolicyAlreadyExists",
    ),
    Case(
        DISTRIBUTION,
        {
            "enabled": True,
            "isIpv6Enabled": True,
            "httpVersion": "http2and3",
            "priceClass": "PriceClass_100",
            "defaultRootObject": "index.html",
            "comment": "one",
            "origins": [FILES, ELSEWHERE],
            "defaultCacheBehavior": {**BEHAVIOR, "responseHeadersPolicyId": "{headers.id}"},
            "orderedCacheBehaviors": [behavior("/orders/*"), behavior("/status/*")],
            "customErrorResponses": [{"errorCode": 502.0, "errorCachingMinTtl": 0.0}],
            "restrictions": {"geoRestriction": {"restrictionType": "none"}},
            "viewerCertificate": {"cloudfrontDefaultCertificate": True},
        },
        {
            "aliases": ["orders.example.com"],
            "comment": "two",
            "orderedCacheBehaviors": [behavior("/orders/*"), behavior("/stat/*"), behavior("/status/*")],
            "customErrorResponses": [
                {"errorCode": 404, "responsePagePath": "/404.html", "responseCode": 404},
                {"errorCode": 502, "errorCachingMinTtl": 0},
            ],
            "viewerCertificate": {
                "acmCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/c",
                "sslSupportMethod": "sni-only",
                "minimumProtocolVersion": "TLSv1.2_2021",
            },
        },
        _order_turned,
        "orderedCacheBehaviors",
        {"access": (ACCESS, SIGNED), "headers": (HEADERS, {"securityHeadersConfig": headers(60)})},
        many=True,
    ),
]
