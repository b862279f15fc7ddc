"""What an organisation demands of all that a component registers: its own encryption key, and a boundary.

What AWS must be allowed is on the side of who calls (policies of roles, made here) or of the key (its policy,
which belongs to its owner: docs/configuration.md has the statements). Sources, each about both sides:
DynamoDB developer guide, "DynamoDB encryption at rest usage notes"; SQS developer guide, "Key management";
SNS developer guide, "Key management"; Lambda developer guide, "Securing Lambda environment variables"; KMS
developer guide, "kms:ViaService"; Kinesis Data Streams developer guide, "Permissions to use user-generated
KMS keys"; Secrets Manager user guide, "Secret encryption and decryption"; S3 user guide, "Using server-side
encryption with AWS KMS keys".
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.iam import Statement, allow

KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
KEY_EXAMPLE = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+")
POLICY_EXAMPLE = "arn:aws:iam::123456789012:policy/developers"


class SecurityArgs(TypedDict):
    """What an organisation demands. The same values for all components of a stack that work together."""

    encryption_key_arn: NotRequired[Input[str]]
    """ARN of a symmetric KMS key of this region, for topics, queues, tables, streams, logs, secrets and
    environments. Its policy must let CloudWatch, CloudWatch Logs and EventBridge use it. Default: keys that
    AWS owns."""

    permissions_boundary_arn: NotRequired[Input[str]]
    """ARN of a managed policy that bounds every role, in place of the boundary that each role has of its own.
    Default: that one, which allows what the role's policy allows."""


class Store(StrEnum):
    """A service that encrypts and decrypts on behalf of who calls it."""

    TABLE = "dynamodb"
    STREAM = "kinesis"
    BUCKET = "s3"
    SECRET = "secretsmanager"  # noqa: S105 - a service's name
    TOPIC = "sns"
    QUEUE = "sqs"


class Security:
    """The arguments, checked, and what follows from them.

    Args:
        args: `SecurityArgs`, alone or among others.
        arns: Builds ARNs.

    Raises:
        ComponentError: when an ARN is not one of a key or a policy. One that is known late is checked then.

    """

    key: Output[str] | None
    """ARN of the key. None: keys that AWS owns."""

    boundary: Output[str] | None
    """ARN of the boundary of roles. None: each has its own."""

    def __init__(self, args: Mapping[str, Any], arns: Arns) -> None:
        self._arns = arns
        self.key = _checked(args, "encryption_key_arn", KEY_ARN, KEY_EXAMPLE)
        self.boundary = _checked(args, "permissions_boundary_arn", POLICY_ARN, POLICY_EXAMPLE)

    @property
    def args(self) -> SecurityArgs:
        """The same demands, for a component inside."""
        args: SecurityArgs = {}
        if self.key is not None:
            args["encryption_key_arn"] = self.key
        if self.boundary is not None:
            args["permissions_boundary_arn"] = self.boundary
        return args

    @property
    def queue(self) -> dict[str, Any]:
        """Arguments of an encrypted queue."""
        return {"sqs_managed_sse_enabled": True} if self.key is None else {"kms_master_key_id": self.key}

    @property
    def table(self) -> aws.dynamodb.TableServerSideEncryptionArgs | None:
        """Encryption of a table. None: DynamoDB encrypts with a key that it owns."""
        if self.key is None:
            return None
        return aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=self.key)

    def reads(self, store: Store) -> list[Statement]:
        """Return the statements for who reads from a store, or uses a table in any way.

        DynamoDB only decrypts on a caller's behalf: the keys of a table are made when the table is.
        """
        return self._through(store, "kms:Decrypt")

    def writes(self, store: Store) -> list[Statement]:
        """Return the statements for who sends to a queue or topic, or writes to a stream or bucket.

        They decrypt too, to verify a new data key.
        """
        return self._through(store, "kms:Decrypt", "kms:GenerateDataKey")

    @property
    def environment(self) -> list[Statement]:
        """Statements of a function whose environment is encrypted.

        Not limited by kms:ViaService: that Lambda sets it when it starts a function is not documented. The
        function's name is made up after its role, so the context stands for all functions of the account.
        """
        if self.key is None:
            return []
        own = {"ArnLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": self._arns.function("*")}}
        return [allow(["kms:Decrypt"], [self.key], own)]

    def _through(self, store: Store, *actions: str) -> list[Statement]:
        if self.key is None:
            return []
        via = {"StringEquals": {"kms:ViaService": self._arns.service(store)}}
        return [allow(actions, [self.key], via)]


def change_environment(key: Input[str], function_arn: Input[str], arns: Arns, *, write: bool) -> Statement:
    """Return the statement for who reads, or also changes, an environment that a key encrypts.

    UpdateFunctionConfiguration sends the whole environment. Lambda makes a grant with the caller's
    permissions; whether also when the key stays is not said, so the grant is allowed. Sources: Lambda
    developer guide, as above, for the actions; SageMaker Unified Studio administrator guide, "Amazon Bedrock
    in SageMaker Unified Studio KMS permissions", for service and context, in the policy of a role that
    manages functions.

    Args:
        key: ARN of the key.
        function_arn: ARN of the function, without a qualifier.
        arns: Builds ARNs.
        write: Whether it changes the environment.

    """
    return allow(
        ["kms:Decrypt", *(("kms:Encrypt", "kms:CreateGrant") if write else ())],
        [key],
        {
            "StringEquals": {"kms:ViaService": arns.service("lambda")},
            "ArnEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": function_arn},
        },
    )


def check_key(what: str, value: Any) -> Output[str]:
    """Return the ARN of a key, checked once it is known.

    Raises:
        ComponentError: when it is not one.

    """
    return _arn(what, value, KEY_ARN, KEY_EXAMPLE)


def _checked(args: Mapping[str, Any], name: str, form: re.Pattern[str], example: str) -> Output[str] | None:
    return None if name not in args else _arn(name, args[name], form, example)


def _arn(name: str, value: Any, form: re.Pattern[str], example: str) -> Output[str]:
    def check(known: Any) -> str:
        if not isinstance(known, str) or not form.fullmatch(known):
            raise ComponentError(
                f"{name} must be an ARN such as {example}, got {known!r}. An alias or an id is none: IAM "
                "does not take them. Look it up with `aws kms describe-key` or `aws iam get-policy`."
            )
        return known

    if not isinstance(value, pulumi.Output):
        check(value)
    return pulumi.Output.from_input(value).apply(check)
