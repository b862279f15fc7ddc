"""What a distribution serves comes by TLS only, and a bucket behind it is read by nobody else."""

from collections.abc import Iterable

from selfheal_policies import types
from selfheal_policies.resources import Resource
from selfheal_policies.rule import Config, Finding, ResourceRule, strings
from selfheal_policies.values import ABSENT, UNKNOWN, entries, flag, get, text

TO_VIEWERS = ("redirect-to-https", "https-only")
TO_ORIGIN = "https-only"
SINCE = ("TLSv1.2", "TLSv1.3")


def problems(distribution: Resource) -> Iterable[str]:
    """Yield what is wrong with a distribution, each as the end of a sentence."""
    behaviors = [
        *entries(distribution.get("defaultCacheBehavior")),
        *entries(distribution.get("orderedCacheBehaviors")),
    ]
    for behavior in behaviors:
        where = text(get(behavior, "pathPattern")) or "everything else"
        protocol = text(get(behavior, "viewerProtocolPolicy"))
        if protocol is UNKNOWN:
            yield f"may serve {where} by HTTP (viewerProtocolPolicy is not known at preview)"
        elif protocol not in TO_VIEWERS:
            yield f"serves {where} by HTTP"
    for origin in entries(distribution.get("origins")):
        yield from _of_origin(origin)
    if flag(distribution.get("viewerCertificate", "cloudfrontDefaultCertificate")) is not True:
        least = text(distribution.get("viewerCertificate", "minimumProtocolVersion"))
        if least is UNKNOWN or least is ABSENT or not least.startswith(SINCE):
            yield f"accepts TLS below 1.2 (minimumProtocolVersion is {_said(least)})"


def _of_origin(origin: object) -> Iterable[str]:
    if origin is UNKNOWN or get(origin, "vpcOriginConfig") is not ABSENT:
        return
    name = text(get(origin, "originId")) or "an origin"
    if (custom := get(origin, "customOriginConfig")) is not ABSENT:
        protocol = text(get(custom, "originProtocolPolicy"))
        if protocol != TO_ORIGIN:
            yield f"calls origin {name} by HTTP (originProtocolPolicy is {_said(protocol)})"
        return
    # A reference that is not known yet is there all the same.
    signed = get(origin, "originAccessControlId"), get(origin, "s3OriginConfig", "originAccessIdentity")
    if all(text(each) is ABSENT for each in signed):
        yield f"reads origin {name} unsigned, as everybody could"


def _said(value: object) -> str:
    return "not known at preview" if value is UNKNOWN else "not set" if value is ABSENT else str(value)


def check(distribution: Resource, config: Config) -> Iterable[Finding]:
    """Yield what a distribution lets through."""
    if distribution.name not in config["accepted"]:
        for problem in problems(distribution):
            yield Finding(distribution.urn, f"{distribution.label} {problem}")


RULE = ResourceRule(
    name="cloudfront-distribution-closed",
    level="advisory",
    resilience=True,
    severity="high",
    what=(
        "A CloudFront distribution speaks TLS only, 1.2 and later where it has a certificate of its own, and "
        "signs its requests to buckets."
    ),
    why="Tokens in requests can be read on the way, and a bucket that needs no signature is public.",
    fix=(
        "Set viewer_protocol_policy to redirect-to-https or https-only, origin_protocol_policy to "
        "https-only, minimum_protocol_version to TLSv1.2_2021, and give origins in S3 an "
        "origin_access_control_id."
    ),
    schema={"accepted": strings("Logical names of distributions that are meant to be otherwise.")},
    types=(types.DISTRIBUTION,),
    check=check,
)
