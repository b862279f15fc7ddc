"""How long a function's logs are kept."""

import pulumi
import pulumi_aws as aws

from selfheal.components.errors import ComponentError

RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""What CloudWatch Logs accepts. Source: API reference of PutRetentionPolicy."""

DEFAULT_RETENTION_DAYS = 14


def log_group(name: str, retention_days: int, parent: pulumi.Resource) -> aws.cloudwatch.LogGroup:
    """Register a function's log group, before the function.

    Lambda would otherwise create one that keeps its logs for ever; and a function that may not create its
    group can write into no other.

    Args:
        name: Prefix of the logical name.
        retention_days: One of RETENTION_DAYS.
        parent: The component it belongs to.

    Raises:
        ComponentError: when CloudWatch Logs does not know that retention.

    """
    if retention_days not in RETENTION_DAYS:
        raise ComponentError(
            f"log_retention_days must be one of {', '.join(map(str, RETENTION_DAYS))}, got {retention_days}. "
            f"Leave it out for {DEFAULT_RETENTION_DAYS}."
        )
    return aws.cloudwatch.LogGroup(
        f"{name}-logs", retention_in_days=retention_days, opts=pulumi.ResourceOptions(parent=parent)
    )
