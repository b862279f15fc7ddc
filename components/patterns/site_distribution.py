"""The CloudFront distribution of a static site: files of a bucket, and an API under the same address."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.arns import Arns
from selfheal.components.patterns.security_headers import security_headers
from selfheal.components.patterns.site_files import INDEX

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""Ids of managed cache policies. Source: CloudFront developer guide, "Use managed cache policies"."""

ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""Id of a managed origin request policy: with the viewer's Host, API Gateway would find no API. Source:
CloudFront developer guide, "Use managed origin request policies"."""

NEVER_CACHED = (404, 414, 500, 501, 502, 503, 504)
"""Errors that CloudFront would keep for 10 s, whatever the cache policy says, and show to every caller: one
who asks too early would hide an order from all. Source: CloudFront developer guide, "How CloudFront
processes HTTP 4xx and 5xx status codes from your origin"."""

FILES, API = "files", "api"
"""Ids of the origins."""

_READS = ["GET", "HEAD"]
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
"""The smallest set of CloudFront with PUT is all."""


class SiteApiArgs(TypedDict):
    """A regional REST API that answers under the site's address, so that pages need no other."""

    id: pulumi.Input[str]
    """Id of the API."""

    stage: str
    """Name of the stage. It is not a part of the site's paths."""

    paths: Sequence[str]
    """What it answers, such as `/orders/*`. It gets the whole path, headers, query and body."""


class SiteDomainArgs(TypedDict):
    """A name of one's own."""

    name: str
    """For example orders.example.com. Its record in DNS is not made here."""

    certificate_arn: pulumi.Input[str]
    """ARN of a certificate for it in us-east-1."""


class DistributionSettings(TypedDict):
    """What of a site the distribution is about; `StaticSiteArgs` says more."""

    api: NotRequired[SiteApiArgs]
    """The API beside the files. Default: none."""

    domain: NotRequired[SiteDomainArgs]
    """The site's own name, with TLS 1.2 as minimum. Default: a name of CloudFront, with which CloudFront
    accepts TLS 1.0 as well; that cannot be changed."""

    price_class: NotRequired[str]
    """Where it is served from: PriceClass_100 (North America and Europe), PriceClass_200 or PriceClass_All.
    Default PriceClass_100."""


def site_distribution(
    name: str, settings: DistributionSettings, bucket: aws.s3.Bucket, arns: Arns, parent: pulumi.Resource
) -> aws.cloudfront.Distribution:
    """Register the distribution, with its access to the bucket and its headers.

    Args:
        name: Prefix of the logical names.
        settings: What it serves, and where.
        bucket: Holds the files. Its policy must let the distribution read.
        arns: Knows region and domain suffix.
        parent: The parent component.

    """
    options = pulumi.ResourceOptions(parent=parent)
    access = aws.cloudfront.OriginAccessControl(
        f"{name}-access",
        description=f"Reads the files of {name}",
        origin_access_control_origin_type="s3",
        signing_behavior="always",
        signing_protocol="sigv4",
        opts=options,
    )
    headers = security_headers(name, options).id
    files = aws.cloudfront.DistributionOriginArgs(
        origin_id=FILES,
        # The host of the region: redirects of the global one would reach browsers.
        domain_name=bucket.bucket_regional_domain_name,
        origin_access_control_id=access.id,
    )
    apis = [settings["api"]] if "api" in settings else []
    return aws.cloudfront.Distribution(
        f"{name}-distribution",
        comment=f"Site {name}",
        enabled=True,
        is_ipv6_enabled=True,
        http_version="http2and3",
        price_class=settings.get("price_class", "PriceClass_100"),
        default_root_object=INDEX,
        origins=[files, *(_origin(api, arns) for api in apis)],
        default_cache_behavior=aws.cloudfront.DistributionDefaultCacheBehaviorArgs(
            target_origin_id=FILES,
            viewer_protocol_policy="redirect-to-https",
            allowed_methods=_READS,
            cached_methods=_READS,
            compress=True,
            cache_policy_id=CACHING_OPTIMIZED,
            response_headers_policy_id=headers,
        ),
        ordered_cache_behaviors=[
            aws.cloudfront.DistributionOrderedCacheBehaviorArgs(
                path_pattern=path,
                target_origin_id=API,
                # Not redirected: what sends a token in the clear must not seem to work.
                viewer_protocol_policy="https-only",
                allowed_methods=_METHODS,
                cached_methods=_READS,
                compress=True,
                cache_policy_id=CACHING_DISABLED,
                origin_request_policy_id=ALL_VIEWER_EXCEPT_HOST,
                response_headers_policy_id=headers,
            )
            for api in apis
            for path in api["paths"]
        ],
        # Without a page: the API's own status and words stay.
        custom_error_responses=[
            aws.cloudfront.DistributionCustomErrorResponseArgs(error_code=code, error_caching_min_ttl=0)
            for code in NEVER_CACHED
        ],
        restrictions=aws.cloudfront.DistributionRestrictionsArgs(
            geo_restriction=aws.cloudfront.DistributionRestrictionsGeoRestrictionArgs(restriction_type="none")
        ),
        aliases=[settings["domain"]["name"]] if "domain" in settings else None,
        viewer_certificate=_certificate(settings),
        opts=options,
    )


def _origin(api: SiteApiArgs, arns: Arns) -> aws.cloudfront.DistributionOriginArgs:
    return aws.cloudfront.DistributionOriginArgs(
        origin_id=API,
        domain_name=arns.rest_api_domain(names.REST_API.of("api: id", api["id"])),
        origin_path=f"/{api['stage']}",
        custom_origin_config=aws.cloudfront.DistributionOriginCustomOriginConfigArgs(
            http_port=80,
            https_port=443,
            origin_protocol_policy="https-only",
            origin_ssl_protocols=["TLSv1.2"],
        ),
    )


def _certificate(settings: DistributionSettings) -> aws.cloudfront.DistributionViewerCertificateArgs:
    if "domain" not in settings:
        # CloudFront makes the minimum TLSv1 here whatever is asked for, so that another value would be a
        # difference for ever. Source: CloudFront API reference, "ViewerCertificate".
        return aws.cloudfront.DistributionViewerCertificateArgs(cloudfront_default_certificate=True)
    return aws.cloudfront.DistributionViewerCertificateArgs(
        acm_certificate_arn=names.CERTIFICATE.of(
            "domain: certificate_arn", settings["domain"]["certificate_arn"]
        ),
        ssl_support_method="sni-only",
        minimum_protocol_version="TLSv1.2_2021",
    )
