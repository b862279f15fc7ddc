"""What the healer talks to."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from selfheal.functions.healer.ledger import Ledger

# Short enough that a slow dependency raises here rather than by the function's timeout of 30 s.
_CONFIG = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2})

# A probe is never repeated: each is one sample, and a repeated one would be two. An answer that takes longer
# than 5 s is a failed one; a run's probes may therefore outlast their time by 7 s, connecting included.
_PROBE_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1}
)


@dataclass(frozen=True)
class Aws:
    """boto3 clients, the ledger and the topic that reaches people."""

    cloudwatch: Any
    lambda_: Any
    sns: Any
    ledger: Ledger
    escalation_topic: str
    dynamodb: Any
    table: str
    """Name of the table that holds ledger and overrides."""
    prober: Any
    """A Lambda client that never retries, for probes only."""


def connect(ledger_table: str, escalation_topic: str) -> Aws:
    """Make the clients, with credentials and region from the function's environment."""
    dynamodb, cloudwatch, lambda_, sns = (
        boto3.client(name, config=_CONFIG) for name in ("dynamodb", "cloudwatch", "lambda", "sns")
    )
    prober = boto3.client("lambda", config=_PROBE_CONFIG)
    ledger = Ledger(dynamodb, ledger_table)
    return Aws(cloudwatch, lambda_, sns, ledger, escalation_topic, dynamodb, ledger_table, prober)
