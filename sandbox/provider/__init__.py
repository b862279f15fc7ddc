"""The sandbox's AWS provider: a table of resource types on boto3. It refuses what it does not know."""

from selfheal.sandbox.provider.clients import Clients, Credentials
from selfheal.sandbox.provider.provider import AwsProvider

__all__ = ["AwsProvider", "Clients", "Credentials"]
