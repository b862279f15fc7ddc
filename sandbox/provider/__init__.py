"""The AWS resources that the sandbox can manage: a table of types, each implemented on boto3."""

from selfheal.sandbox.provider.provider import AwsProvider

__all__ = ["AwsProvider"]
