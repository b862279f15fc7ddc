"""A private bucket for records that could not be handled."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.iam import document
from selfheal.components.patterns.private_bucket import UPLOAD_DAYS, private_bucket, tls_only
from selfheal.components.security import Security


def failures_bucket(
    name: str,
    arns: Arns,
    parent: pulumi.Resource,
    *,
    days: int,
    force_destroy: bool,
    security: Security | None = None,
) -> tuple[aws.s3.Bucket, Sequence[pulumi.Resource]]:
    """Register a bucket that is closed to the public, encrypted, reached by TLS only, and forgets.

    Args:
        name: Logical name, and prefix of the others.
        arns: Builds ARNs.
        parent: The parent component.
        days: After which objects are deleted.
        force_destroy: Whether it is deleted although there are objects in it.
        security: As for `private_bucket`.

    Returns:
        The bucket, and its settings, on which what writes into it must depend.

    """
    bucket, settings = private_bucket(name, parent, force_destroy=force_destroy, security=security)
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=document([tls_only(arns, bucket)]),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=settings[:1]),
    )
    lifecycle = aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
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
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return bucket, [*settings, policy, lifecycle]
