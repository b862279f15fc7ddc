"""A private bucket for records that could not be handled."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.iam import document

UPLOAD_DAYS = 7
"""Days after which the parts of an upload that was never completed are deleted."""


def failures_bucket(
    name: str, arns: Arns, parent: pulumi.Resource, *, days: int, force_destroy: bool
) -> tuple[aws.s3.Bucket, Sequence[pulumi.Resource]]:
    """Register a bucket that is closed to the public, encrypted, reached by TLS only, and forgets.

    Args:
        name: Logical name, and prefix of the others.
        arns: Builds ARNs.
        parent: The parent component.
        days: After which objects are deleted.
        force_destroy: Whether it is deleted although there are objects in it.

    Returns:
        The bucket, and its settings, on which what writes into it must depend.

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
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=called,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                    sse_algorithm="AES256"
                )
            )
        ],
        opts=options,
    )
    arn = arns.bucket(called)
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, pulumi.Output.concat(arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=called,
        policy=document([tls_only]),
        # S3 changes one of the two at a time.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[block]),
    )
    lifecycle = aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=called,
        rules=[
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="expire",
                status="Enabled",
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
                abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=UPLOAD_DAYS
                ),
                # For every object, said outright: without a filter the rule is in S3's old form.
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            )
        ],
        opts=options,
    )
    return bucket, [block, encryption, policy, lifecycle]
