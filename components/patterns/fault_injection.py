"""`FaultInjection`: what lets AWS FIS fail, delay or answer invocations of functions.

FIS does nothing to a function by itself. An extension in the function reads from a bucket which faults are in
force, and makes them. Source: FIS user guide, "Use the AWS FIS aws:lambda:function actions".

Whoever may write into the bucket decides whether these functions work. Give it to functions whose failure is
to be tried, and never to a healer.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.iam import Statement, allow
from selfheal.components.patterns.failures_bucket import failures_bucket

FOLDER = "FisConfigs"
"""Of the bucket, where FIS writes which faults are in force."""

KEPT_DAYS = 1
"""Days after which what FIS did not delete is deleted: S3's least."""

WAIT_MILLISECONDS = 2000
"""How long an invocation waits for a read of the bucket that is under way. Without it a function that is done
in less than 70 ms may never know of a fault. Source: the same, "Special considerations for fast infrequent
functions"; 2,000 is its example."""

WRAPPER = "/opt/aws-fis/bootstrap"
"""Script of the extension, by which Lambda starts the runtime."""


class Architecture(StrEnum):
    """Of the functions."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class FaultInjectionArgs(TypedDict):
    """Of which functions."""

    architecture: NotRequired[Architecture]
    """Default: arm64, which the functions of the other patterns have."""


class FaultInjection(pulumi.ComponentResource):
    """A private bucket that tells functions which faults are in force, and what makes them listen."""

    access: Access
    """For functions whose invocations are to fail on command: three variables, rights to read, one layer."""

    writes: Sequence[Statement]
    """What the role of an experiment may do to the bucket."""

    bucket_name: pulumi.Output[str]
    """Name of the bucket, known at preview."""

    def __init__(
        self,
        name: str,
        args: FaultInjectionArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the bucket, and look up the extension that AWS offers in this region.

        Raises:
            Exception: when AWS has no extension in this region.

        """
        super().__init__("selfheal:index:FaultInjection", name, None, opts)
        given: FaultInjectionArgs = args or {}
        arns = Arns(self)
        # What it holds is worthless the moment that an experiment has ended.
        bucket, _ = failures_bucket(name, arns, self, days=KEPT_DAYS, force_destroy=True)
        self.bucket_name = bucket.bucket
        arn = arns.bucket(bucket.bucket)
        objects = pulumi.Output.concat(arn, f"/{FOLDER}/*")
        self.access = Access(
            {
                "AWS_FIS_CONFIGURATION_LOCATION": pulumi.Output.concat(arn, f"/{FOLDER}/"),
                "AWS_FIS_POLL_MAX_WAIT_MILLISECONDS": str(WAIT_MILLISECONDS),
                "AWS_LAMBDA_EXEC_WRAPPER": WRAPPER,
            },
            [
                allow(["s3:ListBucket"], [arn], {"StringLike": {"s3:prefix": [f"{FOLDER}/*"]}}),
                allow(["s3:GetObject"], [objects]),
            ],
            [self._extension(Architecture(given.get("architecture", Architecture.ARM64)))],
        )
        self.writes = [allow(["s3:PutObject", "s3:DeleteObject"], [objects])]
        self.register_outputs({"bucketName": self.bucket_name})

    def _extension(self, architecture: Architecture) -> pulumi.Output[str]:
        """Return the ARN of the extension's newest version, which AWS keeps in a public parameter.

        Source: FIS user guide, "Available versions of the AWS FIS extension for Lambda".
        """
        parameter = f"/aws/service/fis/lambda-extension/AWS-FIS-extension-{architecture.value}/1.x.x"
        options = pulumi.InvokeOutputOptions(parent=self)
        return aws.ssm.get_parameter_output(name=parameter, opts=options).value
