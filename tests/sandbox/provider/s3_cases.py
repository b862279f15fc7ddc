"""One life of a resource of every type of S3: see `cases.py`."""

import json
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.assets import Asset
from tests.sandbox.provider.cases import Case

BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

NEEDS: dict[str, tuple[str, dict[str, Any]]] = {"bucket": (BUCKET, {"forceDestroy": True})}
ON: dict[str, Any] = {"bucket": "{bucket.bucket}"}
KMS = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:kms:us-east-1:000000000000:key/k"}


def bucket_policy(sid: str) -> str:
    principal = {"Service": "cloudfront.amazonaws.com"}
    resource = "arn:aws:s3:::site/*"
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": resource}]})


def _expire_at_once(clients: Clients, id_: str, _: dict[str, Any]) -> None:
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
    clients.get("s3").put_bucket_lifecycle_configuration(Bucket=id_, LifecycleConfiguration={"Rules": rules})


S3_CASES = [
    Case(
        BUCKET,
        {"forceDestroy": True},
        {},
        lambda c, id_, _: c.get("s3").delete_bucket(Bucket=id_),
        None,
        taken="BucketAlreadyExists",
    ),
    Case(
        OBJECT,
        {
            **ON,
            "key": "site/index.html",
            "source": Asset("hash of 1", b"<h1>1</h1>"),
            "contentType": "text/html",
            "cacheControl": "no-cache",
            "metadata": {"version": "1"},
        },
        {
            "source": Asset("hash of 2", b"<h1>2</h1>"),
            "cacheControl": "max-age=60",
            "metadata": {"version": "2"},
        },
        lambda c, _, i: c.get("s3").put_object(
            Bucket=i["bucket"],
            Key=i["key"],
            Body=b"<h1>2</h1>",
            ContentType="text/plain",
            CacheControl="max-age=60",
            Metadata={"version": "2"},
        ),
        "contentType",
        NEEDS,
        import_id="s3://{bucket}/{key}",
    ),
    Case(
        BLOCK,
        {
            **ON,
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        {"restrictPublicBuckets": False},
        lambda c, id_, _: c.get("s3").delete_public_access_block(Bucket=id_),
        None,
        NEEDS,
    ),
    Case(
        POLICY,
        {**ON, "policy": bucket_policy("one")},
        {"policy": bucket_policy("two")},
        lambda c, id_, _: c.get("s3").put_bucket_policy(Bucket=id_, Policy=bucket_policy("three")),
        "policy",
        NEEDS,
    ),
    Case(
        ENCRYPTION,
        {**ON, "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        {"rules": [{"applyServerSideEncryptionByDefault": KMS, "bucketKeyEnabled": True}]},
        lambda c, id_, _: c.get("s3").delete_bucket_encryption(Bucket=id_),
        "rules",
        NEEDS,
        stays=True,
    ),
    Case(
        VERSIONING,
        {**ON, "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
        lambda c, id_, _: c.get("s3").put_bucket_versioning(
            Bucket=id_, VersioningConfiguration={"Status": "Enabled"}
        ),
        "versioningConfiguration",
        NEEDS,
        stays=True,
    ),
    Case(
        LIFECYCLE,
        {
            **ON,
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {},
                    "expiration": {"days": 30},
                    "noncurrentVersionExpiration": {"noncurrentDays": 7, "newerNoncurrentVersions": 2},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
                },
            ],
        },
        {
            "rules": [
                {
                    "id": "poison",
                    "status": "Enabled",
                    "filter": {"prefix": "poison/"},
                    "transitions": [{"days": 30, "storageClass": "GLACIER"}],
                },
                {
                    "id": "tagged",
                    "status": "Disabled",
                    "filter": {"tag": {"key": "k", "value": "v"}},
                    "expiration": {"days": 5},
                },
            ]
        },
        _expire_at_once,
        "rules",
        NEEDS,
    ),
]
