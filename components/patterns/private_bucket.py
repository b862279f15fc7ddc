"""A bucket that is closed to the public, encrypted, and reached by TLS only."""

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.iam import Statement
from selfheal.components.security import Security

UPLOAD_DAYS = 7
"""Days after which the parts of an upload that was never completed are deleted."""


def private_bucket(
    name: str, parent: pulumi.Resource, *, force_destroy: bool, security: Security | None = None
) -> tuple[aws.s3.Bucket, list[pulumi.Resource]]:
    """Register a bucket, the block of public access, and its encryption.

    Its policy needs the statement of `tls_only`, and must depend on the block: S3 changes one of the two at a
    time.

    Args:
        name: Logical name, and prefix of the others.
        parent: The parent component.
        force_destroy: Whether it is deleted although there are objects in it.
        security: Key of its encryption. Default: S3's own, which needs no permission.

    Returns:
        The bucket, and its settings, of which the block is the first.

    """
    options = pulumi.ResourceOptions(parent=parent)
    bucket = aws.s3.Bucket(name, force_destroy=force_destroy, opts=options)
    # By the bucket's name, which is known at preview; its id is not.
    called = bucket.bucket
    block = aws.s3.BucketPublicAccessBlock(
        f"{name}-private",
        bucket=called,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=options,
    )
    key = security.key if security else None
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=called,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                    sse_algorithm="AES256" if key is None else "aws:kms", kms_master_key_id=key
                ),
                # One data key for many objects, so that KMS is asked less often.
                bucket_key_enabled=None if key is None else True,
            )
        ],
        opts=options,
    )
    return bucket, [block, encryption]


def tls_only(arns: Arns, bucket: aws.s3.Bucket) -> Statement:
    """Return the statement of a bucket's policy that refuses whatever does not come by TLS."""
    arn = arns.bucket(bucket.bucket)
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, pulumi.Output.concat(arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
