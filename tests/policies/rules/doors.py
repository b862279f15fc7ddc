"""The rules on what is open to others: buckets, and APIs that put requests into a queue."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import each, five
from tests.policies.support.changes import Change, add, drop, hide, put, remove, several
from tests.policies.support.recording import REGION
from tests.policies.support.references import Ref
from tests.policies.support.resilience import resilient
from tests.policies.support.scene import Scene

BLOCK, ENCRYPTION, PUT = "lost-private", "lost-encryption", "put-into-work"
OPEN = put("put", authorization="NONE")


def production() -> Scene:
    return resilient("prod")


def goes_to(path: str) -> Change:
    return put(PUT, uri=f"arn:aws:apigateway:{REGION}:{path}")


def encrypted(algorithm: Any) -> Change:
    return put(ENCRYPTION, rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}])


def least(version: Any) -> Change:
    return put("shop", viewerCertificate={"acmCertificateArn": "c", "minimumProtocolVersion": version})


def files(**origin: Any) -> Change:
    return put("shop", origins=[{"originId": "pages", "domainName": "pages.s3.amazonaws.com", **origin}])


def serving(protocol: Any) -> Change:
    return put("shop", defaultCacheBehavior={"viewerProtocolPolicy": protocol})


def calling(protocol: Any) -> Change:
    return files(customOriginConfig={"originProtocolPolicy": protocol})


CASES = [
    *five(
        "cloudfront-distribution-closed",
        start=resilient,
        fine=[
            put("shop", viewerCertificate={"cloudfrontDefaultCertificate": True}),
            least("TLSv1.3_2025"),
            serving("https-only"),
            files(vpcOriginConfig={"vpcOriginId": "v"}),
            files(s3OriginConfig={"originAccessIdentity": "origin-access-identity/cloudfront/E"}),
            files(originAccessControlId=UNKNOWN),
            drop("shop", "orderedCacheBehaviors"),
        ],
        wrong=[
            (serving("allow-all"), "distribution shop serves everything else by HTTP"),
            (
                put("shop", orderedCacheBehaviors=[{"pathPattern": "/orders/*"}]),
                "distribution shop serves /orders/* by HTTP",
            ),
            (files(), "reads origin pages unsigned, as everybody could"),
            (files(s3OriginConfig={"originAccessIdentity": ""}), "reads origin pages unsigned"),
            (calling("match-viewer"), "calls origin pages by HTTP (originProtocolPolicy is match-viewer)"),
            (calling(None), "originProtocolPolicy is not set"),
            (least("TLSv1.1_2016"), "accepts TLS below 1.2 (minimumProtocolVersion is TLSv1.1_2016)"),
            (least(None), "minimumProtocolVersion is not set"),
            (drop("shop", "viewerCertificate"), "minimumProtocolVersion is not set"),
        ],
        elsewhere=[remove("shop")],
        unknown=[
            (serving(UNKNOWN), "may serve everything else by HTTP (viewerProtocolPolicy is not known"),
            (hide("shop", "defaultCacheBehavior"), "may serve everything else by HTTP"),
            (hide("shop", "viewerCertificate"), "minimumProtocolVersion is not known at preview"),
            (calling(UNKNOWN), "originProtocolPolicy is not known at preview"),
        ],
        configured=[(serving("allow-all"), {"accepted": ["shop"]}, "")],
    ),
    *five(
        "s3-bucket-private",
        start=resilient,
        fine=[put(BLOCK, bucket=Ref("lost", "name"), blockPublicAcls="true")],
        wrong=[
            (remove(BLOCK), "nothing blocks public access to bucket lost"),
            (add("s3.Bucket", "more"), "nothing blocks public access to bucket more"),
            (drop(BLOCK, "blockPublicAcls"), "not blocked by blockPublicAcls"),
            *(
                (put(BLOCK, **{key: False}), f"not blocked by {key}")
                for key in (
                    "blockPublicAcls",
                    "blockPublicPolicy",
                    "ignorePublicAcls",
                    "restrictPublicBuckets",
                )
            ),
            (put(BLOCK, bucket="other"), "nothing blocks"),
        ],
        elsewhere=[remove("lost", BLOCK, ENCRYPTION)],
        unknown=[
            (hide(BLOCK, "blockPublicAcls"), "blockPublicAcls of bucket lost is not known at preview"),
            (hide(BLOCK, "bucket"), "nothing blocks"),
        ],
        configured=[(remove(BLOCK), {"accepted": ["lost"]}, "")],
    ),
    *five(
        "s3-bucket-encrypted",
        start=resilient,
        fine=[
            encrypted("aws:kms"),
            several(
                remove(ENCRYPTION),
                put(
                    "lost",
                    serverSideEncryptionConfiguration={
                        "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
                    },
                ),
            ),
        ],
        wrong=[
            (remove(ENCRYPTION), "bucket lost does not say how it is encrypted"),
            (put(ENCRYPTION, rules=[]), "does not say"),
            (put(ENCRYPTION, bucket="other"), "does not say"),
        ],
        elsewhere=[remove("lost", BLOCK, ENCRYPTION)],
        unknown=each("not known at preview", hide(ENCRYPTION, "rules"), encrypted(UNKNOWN)),
        configured=[(encrypted("AES256"), {"algorithms": ["aws:kms"]}, "does not say")],
    ),
    *five(
        "apigateway-method-authorized",
        start=production,
        fine=[put("put", authorization="AWS_IAM")],
        wrong=[
            (OPEN, "method put, which puts requests into a queue in stack prod, is open to everybody"),
            (several(OPEN, goes_to("sqs:action/SendMessage")), "is open to everybody"),
            (several(OPEN, put(PUT, httpMethod="PUT")), "is open to everybody"),
        ],
        elsewhere=[
            several(OPEN, goes_to("lambda:path/2015-03-31/functions/arn:x/invocations")),
            several(OPEN, drop(PUT, "uri")),
            several(OPEN, put("put", httpMethod="GET"), put(PUT, httpMethod="POST")),
            several(OPEN, hide(PUT, "uri", "counter")),
        ],
        unknown=[
            (hide("put", "authorization"), "may be (not known at preview)"),
            (several(OPEN, hide(PUT, "uri", "work")), "is open to everybody"),
            (several(OPEN, hide(PUT, "uri")), "is open to everybody"),
        ],
        configured=[
            (OPEN, {"public": ["put"]}, ""),
        ],
    ),
]
