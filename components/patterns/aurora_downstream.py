"""`AuroraDownstream`: a database in the place of the downstream's table, for those who have one on AWS.

The sandbox does not deploy it: it refuses its types by name. Decision record 20 says how its table takes the
place of the downstream's.
"""

from collections.abc import Sequence
from typing import NotRequired

import pulumi
import pulumi_aws as aws

from selfheal.components import names, ranges
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import allow
from selfheal.components.security import Security, SecurityArgs, Store

CAPACITIES = (0.0, 256.0)
"""Aurora capacity units (ACU), about 2 GiB of memory each. Source: Amazon Aurora user guide, "Aurora
Serverless v2 capacity"."""

DEFAULT_MINIMUM_CAPACITY = 0.5
DEFAULT_MAXIMUM_CAPACITY = 2.0

LEAST_MAXIMUM = 1.0
"""The least maximum that Aurora takes."""

PAUSE_SECONDS = 300
"""Without a connection until it pauses, if the minimum is 0. The shortest that Aurora takes."""

BACKUP_DAYS = (1, 35)
DEFAULT_BACKUP_DAYS = 7

LEAST_SUBNETS = 2

DATABASE = "downstream"
ENGINE_VERSION = "16.6"
"""Of Aurora PostgreSQL. It pauses from 16.3 on."""


class AuroraDownstreamArgs(SecurityArgs):
    """Where the database is, and how large it may get."""

    subnet_ids: Sequence[pulumi.Input[str]]
    """Ids of private subnets, at least two, in different availability zones. The Data API needs no way in."""

    security_group_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Ids of its security groups. One without any rule is enough. Default: the default group of the VPC."""

    minimum_capacity: NotRequired[float]
    """Capacity units that it always has, 0 to 256 in halves. At 0 it pauses after five minutes without a
    query, and the first one afterwards waits about 15 s or fails. Default 0.5, which costs about 44 USD a
    month."""

    maximum_capacity: NotRequired[float]
    """The most capacity units, 1 to 256 in halves, not below the minimum. Default 2."""

    backup_days: NotRequired[int]
    """Days for which it can be restored to any second, 1 to 35. Default 7."""

    protect: NotRequired[bool]
    """Whether AWS and Pulumi refuse to delete it. Default True."""


class AuroraDownstream(pulumi.ComponentResource):
    """An Aurora Serverless v2 cluster of PostgreSQL with the Data API; AWS makes and keeps its password.

    Functions reach it over HTTPS with IAM, without a VPC and without connections to pool.
    """

    cluster_arn: pulumi.Output[str]
    """ARN of the cluster."""

    secret_arn: pulumi.Output[str]
    """ARN of the secret with user and password, which AWS made and rotates."""

    access: Access
    """For functions that query it: AURORA_CLUSTER, AURORA_SECRET, AURORA_DATABASE, and the rights to execute
    statements as the user of the secret."""

    def __init__(
        self, name: str, args: AuroraDownstreamArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the cluster, its one instance and its subnets.

        Raises:
            ComponentError: when there are too few subnets, or a number is out of its range.

        """
        super().__init__("selfheal:index:AuroraDownstream", name, None, opts)
        minimum, maximum = _capacities(args)
        days = ranges.whole("backup_days", args.get("backup_days"), BACKUP_DAYS, default=DEFAULT_BACKUP_DAYS)
        if len(args["subnet_ids"]) < LEAST_SUBNETS:
            raise ComponentError(
                f"subnet_ids must name at least {LEAST_SUBNETS} subnets in different availability zones, got "
                f"{len(args['subnet_ids'])}. Add one."
            )
        protect, groups = args.get("protect", True), args.get("security_group_ids")
        if groups is not None:
            groups = [names.SECURITY_GROUP.of("each of security_group_ids", each) for each in groups]
        arns = Arns(self)
        security = Security(args, arns)
        subnets = aws.rds.SubnetGroup(
            f"{name}-subnets",
            description="Private subnets of a downstream's database",
            subnet_ids=[names.SUBNET.of("each of subnet_ids", each) for each in args["subnet_ids"]],
            opts=pulumi.ResourceOptions(parent=self),
        )
        cluster = aws.rds.Cluster(
            f"{name}-cluster",
            engine=aws.rds.EngineType.AURORA_POSTGRESQL,
            engine_version=ENGINE_VERSION,
            database_name=DATABASE,
            master_username="downstream",
            manage_master_user_password=True,
            enable_http_endpoint=True,
            storage_encrypted=True,
            kms_key_id=security.key,
            master_user_secret_kms_key_id=security.key,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=groups,
            serverlessv2_scaling_configuration=aws.rds.ClusterServerlessv2ScalingConfigurationArgs(
                min_capacity=minimum,
                max_capacity=maximum,
                seconds_until_auto_pause=PAUSE_SECONDS if minimum == 0 else None,
            ),
            backup_retention_period=days,
            copy_tags_to_snapshot=True,
            deletion_protection=protect,
            skip_final_snapshot=not protect,
            final_snapshot_identifier=f"{name}-final" if protect else None,
            enabled_cloudwatch_logs_exports=["postgresql"],
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        aws.rds.ClusterInstance(
            f"{name}-instance",
            cluster_identifier=cluster.cluster_identifier,
            engine=aws.rds.EngineType.AURORA_POSTGRESQL,
            engine_version=ENGINE_VERSION,
            instance_class="db.serverless",
            publicly_accessible=False,
            # By a deployment, so that the version above stays the one that runs.
            auto_minor_version_upgrade=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.cluster_arn = arns.cluster(cluster.cluster_identifier)
        self.secret_arn = cluster.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
        self.access = Access(
            {
                "AURORA_CLUSTER": self.cluster_arn,
                "AURORA_SECRET": self.secret_arn,
                "AURORA_DATABASE": DATABASE,
            },
            [
                # One statement is one transaction: beginning others needs further rights.
                allow(["rds-data:ExecuteStatement"], [self.cluster_arn]),
                allow(["secretsmanager:GetSecretValue"], [self.secret_arn]),
                *security.reads(Store.SECRET),
            ],
        )
        self.register_outputs({"clusterArn": self.cluster_arn, "secretArn": self.secret_arn})


def _capacities(args: AuroraDownstreamArgs) -> tuple[float, float]:
    minimum = args.get("minimum_capacity", DEFAULT_MINIMUM_CAPACITY)
    maximum = args.get("maximum_capacity", DEFAULT_MAXIMUM_CAPACITY)
    for what, value, least, default in (
        ("minimum_capacity", minimum, CAPACITIES[0], DEFAULT_MINIMUM_CAPACITY),
        ("maximum_capacity", maximum, LEAST_MAXIMUM, DEFAULT_MAXIMUM_CAPACITY),
    ):
        # The comparison also refuses NaN.
        if isinstance(value, bool) or not least <= value <= CAPACITIES[1] or value * 2 % 1:
            raise ComponentError(
                f"{what} must be from {least:g} to {CAPACITIES[1]:g} capacity units in steps of a half, got "
                f"{value}. Leave it out for {default:g}."
            )
    if minimum > maximum:
        raise ComponentError(
            f"minimum_capacity must not be above maximum_capacity, got {minimum:g} and {maximum:g}. Lower "
            "the one or raise the other."
        )
    return minimum, maximum
