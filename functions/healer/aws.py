"""What the healer talks to."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from functions.healer.ledger import Ledger

# Short enough that a slow dependency raises here rather than by the function's timeout of 30 s.
_CONFIG = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Aws:
    """boto3 clients, the ledger and the topic that reaches people."""

    cloudwatch: Any
    lambda_: Any
    sns: Any
    ledger: Ledger
    escalation_topic: str


def connect(ledger_table: str, escalation_topic: str) -> Aws:
    """Make the clients, with credentials and region from the function's environment."""
    dynamodb, cloudwatch, lambda_, sns = (
        boto3.client(name, config=_CONFIG) for name in ("dynamodb", "cloudwatch", "lambda", "sns")
    )
    return Aws(cloudwatch, lambda_, sns, Ledger(dynamodb, ledger_table), escalation_topic)
