"""What the doctor looks at: a ledger, the healer that `up` deployed for it, and the healer's targets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from selfheal.cli.operator.aws_access import PatientSource
from selfheal.functions.healer.target import Target, parse_targets
from selfheal.functions.shared.contract import DEPLOYMENT_KEY

_FUNCTION_ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:.+"
)


@dataclass(frozen=True)
class Deployed:
    """The healer, as AWS describes it, and what `up` wrote into the ledger."""

    item: Mapping[str, Any]
    """The deployment item, in DynamoDB's typed form; empty where there is none."""
    healer: str
    """Name of the healer's function. Empty where the ledger does not say it."""
    function: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The configuration of the healer's function; empty where it is not there or may not be read."""
    problem: str = ""
    """Why it is empty."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the healer's function."""
        return self.function.get("Environment", {}).get("Variables", {})

    @property
    def targets(self) -> Sequence[Target]:
        """The targets as the healer has them; none where they cannot be read."""
        try:
            return parse_targets(self.environment.get("TARGETS", "[]"))
        except ValueError:
            return ()

    @property
    def alarms(self) -> Mapping[str, Sequence[str]]:
        """Names of the alarms by target, as `up` wrote them."""
        found = self.item.get("alarms", {}).get("M", {})
        return {target: [each["S"] for each in of["L"]] for target, of in found.items()}

    @property
    def is_observing(self) -> bool:
        """Whether it was deployed in mode observe, in which its role may change nothing."""
        return self.environment.get("MODE", "observe") == "observe"

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN in the healer's account and region."""
        found = _FUNCTION_ARN.fullmatch(str(self.function.get("FunctionArn", "")))
        partition, region, account = found.groups() if found else ("aws", "REGION", "ACCOUNT")
        return f"arn:{partition}:{service}:{region}:{account}:{rest}"


def read_deployed(clients: PatientSource, table: str, healer: str | None) -> Deployed:
    """Read what was deployed.

    Args:
        clients: The caller's clients.
        table: Name of the ledger.
        healer: Name of the healer's function, where it was given.

    Raises:
        botocore.exceptions.ClientError: when the ledger cannot be read.

    """
    answer = clients.get("dynamodb").get_item(TableName=table, Key=DEPLOYMENT_KEY, ConsistentRead=True)
    item = answer.get("Item", {})
    name = healer or item.get("healer", {}).get("S", "")
    if not name:
        return Deployed(item, "", problem="the ledger does not name a healer")
    try:
        return Deployed(item, name, clients.get("lambda").get_function_configuration(FunctionName=name))
    except ClientError as error:
        return Deployed(item, name, problem=str(error))
