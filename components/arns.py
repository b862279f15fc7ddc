"""ARNs that are known at preview and still carry the dependency on what they name."""

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output


class Arns:
    """Writes the ARNs of one account and region, from the names of resources.

    At preview a resource's own `arn` is unknown, but its auto-name is known: an ARN put together from the
    name lets a policy read it before anything exists, and `Output.concat` keeps the dependency, so that the
    order of creation is the same as with `arn`.
    """

    def __init__(self, parent: pulumi.Resource) -> None:
        """Ask for the account, region and partition of the provider that `parent` uses."""
        options = pulumi.InvokeOutputOptions(parent=parent)
        self.account: Output[str] = aws.get_caller_identity_output(opts=options).account_id
        self.region: Output[str] = aws.get_region_output(opts=options).region
        self.partition: Output[str] = aws.get_partition_output(opts=options).partition

    def alarm(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a CloudWatch alarm, or a pattern of them."""
        return self._arn("cloudwatch", "alarm:", name)

    def function(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a Lambda function, without a qualifier."""
        return self._arn("lambda", "function:", name)

    def log_streams(self, group: Input[str]) -> Output[str]:
        """Return the ARN that stands for all streams of one log group."""
        return self._arn("logs", "log-group:", Output.concat(group, ":*"))

    def mapping(self, uuid: Input[str]) -> Output[str]:
        """Return the ARN of an event source mapping, or a pattern of them."""
        return self._arn("lambda", "event-source-mapping:", uuid)

    def policy(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a managed policy of this account."""
        return Output.concat("arn:", self.partition, ":iam::", self.account, ":policy/", name)

    def queue(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an SQS queue."""
        return self._arn("sqs", "", name)

    def rule(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an EventBridge rule on the default bus."""
        return self._arn("events", "rule/", name)

    def table(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a DynamoDB table."""
        return self._arn("dynamodb", "table/", name)

    def topic(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an SNS topic."""
        return self._arn("sns", "", name)

    def _arn(self, service: str, kind: str, name: Input[str]) -> Output[str]:
        return Output.concat(
            "arn:", self.partition, ":", service, ":", self.region, ":", self.account, ":", kind, name
        )
