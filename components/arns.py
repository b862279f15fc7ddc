"""ARNs that are known at preview and keep the dependency on the resource."""

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Host of the console, by partition. Sources: the sign-in pages of the user guides of AWS GovCloud (US) and
of AWS in China."""


class Arns:
    """Builds ARNs for one account and region from the names of resources.

    At preview, the `arn` of a new resource is unknown, but its auto-name is known. An ARN that is built from
    the name lets a policy pack read it before the resource exists. `Output.concat` keeps the dependency, so
    the order of creation is the same as with `arn`.
    """

    def __init__(self, parent: pulumi.Resource) -> None:
        """Look up account, region and partition with the provider of `parent`."""
        options = pulumi.InvokeOutputOptions(parent=parent)
        self.account: Output[str] = aws.get_caller_identity_output(opts=options).account_id
        self.region: Output[str] = aws.get_region_output(opts=options).region
        partition = aws.get_partition_output(opts=options)
        self.partition: Output[str] = partition.partition
        self._suffix: Output[str] = partition.dns_suffix

    def alarm(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a CloudWatch alarm, or a pattern."""
        return self._arn("cloudwatch", "alarm:", name)

    def archive(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an archive of EventBridge."""
        return self._arn("events", "archive/", name)

    def bucket(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an S3 bucket."""
        return Output.concat("arn:", self.partition, ":s3:::", name)

    def distribution(self, id_: Input[str]) -> Output[str]:
        """Return the ARN of a CloudFront distribution."""
        return Output.concat("arn:", self.partition, ":cloudfront::", self.account, ":distribution/", id_)

    def document(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a Systems Manager document."""
        return self._arn("ssm", "document/", name)

    def automation_runs(self) -> Output[str]:
        """Return the ARN pattern for all automations that were started: their ids are made up by AWS."""
        return self._arn("ssm", "automation-execution/", "*")

    def event_bus(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an event bus."""
        return self._arn("events", "event-bus/", name)

    def cluster(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an Aurora cluster."""
        return self._arn("rds", "cluster:", name)

    def function(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a Lambda function, without a qualifier."""
        return self._arn("lambda", "function:", name)

    def function_page(self, name: Input[str]) -> Output[str]:
        """Return the address of a Lambda function's metrics in the console of its partition and region."""
        host = self.partition.apply(lambda partition: _CONSOLES.get(partition, _CONSOLES["aws"]))
        page = Output.concat("#/functions/", name, "?tab=monitoring")
        return Output.concat("https://", host, "/lambda/home?region=", self.region, page)

    def integration(self, action: Input[str]) -> Output[str]:
        """Return the URI by which API Gateway calls a service, such as `sqs:path/<account>/<queue>`."""
        return Output.concat("arn:", self.partition, ":apigateway:", self.region, ":", action)

    def invocation(self, function: Input[str]) -> Output[str]:
        """Return the URI by which API Gateway invokes the function of an ARN."""
        return self.integration(Output.concat("lambda:path/2015-03-31/functions/", function, "/invocations"))

    def log_group(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a log group."""
        return self._arn("logs", "log-group:", name)

    def log_streams(self, group: Input[str]) -> Output[str]:
        """Return the ARN pattern for all streams of a log group."""
        return self._arn("logs", "log-group:", Output.concat(group, ":*"))

    def mapping(self, uuid: Input[str]) -> Output[str]:
        """Return the ARN of an event source mapping, or a pattern."""
        return self._arn("lambda", "event-source-mapping:", uuid)

    def parameter(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a Systems Manager parameter whose name does not begin with a slash."""
        return self._arn("ssm", "parameter/", name)

    def policy(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a managed policy of this account."""
        return Output.concat("arn:", self.partition, ":iam::", self.account, ":policy/", name)

    def queue(self, name: Input[str]) -> Output[str]:
        """Return the ARN of an SQS queue."""
        return self._arn("sqs", "", name)

    def queue_url(self, name: Input[str]) -> Output[str]:
        """Return the URL of an SQS queue."""
        return Output.concat("https://sqs.", self.region, ".", self._suffix, "/", self.account, "/", name)

    def rest_api_domain(self, id_: Input[str]) -> Output[str]:
        """Return the name of the host at which a regional REST API answers."""
        return Output.concat(id_, ".execute-api.", self.region, ".", self._suffix)

    def role(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a role of this account that has no path."""
        return Output.concat("arn:", self.partition, ":iam::", self.account, ":role/", name)

    def rule(self, name: Input[str], bus: Input[str] | None = None) -> Output[str]:
        """Return the ARN of an EventBridge rule on the default bus, or on the one of that name."""
        return self._arn("events", "rule/", name if bus is None else Output.concat(bus, "/", name))

    def stream(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a Kinesis stream."""
        return self._arn("kinesis", "stream/", name)

    def service(self, name: str) -> Output[str]:
        """Return the name by which KMS knows a service of this region, the value of kms:ViaService."""
        return Output.concat(name, ".", self.region, ".", self._suffix)

    def state_machine(self, name: Input[str]) -> Output[str]:
        """Return the ARN of a Step Functions state machine."""
        return self._arn("states", "stateMachine:", name)

    def streams(self, table: Input[str]) -> Output[str]:
        """Return the ARN pattern for the streams of a DynamoDB table, whose names are times of creation."""
        return self._arn("dynamodb", "table/", Output.concat(table, "/stream/*"))

    def secret(self, name: Input[str]) -> Output[str]:
        """Return the ARN pattern for a secret: Secrets Manager adds six random characters to its name."""
        return self._arn("secretsmanager", "secret:", Output.concat(name, "-??????"))

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
