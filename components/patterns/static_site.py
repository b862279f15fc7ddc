"""`StaticSite`: files in a private bucket, served by CloudFront, with an API under the same address.

browser -> CloudFront -+-> bucket (signed requests; nobody else reads it)
                       +-> /orders/* -> REST API, with the whole path
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.arns import Arns
from selfheal.components.iam import document
from selfheal.components.patterns.private_bucket import UPLOAD_DAYS, private_bucket, tls_only
from selfheal.components.patterns.site_distribution import DistributionSettings, site_distribution
from selfheal.components.patterns.site_files import INDEX, cache_control, check_paths, content_type, files_of

OLD_VERSIONS_DAYS = 30
"""Days for which a file that was replaced or deleted can be brought back."""


class StaticSiteArgs(DistributionSettings):
    """What is served."""

    folder: str
    """Folder of the files; index.html is served at `/`. All of it becomes public. From the program's folder,
    or absolute."""


class StaticSite(pulumi.ComponentResource):
    """A private bucket behind CloudFront, with security headers on every answer.

    Only this distribution reads the bucket, by signed requests (origin access control). What is missing is
    403, and what the API answers is passed on as it is, errors included: none of them becomes index.html.
    Answers of the API are never cached.
    """

    url: pulumi.Output[str]
    """Address of the site, without a slash at the end."""

    bucket_name: pulumi.Output[str]
    """Name of the bucket."""

    distribution_id: pulumi.Output[str]
    """Id of the distribution."""

    def __init__(self, name: str, args: StaticSiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register bucket, files and distribution.

        Raises:
            ComponentError: when the folder holds no index.html or a file that is not to be served, or a path
                of the API has another form or hides a file.

        """
        super().__init__("selfheal:index:StaticSite", name, None, opts)
        self._name, self._arns = name, Arns(self)
        self._options = pulumi.ResourceOptions(parent=self)
        files = files_of(args["folder"])
        if "api" in args:
            check_paths(args["api"]["paths"], list(files))
            names.STAGE.check("api: stage", args["api"]["stage"])
        if "domain" in args:
            names.HOST.check("domain: name", args["domain"]["name"])
        bucket, settings = private_bucket(f"{name}-files", self, force_destroy=True)
        self._upload(files, bucket, [*settings, self._versions(bucket)])
        distribution = site_distribution(name, args, bucket, self._arns, self)
        aws.s3.BucketPolicy(
            f"{name}-files-policy",
            bucket=bucket.bucket,
            policy=document([self._read(bucket, distribution), tls_only(self._arns, bucket)]),
            opts=pulumi.ResourceOptions(parent=self, depends_on=settings[:1]),
        )
        host = args["domain"]["name"] if "domain" in args else distribution.domain_name
        self.url = pulumi.Output.concat("https://", host)
        self.bucket_name, self.distribution_id = bucket.bucket, distribution.id
        self.register_outputs(
            {"url": self.url, "bucketName": self.bucket_name, "distributionId": self.distribution_id}
        )

    def _upload(
        self, files: Mapping[str, Path], bucket: aws.s3.Bucket, before: Sequence[pulumi.Resource]
    ) -> None:
        """Register the files, index.html last: it never names a file that is not there yet."""
        others = [self._file(key, files[key], bucket, before) for key in files if key != INDEX]
        self._file(INDEX, files[INDEX], bucket, [*before, *others])

    def _file(
        self, key: str, path: Path, bucket: aws.s3.Bucket, before: Sequence[pulumi.Resource]
    ) -> aws.s3.BucketObjectv2:
        return aws.s3.BucketObjectv2(
            f"{self._name}-{key}",
            bucket=bucket.bucket,
            key=key,
            source=pulumi.FileAsset(str(path)),
            content_type=content_type(path),
            cache_control=cache_control(key),
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )

    def _versions(self, bucket: aws.s3.Bucket) -> aws.s3.BucketVersioning:
        """Keep what is replaced or deleted, for a while."""
        versioning = aws.s3.BucketVersioning(
            f"{self._name}-files-versions",
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._options,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-files-lifecycle",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="old-versions",
                    status="Enabled",
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=OLD_VERSIONS_DAYS
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=UPLOAD_DAYS
                    ),
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        return versioning

    def _read(self, bucket: aws.s3.Bucket, distribution: aws.cloudfront.Distribution) -> Mapping[str, object]:
        """Return the statement by which this distribution, and no other of anybody, reads the files."""
        return {
            "Sid": "ReadByThisDistribution",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": pulumi.Output.concat(self._arns.bucket(bucket.bucket), "/*"),
            "Condition": {"StringEquals": {"AWS:SourceArn": self._arns.distribution(distribution.id)}},
        }
